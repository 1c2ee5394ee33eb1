# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from appliance.domain.acquisition import Urgency
from ui.wall_state import Column, WallAttention, WallState, wall_state


def wall(clinic: Any, **attention: Any) -> WallState:
    return wall_state(clinic.read(), WallAttention(**attention), now_ns=clinic.clock.monotonic_ns())


def ids(state: WallState, column: Column) -> list[str]:
    return [card.exam_id for card in state.column(column)]


def places(state: WallState) -> tuple[tuple[str, Column], ...]:
    return tuple((card.exam_id, card.column) for card in state.cards)


def test_every_exam_hangs_in_exactly_one_column(full_clinic: Any) -> None:
    state = wall(full_clinic, seen=frozenset({"side"}))
    assert ids(state, Column.LOOK_NOW) == ["cut", "wrist"], "what the AI asks about, most urgent first"
    assert ids(state, Column.WAITING) == ["good", "head", "new"], "the longest wait on top"
    assert ids(state, Column.SEEN) == ["side"]


def test_no_name_and_no_number_of_a_patient_is_on_the_wall(full_clinic: Any) -> None:
    text = repr(wall(full_clinic))
    for secret in ("MWANGI", "OTIENO", "SILVA", "10-4471", "19910412", "1991-04-12"):
        assert secret not in text


def test_nothing_flagged_says_what_it_does_not_mean(full_clinic: Any) -> None:
    cards = {card.exam_id: card for card in wall(full_clinic).cards}
    assert cards["good"].questions == "No finding flagged. This does not mean normal."
    assert cards["wrist"].questions == "Fracture of wrist? medium"
    assert "AI is looking" in cards["new"].questions


def test_the_heading_counts_the_unseen_and_dates_the_oldest(full_clinic: Any) -> None:
    state = wall(full_clinic)
    assert (state.heading.waiting, state.heading.longest) == ("6", "6:22")
    assert state.oldest is not None
    assert state.oldest.exam_id == "good"
    after = wall(full_clinic, seen=frozenset({"good"}))
    assert (after.heading.waiting, after.heading.longest) == ("5", "2:12")
    none = wall(full_clinic, seen=frozenset({"good", "cut", "wrist", "head", "side", "new"}))
    assert (none.heading.waiting, none.heading.longest, none.oldest) == ("0", "-", None)


def test_the_heading_says_whether_the_ai_runs(clinic: Any) -> None:
    clinic.land("one")
    assert wall(clinic).heading.ai_words == "AI running"
    clinic.signs_of_life(worker="loading models")
    assert wall(clinic).heading.ai_words == "AI is starting"
    clinic.signs_of_life()
    clinic.clock.advance(600)
    heading = wall(clinic).heading
    assert (heading.ai, heading.ai_words, heading.ai_runs) == ("OFF", "AI not running", False)


def test_seconds_per_image_are_measured_or_unknown(clinic: Any, make: Any) -> None:
    assert wall(clinic).heading.speed == "?"
    for number, seconds in enumerate((2.0, 4.0, 60.0)):
        exam = clinic.land(f"exam{number}")
        clinic.clock.advance(seconds)
        answer = clinic.triage(make.finding("Fracture", 0.1))
        clinic.answer(exam, quality=clinic.quality(), triage=answer, denoise=clinic.quality())
    assert wall(clinic).heading.speed == "4.0 s", "one slow start does not count"


def test_nothing_moves_under_a_finger(clinic: Any, make: Any) -> None:
    for exam_id in ("a", "b"):
        clinic.land(exam_id)
        clinic.clock.advance(10)
    before = wall(clinic)
    clinic.land("stat", urgency=Urgency.STAT)
    held = wall(clinic, shown=places(before), untouched_s=1.0)
    assert places(held) == places(before)
    assert held.arrivals == "1 new to look at"
    assert held.heading.waiting == "3", "figures do not wait"
    settled = wall(clinic, shown=places(before), untouched_s=5.0)
    assert ids(settled, Column.LOOK_NOW) == ["stat"]
    assert settled.arrivals == ""


def test_a_card_keeps_its_column_until_the_finger_is_gone(clinic: Any, make: Any) -> None:
    exam = clinic.land("a")
    before = wall(clinic)
    answer = clinic.triage(make.finding("Fracture", 0.9))
    clinic.answer(exam, quality=clinic.quality(), triage=answer, denoise=clinic.quality())
    held = wall(clinic, shown=places(before), untouched_s=1.0)
    assert ids(held, Column.WAITING) == ["a"]
    assert held.cards[0].word == "HIGH", "its words are never old"
    assert ids(wall(clinic), Column.LOOK_NOW) == ["a"]


def test_what_the_finger_moved_moves_at_once(full_clinic: Any) -> None:
    before = wall(full_clinic)
    after = wall(full_clinic, shown=places(before), untouched_s=0.1, seen=frozenset({"cut"}))
    assert ids(after, Column.SEEN) == ["cut"]
    assert "cut" not in ids(after, Column.LOOK_NOW)


def test_nobody_hangs_back_past_the_ceiling(clinic: Any, make: Any) -> None:
    for exam_id, probability in (("unflagged", 0.05), ("high", 0.9)):
        exam = clinic.land(exam_id)
        answer = clinic.triage(make.finding("Fracture", probability))
        clinic.answer(exam, quality=clinic.quality(), triage=answer, denoise=clinic.quality())
        clinic.clock.advance(10 * 60)

    def hung(**attention: Any) -> WallState:
        now_ns = clinic.clock.monotonic_ns()
        return wall_state(clinic.read(), WallAttention(**attention), now_ns=now_ns, ceiling_s=45 * 60)

    before = hung()
    assert (ids(before, Column.LOOK_NOW), ids(before, Column.WAITING)) == (["high"], ["unflagged"])
    assert before.heading.ceiling == "45 min"
    clinic.clock.advance(26 * 60)
    held = hung(shown=places(before), untouched_s=1.0)
    assert places(held) == places(before), "nothing moves under a finger"
    after = hung()
    assert ids(after, Column.LOOK_NOW) == ["unflagged", "high"]
    assert after.cards[0].word == "OVERDUE"
    assert after.cards[0].questions == "No finding flagged. This does not mean normal."
    assert wall(clinic).heading.ceiling == ""
