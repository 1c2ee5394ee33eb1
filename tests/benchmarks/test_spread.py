# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from benchmarks.spread import median_ratio, spread_of, thinned


def test_percentiles_of_a_known_ramp() -> None:
    spread = spread_of(range(101))
    assert (spread.n, spread.p50, spread.p95, spread.p99, spread.max) == (101, 50, 95, 99, 100)


def test_nothing_has_no_percentiles() -> None:
    with pytest.raises(ValueError, match="nothing"):
        spread_of([])


def test_a_load_on_one_round_does_not_change_the_ratio() -> None:
    quick = [1.0, 1.0, 10.0, 1.0, 1.0]
    slow = [4.0, 4.0, 40.0, 4.0, 4.0]
    assert median_ratio(slow, quick) == 4.0


def test_unpaired_measurements_are_refused() -> None:
    with pytest.raises(ValueError, match="pairs"):
        median_ratio([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="pairs"):
        median_ratio([], [])


def test_fewer_values_are_kept_and_the_percentiles_stay() -> None:
    spread = thinned(spread_of(range(101)), 10)
    assert spread.values == tuple(float(value) for value in range(0, 101, 11))
    assert (spread.n, spread.p99) == (101, 99)
