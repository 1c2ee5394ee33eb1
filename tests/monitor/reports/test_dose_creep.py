# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from appliance.domain.acquisition import Exposure
from appliance.monitor.reports.dose_creep import deviation_index, dose_trends, theil_sen
from appliance.monitor.reports.exams import read_exams
from tests.monitor.reports.conftest import MARCH, Site


@pytest.mark.parametrize("seed", range(5))
def test_slope_and_interval_are_those_of_an_independent_library(seed: int) -> None:
    theilslopes = pytest.importorskip("scipy.stats").theilslopes
    random = np.random.default_rng(seed)
    x = random.integers(0, 40, 25).astype(float)
    y = np.round(0.05 * x + random.normal(0, 1, 25), 1)  # with ties in both
    expected = theilslopes(y, x, alpha=0.95)
    found = theil_sen(x, y)
    assert (found.per_month, found.low, found.high) == pytest.approx(
        (expected.slope, expected.low_slope, expected.high_slope)
    )


def exposure(**known: Any) -> Exposure:
    return Exposure(**dict.fromkeys(Exposure.__dataclass_fields__) | known)


def test_the_deviation_index_is_made_of_index_and_target_where_the_header_lacks_it() -> None:
    assert deviation_index(exposure(deviation_index=-1.5, exposure_index=1.0)) == -1.5
    doubled = deviation_index(exposure(exposure_index=400.0, target_exposure_index=200.0))
    assert doubled == pytest.approx(3.01, abs=0.01)
    assert deviation_index(exposure(exposure_index=400.0)) is None
    assert deviation_index(exposure(exposure_index=0.0, target_exposure_index=200.0)) is None


@pytest.mark.parametrize(
    ("per_day", "words"),
    [(0.06, "DOSE CREEP: +"), (-0.06, "Falling: -"), (0.01, "No trend"), (-0.01, "No trend")],
)
def test_a_trend_is_said_only_where_the_interval_leaves_no_doubt(
    per_day: float, words: str, site: Site
) -> None:
    random = np.random.default_rng(1)
    for day in range(1, 25):
        site.on(day)
        for number in range(4):
            di = per_day * day + float(random.normal(0, 0.5))
            site.exam(f"{day}-{number}", exposure={"deviation_index": di})
    (trend,) = dose_trends(read_exams(site.database, MARCH))
    assert (trend.room, trend.body_part, trend.quantity, trend.images) == ("Room 1", "CHEST", "DI", 96)
    assert trend.slope is not None
    assert trend.slope.low < 30 * per_day < trend.slope.high
    assert trend.words.startswith(words)


def test_few_days_are_no_trend_and_one_bad_day_is_no_creep(site: Site) -> None:
    for day in range(1, 10):
        site.on(day)
        site.exam(f"few-{day}", exposure={"deviation_index": float(day)}, room="Few")
    for day in range(1, 25):
        site.on(day)
        site.exam(
            f"flat-{day}", exposure={"deviation_index": 40.0 if day == 24 else 0.1 * (day % 3)}, room="Flat"
        )
    flat, few = dose_trends(read_exams(site.database, MARCH))
    assert few.slope is None
    assert few.words == "Too few days for a trend: 9 of 10."
    assert flat.words == "No trend can be shown."


def test_without_a_target_the_index_itself_is_followed(site: Site) -> None:
    for day in range(1, 15):
        site.on(day)
        site.exam(f"{day}", exposure={"exposure_index": 200 * 10 ** (day / 100)})
    site.exam("nothing known")
    (trend,) = dose_trends(read_exams(site.database, MARCH))
    assert (trend.quantity, trend.images, trend.share_high) == ("EI", 14, None)
    assert trend.slope is not None
    assert trend.slope.per_month == pytest.approx(3.0)
    assert 230 < trend.median < 240
