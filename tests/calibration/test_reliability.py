# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Calibration error is small where probabilities are true, and as large as they are wrong."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy")
pytest.importorskip("sklearn")
pytest.importorskip("confidenceinterval")

from scipy.special import expit
from sklearn.calibration import calibration_curve

from calibration.probability import isotonic
from calibration.reliability import compare_methods, error_estimate, expected_calibration_error, reliability


def honest(count: int = 4000, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    probability = random.random(count)
    return probability, random.random(count) < probability


def test_true_probabilities_have_a_small_error_and_wrong_ones_their_distance() -> None:
    probability, truth = honest()
    assert expected_calibration_error(probability, truth) < 0.03
    always = np.full(4000, 0.95)
    assert expected_calibration_error(always, truth) == pytest.approx(0.95 - truth.mean())
    assert np.isnan(expected_calibration_error(np.empty(0), np.empty(0, bool)))


def test_the_error_is_the_weighted_mean_of_the_librarys_curve() -> None:
    probability, truth = honest(500)
    probability = probability**2
    observed, predicted = calibration_curve(truth, probability, n_bins=10, strategy="uniform")
    counts = np.bincount(np.minimum((probability * 10).astype(int), 9), minlength=10)
    assert (counts > 0).all()
    wanted = float((np.abs(observed - predicted) * counts).sum() / counts.sum())
    assert expected_calibration_error(probability, truth) == pytest.approx(wanted)
    bins = reliability(probability, truth)
    assert [item.observed.value for item in bins] == pytest.approx(observed.tolist())
    assert [item.n for item in bins] == counts.tolist()


def test_weights_count_as_repeated_images_do() -> None:
    probability, truth = honest(300)
    weight = np.where(truth, 3.0, 1.0)
    repeated = np.repeat(np.arange(300), weight.astype(int))
    assert expected_calibration_error(probability, truth, weight) == pytest.approx(
        expected_calibration_error(probability[repeated], truth[repeated])
    )


def test_the_interval_holds_the_value() -> None:
    probability, truth = honest(400)
    found = error_estimate(probability**3, truth, [str(index // 2) for index in range(400)])
    assert found.low < found.value < found.high
    truth = np.arange(40) % 2 == 0
    exact = error_estimate(np.full(40, 0.5), truth, [str(index) for index in range(40)])
    assert (exact.low, exact.value) == (0.0, 0.0)  # every resample is off by more than the set itself


def test_an_empty_bin_is_unknown() -> None:
    bins = reliability(np.array([0.05, 1.0]), np.array([False, True]))
    assert bins[4].mean_probability is None
    assert np.isnan(bins[4].observed.value)
    assert bins[9].n == 1


def test_methods_are_judged_on_folds_that_they_did_not_see() -> None:
    random = np.random.default_rng(7)
    logit = random.normal(0, 2, 1500)
    truth = random.random(1500) < expit(0.4 * logit - 1.0)
    found = {
        quality.method: quality
        for quality in compare_methods(
            logit, truth, np.ones(1500), [str(index) for index in range(1500)], np.arange(1500) % 5
        )
    }
    raw = expected_calibration_error(expit(logit), truth)
    assert found["platt"].error.value < 0.05 < raw
    assert found["isotonic"].error.value < 0.06
    assert found["temperature"].error.value > 2 * found["platt"].error.value  # it has no shift
    assert [name for name, quality in found.items() if quality.fits_on_card] == ["platt", "temperature"]


def test_a_staircase_fitted_to_chance_does_not_look_calibrated() -> None:
    """Judged on the images that fitted it, isotonic regression has no error at all."""
    random = np.random.default_rng(11)
    logit, truth, weight = random.standard_normal(200), random.random(200) < 0.5, np.ones(200)
    inside = isotonic(logit, truth, weight).probability(logit)
    assert expected_calibration_error(inside, truth) < 1e-6
    (judged,) = (
        quality
        for quality in compare_methods(logit, truth, weight, ["a", "b"] * 100, np.arange(200) % 5)
        if quality.method == "isotonic"
    )
    assert judged.error.value > 0.03
