# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from appliance.store.opinions import Act, Opinions
from ui.findings_state import findings_of
from ui.urgent_state import Telling, UrgentState, urgent_of
from ui.view_state import Attention, BoardState, board_state
from ui.worklist_state import WorklistRow, oldest_unread

PNEUMOTHORAX = "36118008"


def urgent(clinic: Any) -> UrgentState | None:
    exam = clinic.read().exams[0]
    return urgent_of(exam, findings_of(exam, ai_down=None), now_ns=clinic.clock.monotonic_ns())


def state(clinic: Any) -> BoardState:
    return board_state(clinic.read(), trouble=None, attention=Attention(), now_ns=clinic.clock.monotonic_ns())


@pytest.fixture
def flagged(clinic: Any, make: Any) -> Any:
    acquisition = clinic.land("a")
    clinic.clock.advance(30)  # the answer comes half a minute after the image
    clinic.answer(acquisition, triage=clinic.triage(make.finding("Pneumothorax", 0.86, code=PNEUMOTHORAX)))
    return clinic


def test_two_minutes_after_the_answer_it_is_late(flagged: Any) -> None:
    flagged.clock.advance(119)
    early = urgent(flagged)
    assert early is not None
    assert (early.kind, early.title, early.detail) == (
        Telling.TELL,
        "Tell the physician",
        "Pneumothorax? high",
    )
    flagged.clock.advance(1)
    late = urgent(flagged)
    assert late is not None
    assert (late.kind, late.rank) == (Telling.LATE, "not told for 2:00")
    assert flagged.database.read("SELECT count(*) FROM deed") == [(0,)]  # it follows from the time alone


def test_an_exam_of_before_the_last_start_is_late_at_once(flagged: Any) -> None:
    exam = replace(flagged.read().exams[0], landed_ns=None)
    late = urgent_of(exam, findings_of(exam, ai_down=None), now_ns=flagged.clock.monotonic_ns())
    assert late is not None
    assert (late.kind, late.rank) == (Telling.LATE, "not told")


def test_escalating_and_telling_are_written_down_and_calm_it(flagged: Any) -> None:
    flagged.clock.advance(300)
    Opinions(flagged.database).did("a", 1, Act.ESCALATED)
    handed_on = urgent(flagged)
    assert handed_on is not None
    assert (handed_on.kind, handed_on.rank) == (Telling.ESCALATED, "escalated, not told")
    assert state(flagged).rows[0].word == "ESCALATED"
    Opinions(flagged.database).did("a", 1, Act.TOLD)
    told = urgent(flagged)
    assert told is not None
    assert told.kind is Telling.TOLD
    assert told.title.startswith("Physician told at ")
    assert state(flagged).rows[0].word == "URGENT"


@pytest.mark.parametrize(("code", "probability"), [(PNEUMOTHORAX, 0.5), (PNEUMOTHORAX, 0.1), ("1", 0.99)])
def test_nothing_else_asks_for_the_physician(clinic: Any, make: Any, code: str, probability: float) -> None:
    clinic.answer(clinic.land("a"), triage=clinic.triage(make.finding("Finding", probability, code=code)))
    assert urgent(clinic) is None


def test_the_rank_says_why_and_that_nobody_was_told(flagged: Any) -> None:
    assert state(flagged).rows[0].rank == "1st: Pneumothorax? high; tell the physician; waiting 0:30"
    flagged.clock.advance(130)
    row = state(flagged).rows[0]
    assert (row.word, row.telling) == ("NOT TOLD", Telling.LATE)
    assert row.rank == "1st: Pneumothorax? high; not told for 2:10; waiting 2:40"
    selected = state(flagged).selected
    assert selected is not None
    assert selected.rank == row.rank


# What nobody has read


def rows(clinic: Any) -> tuple[WorklistRow, ...]:
    return state(clinic).rows


def test_seen_is_per_exam_and_per_version(clinic: Any) -> None:
    clinic.land("a")
    clinic.land("b")
    assert [row.unread for row in rows(clinic)] == [True, True]
    Opinions(clinic.database).did("a", 1, Act.SEEN)
    assert {row.exam_id: row.unread for row in rows(clinic)} == {"a": False, "b": True}
    clinic.land("a", version=2)
    assert {row.exam_id: row.unread for row in rows(clinic)} == {"a": True, "b": True}


def test_the_oldest_unread_is_named_with_its_minutes(clinic: Any) -> None:
    assert state(clinic).oldest_unread is None
    clinic.land("a")
    clinic.clock.advance(20)
    only = state(clinic).oldest_unread
    assert only is not None
    assert (only.exam_id, only.waiting) == ("a", "under 1 min")
    clinic.land("b")
    clinic.clock.advance(17 * 60)
    oldest = state(clinic).oldest_unread
    assert oldest is not None
    assert (oldest.exam_id, oldest.waiting) == ("a", "17 min")
    Opinions(clinic.database).did("a", 1, Act.SEEN)
    next_one = state(clinic).oldest_unread
    assert next_one is not None
    assert (next_one.exam_id, next_one.waiting) == ("b", "17 min")
    clinic.clock.advance(3600)
    assert (hours := state(clinic).oldest_unread) is not None
    assert hours.waiting == "1 h 17"
    Opinions(clinic.database).did("b", 1, Act.SEEN)
    assert state(clinic).oldest_unread is None


def test_one_from_before_the_last_start_is_the_oldest(clinic: Any) -> None:
    clinic.land("a")
    clinic.land("b")
    clinic.clock.advance(600)
    old = replace(rows(clinic)[1], waiting_s=None, waiting="earlier")
    oldest = oldest_unread((rows(clinic)[0], old))
    assert oldest is not None
    assert (oldest.exam_id, oldest.waiting) == (old.exam_id, "earlier")
