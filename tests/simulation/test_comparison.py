# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np
import pytest

from appliance.simulation.arrivals import Arrivals
from appliance.simulation.comparison import (
    BY_SCORE,
    EVERYBODY,
    FIRST_COME,
    FLAGGED,
    MISSED,
    NOT_FLAGGED,
    Comparison,
    compare,
    fair,
)
from appliance.simulation.department import EMERGENCY, draw
from appliance.simulation.readers import Readers

READERS = Readers(by_hour=(1,) * 24, reading_min=10, reading_spread=0)


def four(_random: np.random.Generator) -> Arrivals:
    """A flagged fracture comes last; one was missed, and one has something that nobody looks for."""
    return Arrivals(
        arrived_s=np.array([0.0, 60.0, 120.0, 180.0]),
        is_stat=np.zeros(4, dtype=np.bool_),
        is_alarm=np.zeros(4, dtype=np.bool_),
        harm_rate=np.array([0.0, 0.0, 0.0, 0.9]),
        present=np.array([[0, 0], [1, 0], [0, 1], [1, 0]], dtype=np.bool_),
        findings=("Fracture", "Other"),
        looked_for=(True, False),
    )


def invented(seed: int = 5, runs: int = 3) -> Comparison:
    return compare(
        lambda random: draw(EMERGENCY, 2000, random),
        source="x",
        readers=EMERGENCY.readers,
        orders=(FIRST_COME, BY_SCORE, fair(45)),
        runs=runs,
        seed=seed,
    )


def test_groups_are_who_they_say() -> None:
    found = compare(four, source="x", readers=READERS, orders=(FIRST_COME, BY_SCORE), runs=1, seed=1)
    first, score = found.orders
    assert {group.group: group.exams for group in first.groups} == {
        "Fracture": 2,
        "Other": 1,
        MISSED: 1,
        FLAGGED: 1,
        NOT_FLAGGED: 3,
        EVERYBODY: 4,
    }
    assert {group.group: group.is_looked_for for group in first.groups}["Other"] is False
    assert first.group("Fracture").mean_min.value == pytest.approx((9 + 27) / 2)
    assert score.group("Fracture").mean_min.value == pytest.approx((19 + 7) / 2)
    assert score.group(MISSED).worst_min.value == pytest.approx(19)
    assert score.group("Other").longest_min == pytest.approx(28)
    assert first.group(EVERYBODY).p95_min.value == pytest.approx(np.percentile([0, 9, 18, 27], 95))
    assert first.group(EVERYBODY).curve_min[0] == 0
    assert first.group(EVERYBODY).mean_min.low is None, "one run has no interval"


def test_the_same_seed_gives_the_same_numbers_and_another_one_others() -> None:
    assert invented() == invented()
    assert invented(seed=6) != invented()


def test_intervals_hold_their_value_and_shrink_with_runs() -> None:
    few, many = (invented(runs=runs).orders[0].group(EVERYBODY).mean_min for runs in (3, 24))
    for estimate in (few, many):
        assert estimate.low is not None
        assert estimate.high is not None
        assert estimate.low < estimate.value < estimate.high
    assert many.high is not None
    assert many.low is not None
    assert few.high is not None
    assert few.low is not None
    assert many.high - many.low < few.high - few.low


def test_a_finding_that_never_came_has_no_line() -> None:
    def none_there(random: np.random.Generator) -> Arrivals:
        found = four(random)
        return Arrivals(
            arrived_s=found.arrived_s,
            is_stat=found.is_stat,
            is_alarm=found.is_alarm,
            harm_rate=found.harm_rate,
            present=np.zeros((4, 2), dtype=np.bool_),
            findings=found.findings,
            looked_for=found.looked_for,
        )

    found = compare(none_there, source="x", readers=READERS, orders=(FIRST_COME,), runs=2, seed=1)
    assert [group.group for group in found.orders[0].groups] == [FLAGGED, NOT_FLAGGED, EVERYBODY]
