# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ui.findings_state import NOTHING_FLAGGED, AiKind, Band, FindingsState, findings_of


def one(clinic: Any, *, down: str | None = None) -> FindingsState:
    return findings_of(clinic.read().exams[0], ai_down=down)


def test_flagged_findings_are_questions_with_bands_surest_first(clinic: Any, make: Any) -> None:
    answer = clinic.triage(
        make.finding("Opacity", 0.44), make.finding("Nodule", 0.91), make.finding("Effusion", 0.1)
    )
    clinic.answer(clinic.land("a"), triage=answer)
    state = one(clinic)
    assert state.kind is AiKind.FLAGGED
    assert [(line.question, line.band) for line in state.lines] == [
        ("Nodule?", Band.HIGH),
        ("Opacity?", Band.MEDIUM),
    ]
    assert state.headline == "2 findings flagged"
    assert state.lines[0].number == "0.91  (flag from 0.30, high from 0.70)"


def test_nothing_flagged_never_says_normal(clinic: Any, make: Any) -> None:
    clinic.answer(clinic.land("a"), triage=clinic.triage(make.finding("Nodule", 0.1)))
    assert (one(clinic).kind, one(clinic).headline) == (AiKind.NOTHING, NOTHING_FLAGGED)


def test_no_answer_is_not_nothing_flagged(clinic: Any) -> None:
    clinic.answer(clinic.land("a"), triage=clinic.triage(refusal="Below the tested age.\u202e"))
    state = one(clinic)
    assert state.kind is AiKind.NO_ANSWER
    assert state.refusals == ("Below the tested age.[U+202E]",)
    assert NOTHING_FLAGGED not in state.headline


def test_a_refusal_beside_an_answer_is_shown(clinic: Any, make: Any) -> None:
    clinic.answer(clinic.land("a"), triage=clinic.triage(make.finding("Nodule", 0.1), refusal="Not wrists."))
    assert one(clinic).refusals == ("Not wrists.",)


def test_running_failed_and_dead(clinic: Any) -> None:
    acquisition = clinic.land("a")
    assert one(clinic).kind is AiKind.RUNNING
    assert one(clinic, down="AI is dead.").refusals == ("AI is dead.",)
    clinic.answer(acquisition, triage="engine broke")
    assert (one(clinic).kind, one(clinic).refusals) == (AiKind.NO_ANSWER, ("engine broke",))


def test_the_second_engine_is_said(clinic: Any, make: Any) -> None:
    answer = clinic.triage(make.finding("Nodule", 0.1), fallback="openvino failed its proof.")
    clinic.answer(clinic.land("a"), triage=answer)
    assert one(clinic).fallback == "openvino failed its proof."
    assert one(clinic).engine == "onnxruntime int8 CPU"
