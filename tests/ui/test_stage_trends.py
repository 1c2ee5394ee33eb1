# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from appliance.domain.result import StageTiming
from ui.records import ExamRecord
from ui.stage_trends import MOST_EXAMS, trend_groups


def timed(clinic: Any, exam_id: str, inferred_ms: float, **land: Any) -> None:
    acquisition = clinic.land(exam_id, **land)
    clinic.clock.advance(2)
    timings = tuple(
        StageTiming(stage=stage, duration_ms=ms)
        for stage, ms in (("landed", 100.0), ("inferred", inferred_ms), ("painted", 7.0))
    )
    clinic.answer(
        acquisition,
        quality=replace(clinic.quality(), timings=timings),
        triage=replace(clinic.triage(), timings=timings),
        denoise=clinic.quality(),
    )


def exams(clinic: Any) -> tuple[ExamRecord, ...]:
    records: tuple[ExamRecord, ...] = clinic.read().exams
    return records


def test_seconds_of_all_lanes_oldest_first(clinic: Any) -> None:
    for at, ms in enumerate((100.0, 200.0)):
        timed(clinic, f"x{at}", ms)
    timed(clinic, "series", 5000.0, slices=4)
    xray, series = trend_groups(exams(clinic))
    by_name = {trend.name: trend for trend in xray.trends}
    assert list(by_name) == ["Received", "AI computed", "All answered"]
    assert by_name["AI computed"].seconds == pytest.approx((0.2, 0.4))
    assert by_name["Received"].seconds == pytest.approx((0.1, 0.1)), "a landing is one, however many lanes"
    assert by_name["All answered"].seconds == pytest.approx((2.0, 2.0))
    assert series.trends[1].seconds == pytest.approx((10.0,))
    assert trend_groups(()) == ()


@pytest.mark.parametrize(
    ("inferred_ms", "said"),
    [
        ((10, 10, 10, 10, 10), "too few to compare"),
        ((10, 10, 10, 12, 12, 12), "steady"),
        ((10, 10, 10, 13, 13, 13), "slower now"),
        ((13, 13, 13, 10, 10, 10), "faster now"),
    ],
)
def test_the_newer_half_is_compared_to_the_older(
    clinic: Any, inferred_ms: tuple[int, ...], said: str
) -> None:
    for at, ms in enumerate(inferred_ms):
        timed(clinic, f"x{at}", float(ms))
    (group,) = trend_groups(exams(clinic))
    assert next(t for t in group.trends if t.name == "AI computed").words.endswith(said)


def test_only_the_last_exams_count(clinic: Any) -> None:
    timed(clinic, "x", 10.0)
    many = exams(clinic) * (MOST_EXAMS + 5)
    assert len(trend_groups(many)[0].trends[0].seconds) == MOST_EXAMS
