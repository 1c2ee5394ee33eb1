# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from appliance.domain.acquisition import Urgency
from appliance.domain.quality import Verdict
from appliance.store.decisions import Choice
from appliance.store.opinions import Act, Opinions
from ui.reveal_state import Reveal
from ui.store_source import StoreSource
from ui.view_state import Attention, board_state
from ui.worklist_state import Level, WorklistRow, settle


def rows(clinic: Any) -> tuple[WorklistRow, ...]:
    now_ns = clinic.clock.monotonic_ns()
    return board_state(clinic.read(), trouble=None, attention=Attention(), now_ns=now_ns).rows


def test_urgency_first_then_the_longest_waiting(full_clinic: Any) -> None:
    assert [row.exam_id for row in rows(full_clinic)] == ["cut", "head", "wrist", "side", "new", "good"]
    assert [row.level for row in rows(full_clinic)] == [
        Level.URGENT,
        Level.CHECK,
        Level.MEDIUM,
        Level.NOT_CHECKED,
        Level.CHECKING,
        Level.ROUTINE,
    ]


def test_the_reason_for_the_rank_can_be_read(full_clinic: Any) -> None:
    assert rows(full_clinic)[0].rank == "1st: Pneumothorax? high; tell the physician; waiting 0:32"


def test_equal_need_is_ordered_by_waiting(clinic: Any, make: Any) -> None:
    for name in ("first", "second", "third"):
        clinic.answer(clinic.land(name), quality=clinic.quality(make.check("x", Verdict.REPEAT, "No.")))
        clinic.clock.advance(5)
    assert [row.exam_id for row in rows(clinic)] == ["first", "second", "third"]


def test_a_request_marked_urgent_is_urgent_before_anything_is_known(clinic: Any) -> None:
    clinic.land("a", urgency=Urgency.STAT)
    assert rows(clinic)[0].level is Level.URGENT
    assert rows(clinic)[0].reason == "The request says urgent"


def test_backfill_comes_after_live_at_the_same_level(clinic: Any, make: Any) -> None:
    for name, urgency in (("old", Urgency.BACKFILL), ("live", Urgency.LIVE)):
        answer = clinic.quality(make.check("x", Verdict.REPEAT, "No."))
        clinic.answer(clinic.land(name, urgency=urgency), quality=answer)
    assert [row.exam_id for row in rows(clinic)] == ["live", "old"]


def test_what_a_person_has_decided_no_longer_leads_the_list(clinic: Any, make: Any) -> None:
    clinic.answer(
        clinic.land("a"),
        quality=clinic.quality(make.check("x", Verdict.REPEAT, "No.")),
        triage=clinic.triage(make.finding("Nodule", 0.1)),
    )
    assert rows(clinic)[0].level is Level.REPEAT
    with StoreSource(clinic.layout, clinic.clock) as source:
        source.decide("a", 1, Choice.REPEAT, "No.")
    assert (rows(clinic)[0].level, rows(clinic)[0].decided) == (Level.ROUTINE, "Repeat ordered")


def test_the_order_waits_while_somebody_touches_the_screen(full_clinic: Any) -> None:
    wanted = rows(full_clinic)
    shown = ("good", "gone", "wrist")
    held = settle(wanted, shown, untouched_s=4.9)
    assert held.exam_ids == ("good", "wrist")
    assert (held.held_back, held.held_back_urgent) == (4, 1)
    free = settle(wanted, shown, untouched_s=5.0)
    assert free.exam_ids == tuple(row.exam_id for row in wanted)
    assert free.held_back == 0
    assert settle(wanted, shown, untouched_s=None).exam_ids == free.exam_ids


def fair_rows(clinic: Any, ceiling_min: float) -> tuple[WorklistRow, ...]:
    now_ns = clinic.clock.monotonic_ns()
    return board_state(
        clinic.read(), trouble=None, attention=Attention(), now_ns=now_ns, ceiling_s=ceiling_min * 60
    ).rows


def flagged(clinic: Any, make: Any, name: str, probability: float, *, code: str = "1") -> None:
    found = make.finding("Fracture", probability, code=code)
    clinic.answer(
        clinic.land(name), quality=clinic.quality(), triage=clinic.triage(found), denoise=clinic.quality()
    )


def test_at_the_ceiling_an_unflagged_exam_passes_every_flag(clinic: Any, make: Any) -> None:
    flagged(clinic, make, "unflagged", 0.05)
    clinic.clock.advance(44 * 60)
    flagged(clinic, make, "high", 0.9)
    assert [row.exam_id for row in fair_rows(clinic, 45)] == ["high", "unflagged"]
    clinic.clock.advance(60)
    first, second = fair_rows(clinic, 45)
    assert (first.exam_id, first.level, first.word) == ("unflagged", Level.OVERDUE, "OVERDUE")
    assert second.level is Level.HIGH
    assert [row.exam_id for row in rows(clinic)] == ["high", "unflagged"], "no ceiling, no overdue"


def test_the_ceiling_never_passes_alarms_requests_and_patients_about_to_leave(clinic: Any, make: Any) -> None:
    flagged(clinic, make, "old", 0.05)
    clinic.clock.advance(3600)
    clinic.answer(clinic.land("again"), quality=clinic.quality(make.check("x", Verdict.REPEAT, "No.")))
    clinic.clock.advance(5)
    flagged(clinic, make, "lung", 0.9, code="36118008")
    clinic.clock.advance(5)
    clinic.land("stat", urgency=Urgency.STAT)
    assert [row.exam_id for row in fair_rows(clinic, 45)] == ["stat", "lung", "again", "old"]


def test_who_was_looked_at_does_not_become_overdue(clinic: Any, make: Any) -> None:
    flagged(clinic, make, "read", 0.05)
    Opinions(clinic.database).did("read", 1, Act.SEEN)
    clinic.clock.advance(3600)
    assert fair_rows(clinic, 45)[0].level is not Level.OVERDUE


def test_within_a_band_the_surer_flag_comes_first(clinic: Any, make: Any) -> None:
    for name, probability in (("sure", 0.7), ("surer", 0.95)):
        flagged(clinic, make, name, probability)
        clinic.clock.advance(5)
    assert [row.exam_id for row in fair_rows(clinic, 45)] == ["surer", "sure"]


def test_an_answer_that_is_withheld_does_not_show_in_the_order(clinic: Any, make: Any) -> None:
    for name, probability in (("a", 0.05), ("b", 0.9)):
        flagged(clinic, make, name, probability)
        clinic.clock.advance(5)
    state = board_state(
        clinic.read(),
        trouble=None,
        attention=Attention(),
        now_ns=clinic.clock.monotonic_ns(),
        reveal=Reveal.AFTER_COMMIT,
    )
    assert [row.exam_id for row in state.rows] == ["a", "b"]


def test_reaching_the_ceiling_moves_nothing_under_a_finger(clinic: Any, make: Any) -> None:
    flagged(clinic, make, "unflagged", 0.05)
    clinic.clock.advance(44 * 60)
    flagged(clinic, make, "high", 0.9)
    shown = tuple(row.exam_id for row in fair_rows(clinic, 45))
    clinic.clock.advance(120)
    wanted = fair_rows(clinic, 45)
    assert wanted[0].exam_id == "unflagged"
    assert settle(wanted, shown, untouched_s=1.0).exam_ids == shown
    assert settle(wanted, shown, untouched_s=5.0).exam_ids == ("unflagged", "high")
