# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Intervals against published examples and against formulas written down a second time."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy")
pytest.importorskip("confidenceinterval")

from calibration.statistics import auc, auc_estimate, bootstrap, delong, delong_difference, share, wilson


def scores(seed: int = 1, count: int = 600) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    truth = random.random(count) < 0.4
    return random.standard_normal(count) + 1.2 * truth, truth


def placements(score: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each positive's share of negatives below it, and each negative's of positives above (DeLong 1988)."""
    order = score[truth][:, None] - score[~truth][None, :]
    won = (order > 0) + 0.5 * (order == 0)
    return won.mean(axis=1), won.mean(axis=0)


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_published_examples(hits: int, n: int, low: float, high: float) -> None:
    """Newcombe, Statistics in Medicine 1998, table I, method 3."""
    found = wilson(hits, n)
    assert found.value == hits / n
    assert found.low == pytest.approx(low, abs=5e-5)
    assert found.high == pytest.approx(high, abs=5e-5)


def test_a_share_of_nothing_is_unknown() -> None:
    assert np.isnan(wilson(0, 0).value)
    assert share(np.array([True, False])).n == 2


def test_delong_is_the_variance_of_the_placements() -> None:
    score, truth = scores(count=300)
    score = np.round(score, 1)  # with ties
    of_positives, of_negatives = placements(score, truth)
    variance = of_positives.var(ddof=1) / len(of_positives) + of_negatives.var(ddof=1) / len(of_negatives)
    found = delong(score, truth)
    assert found.value == pytest.approx(of_positives.mean(), abs=1e-12)
    assert found.high - found.low == pytest.approx(2 * 1.959964 * np.sqrt(variance), rel=1e-5)


def test_the_paired_interval_is_that_of_the_difference_of_placements() -> None:
    first, truth = scores(count=300)
    second = first + np.random.default_rng(9).normal(0, 0.3, 300)
    one, two = placements(first, truth), placements(second, truth)
    variance = sum((late - early).var(ddof=1) / len(early) for early, late in zip(one, two, strict=True))
    found = delong_difference(first, second, truth)
    assert found.value == pytest.approx(auc(second, truth) - auc(first, truth))
    assert found.high - found.low == pytest.approx(2 * 1.959964 * np.sqrt(variance), rel=1e-4)
    assert found.high - found.low < 0.6 * (delong(first, truth).high - delong(first, truth).low)


def test_delong_and_resampled_groups_agree_where_images_are_independent() -> None:
    score, truth = scores(count=400)
    formula = delong(score, truth)
    resampled = auc_estimate(score, truth, [str(index) for index in range(400)])
    assert resampled.value == pytest.approx(formula.value)
    assert resampled.high - resampled.low == pytest.approx(formula.high - formula.low, rel=0.15)


def test_an_interval_stays_inside_what_an_auc_can_be_and_is_unknown_for_one_image() -> None:
    truth = np.array([True] * 3 + [False] * 3)
    perfect = delong(np.arange(6.0)[::-1], truth)
    assert (perfect.value, perfect.low, perfect.high) == (1.0, 1.0, 1.0)
    lonely = delong(np.arange(4.0), np.array([False, False, False, True]))
    assert lonely.value == 1.0
    assert np.isnan(lonely.low)
    assert np.isnan(delong_difference(np.arange(3.0), np.arange(3.0), np.ones(3, bool)).value)


def test_a_measure_that_is_never_known_has_no_interval() -> None:
    found = bootstrap(lambda _: float("nan"), ["a", "b"])
    assert np.isnan(found.low)
    assert np.isnan(found.high)
