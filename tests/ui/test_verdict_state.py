# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from appliance.domain.acquisition import Completeness
from appliance.domain.quality import Verdict
from ui.findings_state import findings_of
from ui.records import ExamRecord
from ui.verdict_state import SHAPES, WORDS, VerdictKind, VerdictState, verdict_of


def one(clinic: Any, *, down: str | None = None) -> VerdictState:
    exam: ExamRecord = clinic.read().exams[0]
    findings = findings_of(exam, ai_down=down)
    return verdict_of(exam, findings, checker_down=down, now_ns=clinic.clock.monotonic_ns())


@pytest.mark.parametrize("verdicts", list(product(Verdict, repeat=2)))
def test_the_word_is_the_worst_and_green_only_when_something_was_judged_good(
    clinic: Any, make: Any, verdicts: tuple[Verdict, Verdict]
) -> None:
    checks = [make.check(f"c{i}", verdict, f"advice {i}.") for i, verdict in enumerate(verdicts)]
    clinic.answer(clinic.land("a"), quality=clinic.quality(*checks), triage=clinic.triage())
    state = one(clinic)
    expected = {
        Verdict.REPEAT: VerdictKind.REPEAT,
        Verdict.CHECK: VerdictKind.CHECK,
        Verdict.OK: VerdictKind.YES,
        Verdict.NOT_CHECKED: VerdictKind.NOT_CHECKED,
    }
    worst = next(v for v in (Verdict.REPEAT, Verdict.CHECK, Verdict.OK, Verdict.NOT_CHECKED) if v in verdicts)
    assert state.kind is expected[worst]
    if state.kind is VerdictKind.YES and Verdict.NOT_CHECKED in verdicts:
        assert state.cause.startswith("Look yourself at: c")
    if state.kind in {VerdictKind.REPEAT, VerdictKind.CHECK}:
        assert state.cause == f"advice {verdicts.index(worst)}."


def test_before_the_answer_it_is_checking_and_says_the_stage(clinic: Any) -> None:
    acquisition = clinic.land("a")
    assert (one(clinic).kind, one(clinic).cause) == (VerdictKind.CHECKING, "Waiting for its turn.")
    clinic.answer(acquisition)
    assert one(clinic).cause == "Measuring now."
    clinic.clock.advance(31)
    assert one(clinic).cause == "No answer after 0:31. Do not wait: look yourself."


def test_an_answer_of_triage_alone_is_never_green(clinic: Any) -> None:
    clinic.answer(clinic.land("a"), triage=clinic.triage())
    assert one(clinic).kind is VerdictKind.CHECKING


def test_with_a_dead_worker_nothing_pretends_to_be_checking(clinic: Any) -> None:
    clinic.land("a")
    state = one(clinic, down="Checks and AI not running since 08:12. Judge the image yourself.")
    assert state.kind is VerdictKind.NOT_CHECKED
    assert "08:12" in state.cause


def test_an_answer_stays_when_the_worker_dies(clinic: Any, make: Any) -> None:
    clinic.answer(clinic.land("a"), quality=clinic.quality(make.check("x", Verdict.OK)))
    assert one(clinic, down="not running").kind is VerdictKind.YES


def test_a_failed_check_is_not_checked_with_its_reason(clinic: Any) -> None:
    clinic.answer(clinic.land("a"), quality="the file\nended early.")
    state = one(clinic)
    assert state.kind is VerdictKind.NOT_CHECKED
    assert state.cause == "The check failed: the file[U+000A]ended early."


def test_a_refusal_is_not_checked_with_its_reason(clinic: Any) -> None:
    clinic.answer(clinic.land("a"), quality=clinic.quality(refusal="Side views are not supported."))
    assert one(clinic).kind is VerdictKind.NOT_CHECKED
    assert one(clinic).cause == "Side views are not supported."


@pytest.mark.parametrize(
    ("completeness", "word"),
    [(Completeness.INCOMPLETE, "Images are missing"), (Completeness.CONFLICT, "Two different images")],
)
def test_doubt_about_the_images_is_never_green(
    clinic: Any, make: Any, completeness: Completeness, word: str
) -> None:
    acquisition = clinic.land("a", slices=3, completeness=completeness, evidence="after slice 2.")
    clinic.answer(acquisition, quality=clinic.quality(make.check("x", Verdict.OK)))
    assert one(clinic).kind is VerdictKind.CHECK
    assert one(clinic).cause.startswith(word)


def test_missing_slices_are_said_where_nothing_could_be_checked(clinic: Any) -> None:
    acquisition = clinic.land("a", slices=3, completeness=Completeness.INCOMPLETE, evidence="after slice 2.")
    clinic.answer(acquisition, quality=clinic.quality(refusal="No check for this series."))
    assert (one(clinic).kind, one(clinic).cause) == (
        VerdictKind.CHECK,
        "Images are missing: after slice 2.",
    )


def test_receiving_is_checking(clinic: Any) -> None:
    clinic.land("a", slices=3, completeness=Completeness.RECEIVING, queue=False)
    assert (one(clinic).kind, one(clinic).cause) == (VerdictKind.CHECKING, "Still receiving images.")


def test_a_late_slice_starts_the_check_again(clinic: Any, make: Any) -> None:
    clinic.answer(clinic.land("a", slices=3), quality=clinic.quality(make.check("x", Verdict.OK)))
    assert one(clinic).kind is VerdictKind.YES
    again = clinic.land("a", slices=4, version=2)
    assert (one(clinic).kind, one(clinic).cause) == (
        VerdictKind.CHECKING,
        "New images arrived. Checking again.",
    )
    clinic.answer(again, quality=clinic.quality(make.check("x", Verdict.CHECK, "Look.")))
    assert one(clinic).kind is VerdictKind.CHECK


def test_nobody_leaves_on_green_with_a_time_critical_finding(clinic: Any, make: Any) -> None:
    clinic.answer(
        clinic.land("a"),
        quality=clinic.quality(make.check("x", Verdict.OK)),
        triage=clinic.triage(make.finding("Pneumothorax", 0.9, code="36118008")),
    )
    assert one(clinic).kind is VerdictKind.CHECK
    assert one(clinic).cause == "Pneumothorax? high. Tell the physician first."


def test_green_says_when_the_ai_is_not_ready(clinic: Any, make: Any) -> None:
    clinic.answer(clinic.land("a"), quality=clinic.quality(make.check("x", Verdict.OK)))
    assert one(clinic).cause == "The check passed. AI is still looking."


def test_measurements_carry_unit_and_limit(clinic: Any, make: Any) -> None:
    checks = [
        make.check("a_b", Verdict.CHECK, "x.", 12.3456, "mm", 10),
        make.check("b", Verdict.CHECK, "x.", 7, "%", 5),
        make.check("c", Verdict.CHECK, "x.", 3.2, "1", 2),
        make.check("d", Verdict.CHECK, "x."),
    ]
    clinic.answer(clinic.land("a"), quality=clinic.quality(*checks))
    lines = {line.title: line.measured for line in one(clinic).checks}
    assert lines == {"A b": "12.3 mm · limit 10", "B": "7% · limit 5%", "C": "3.2 · limit 2", "D": ""}


def test_every_kind_has_its_own_word_and_shape() -> None:
    assert set(WORDS) == set(SHAPES) == set(VerdictKind)
    assert len(set(WORDS.values())) == len(set(SHAPES.values())) == len(VerdictKind)
