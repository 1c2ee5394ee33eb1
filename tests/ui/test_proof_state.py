# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from appliance.domain.quality import Verdict
from appliance.monitor.heartbeat import Heartbeat
from appliance.monitor.proof import PROOF_FILE
from ui.findings_state import AiKind
from ui.health_state import HealthKind, HealthState
from ui.verdict_state import VerdictKind
from ui.view_state import Attention, BoardState, board_state

WRONG = "chest_triage: the engine gives a wrong answer to a known question."


def alive(clinic: Any) -> None:
    for process in ("watcher", "worker", "sender"):
        Heartbeat(clinic.layout.run, process, clinic.clock).beat("waiting")


def screen(clinic: Any, exam_id: str | None = None) -> BoardState:
    attention = Attention(selected_exam_id=exam_id)
    return board_state(clinic.read(), trouble=None, attention=attention, now_ns=clinic.clock.monotonic_ns())


def health(clinic: Any) -> HealthState:
    found = screen(clinic).health
    assert found is not None
    return found


def answered(clinic: Any, make: Any, exam_id: str) -> None:
    exam = clinic.land(exam_id, patient=make.patient(f"{exam_id.upper()}^X"))
    clinic.answer(
        exam,
        quality=clinic.quality(make.check("noise", Verdict.OK)),
        triage=clinic.triage(
            make.finding("Pneumothorax", 0.9, code="36118008", box=(1, 1, 9, 9), heatmap=True)
        ),
        denoise=clinic.quality(),
    )
    clinic.view(exam)


def test_the_bar_says_when_the_last_proof_was_and_how_long_it_took(clinic: Any) -> None:
    assert health(clinic).proof == "last proof just now, 0.4 s"
    clinic.clock.advance(4 * 60 + 5)
    alive(clinic)
    assert health(clinic).proof == "last proof 4 min ago, 0.4 s"
    assert health(clinic).word == "OK"


def test_a_device_that_never_proved_itself_is_not_green(clinic: Any) -> None:
    (clinic.layout.run / PROOF_FILE).unlink()
    state = health(clinic)
    assert (state.kind, state.proof) == (HealthKind.ATTENTION, "not proved yet")
    assert state.word == "NOT PROVED"


def test_a_proof_of_another_boot_is_none(clinic: Any) -> None:
    file = clinic.layout.run / PROOF_FILE
    file.write_text(file.read_text().replace('"manual"', '"another"'), encoding="utf-8")
    assert health(clinic).word == "NOT PROVED"


@pytest.mark.parametrize(("minutes", "word"), [(29, "OK"), (31, "PROOF OLD")])
def test_a_proof_of_more_than_three_intervals_ago_is_too_old(clinic: Any, minutes: int, word: str) -> None:
    clinic.clock.advance(minutes * 60)
    alive(clinic)
    assert health(clinic).word == word


def test_a_silent_worker_is_worse_than_an_old_proof(clinic: Any) -> None:
    clinic.clock.advance(31 * 60)
    Heartbeat(clinic.layout.run, "watcher", clinic.clock).beat("waiting")
    assert health(clinic).word == "AI NOT RUNNING"


def test_after_a_failed_proof_new_answers_do_not_count_and_old_ones_keep_their_age(
    clinic: Any, make: Any
) -> None:
    answered(clinic, make, "before")
    clinic.clock.advance(60)
    clinic.prove()
    clinic.clock.advance(60)
    answered(clinic, make, "after")
    clinic.land("waiting")
    clinic.clock.advance(5)
    alive(clinic)
    assert screen(clinic, "after").gap == ()
    clinic.prove(WRONG)
    state = screen(clinic, "after")
    assert state.health is not None
    assert (state.health.word, state.health.kind) == ("AI OFF", HealthKind.ATTENTION)
    assert state.health.proof.startswith("proof failed")
    assert state.selected is not None
    assert state.selected.findings.kind is AiKind.NO_ANSWER
    assert state.selected.findings.headline == "AI OFF: usual practice. Read without AI."
    assert WRONG in state.selected.findings.refusals
    assert state.selected.findings.lines == ()
    assert not any(mark.is_ai for mark in state.selected.picture.marks)
    assert state.selected.picture.heatmap_codes == ()
    assert [row.name for row in state.gap] == ["MWANGI, Grace", "AFTER, X"]
    assert state.notice is not None
    assert state.notice.gap == "2 exams to read"
    before = screen(clinic, "before").selected
    assert before is not None
    assert before.findings.headline.startswith("1 finding flagged. Given ")
    assert len(before.findings.lines) == 1
    assert before.picture.heatmap_codes != ()
    clinic.prove()
    again = screen(clinic, "after")
    assert (again.gap, again.notice) == ((), None)
    assert again.selected is not None
    assert len(again.selected.findings.lines) == 1


def test_a_check_that_failed_its_own_test_gives_no_yes(clinic: Any, make: Any) -> None:
    exam = clinic.land("good")
    clinic.clock.advance(60)
    clinic.answer(
        exam,
        quality=clinic.quality(make.check("noise", Verdict.OK)),
        triage=clinic.triage(make.finding("Nodule", 0.1)),
        denoise=clinic.quality(),
    )
    clinic.clock.advance(5)
    alive(clinic)
    clinic.prove(WRONG)
    assert verdict(clinic) is VerdictKind.YES, "only the models failed"
    clinic.prove("The planted fault was not found.", image_passed=False)
    assert verdict(clinic) is VerdictKind.NOT_CHECKED
    clinic.prove()
    assert verdict(clinic) is VerdictKind.YES


def verdict(clinic: Any) -> VerdictKind:
    selected = screen(clinic).selected
    assert selected is not None
    return selected.verdict.kind
