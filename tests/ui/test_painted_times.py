# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from appliance.clock import NS_PER_S
from appliance.domain.quality import Verdict
from ui.painted_times import PaintedTimes


def answered(clinic: Any, make: Any, exam_id: str = "a", **change: Any) -> Any:
    exam = clinic.land(exam_id, **change)
    clinic.answer(exam, quality=clinic.quality(make.check("x", Verdict.OK)))
    return clinic.read()


def test_the_first_painting_of_each_version_counts(clinic: Any, make: Any) -> None:
    times = PaintedTimes(clinic.clock.monotonic_ns())
    board = answered(clinic, make)
    assert times.note(board, "a", 100)
    assert not times.note(board, "a", 200)
    assert times.of(board.exams[0]) == 100
    second = answered(clinic, make, version=2)
    assert times.of(second.exams[0]) is None
    assert times.note(second, "a", 300)


def test_a_verdict_from_before_this_kiosk_has_no_painting(clinic: Any, make: Any) -> None:
    board = answered(clinic, make)
    clinic.clock.advance(1)
    times = PaintedTimes(clinic.clock.monotonic_ns())
    assert not times.note(board, "a", clinic.clock.monotonic_ns())
    assert times.of(board.exams[0]) is None


def test_a_verdict_that_waited_until_it_was_opened_is_not_called_late(clinic: Any, make: Any) -> None:
    times = PaintedTimes(clinic.clock.monotonic_ns())
    board = answered(clinic, make)
    times.opened(board, "a")
    assert not times.note(board, "a", clinic.clock.monotonic_ns() + 94 * NS_PER_S)
    assert times.of(board.exams[0]) is None


def test_an_exam_that_is_opened_before_its_verdict_has_its_painting(clinic: Any, make: Any) -> None:
    times = PaintedTimes(clinic.clock.monotonic_ns())
    exam = clinic.land("a")
    times.opened(clinic.read(), "a")
    clinic.answer(exam, quality=clinic.quality(make.check("x", Verdict.OK)))
    board = clinic.read()
    assert times.note(board, "a", 100)
    times.opened(board, "a")
    assert times.of(board.exams[0]) == 100


def test_without_a_verdict_nothing_was_painted(clinic: Any) -> None:
    times = PaintedTimes(0)
    clinic.land("a")
    assert not times.note(clinic.read(), "a", 100)
    assert not times.note(clinic.read(), "gone", 100)
    assert not times.note(None, "a", 100)
