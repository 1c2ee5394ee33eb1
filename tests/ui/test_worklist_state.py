# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from appliance.domain.acquisition import Urgency
from appliance.domain.quality import Verdict
from appliance.store.decisions import Choice
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
