# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import pytest

from appliance.monitor.reports.share import in_words, percentile, share


@pytest.mark.parametrize(("hits", "n"), [(0, 10), (1, 10), (10, 10), (11, 155), (400, 1000), (1, 1)])
def test_the_interval_is_that_of_an_independent_library(hits: int, n: int) -> None:
    binomtest = pytest.importorskip("scipy.stats").binomtest
    expected = binomtest(hits, n).proportion_ci(confidence_level=0.95, method="wilson")
    found = share(hits, n)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_of_nothing_nothing_is_known() -> None:
    nothing = share(0, 0)
    assert (nothing.value, nothing.low, nothing.high) == (None, None, None)
    assert in_words(nothing) == "not known"
    assert in_words(share(11, 155)) == "7.1 % (4.0 to 12.3), 11 of 155"


def test_a_percentile_is_a_value_that_was_there() -> None:
    assert percentile([], 50) is None
    assert percentile([3, 1, 2], 50) == 2
    assert percentile(list(range(1, 101)), 95) == 95
    assert percentile([7], 95) == 7
