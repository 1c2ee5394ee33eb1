# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Operating points reach what they promise, on images that did not choose them."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy")
pytest.importorskip("sklearn")
pytest.importorskip("confidenceinterval")

from appliance.domain.finding import Code
from appliance.errors import InputError
from calibration.probability import Calibration
from calibration.threshold import calibrated_label, card_label, cross_fitted_calls, operating_points

CODE = Code(value="60046008", scheme="SCT", meaning="Pleural effusion")


def scores(seed: int = 1, count: int = 600) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    truth = random.random(count) < 0.4
    return random.standard_normal(count) + 1.2 * truth, truth


def test_operating_points_reach_their_targets() -> None:
    score, truth = scores()
    sensitive, specific = operating_points(score, truth)
    assert sensitive < specific
    assert (score[truth] >= sensitive).mean() >= 0.9
    assert (score[~truth] < specific).mean() >= 0.9


def test_calls_of_a_fold_do_not_use_its_own_scores() -> None:
    score, truth = scores()
    fold = np.arange(600) % 5
    before, _ = cross_fitted_calls(score, truth, fold)
    moved = np.where(fold == 0, score + 100.0, score)
    after, _ = cross_fitted_calls(moved, truth, fold)
    assert after[fold == 0].all()
    assert 0.8 < before[truth].mean() < 0.97


def test_a_label_carries_calibration_and_thresholds_together() -> None:
    score, truth = scores()
    half = np.arange(600) < 300
    found = calibrated_label(
        CODE,
        score,
        truth,
        np.arange(600) % 5,
        groups=[str(index) for index in range(600)],
        strata={"view PA": half, "view AP": np.arange(600) >= 590},
    )
    label = found.label
    assert (label.name, found.method) == ("Pleural effusion", "platt")
    calibrated = Calibration(scale=label.scale, shift=label.shift).probability(score)
    assert (calibrated[truth] >= label.sensitive_threshold).mean() >= 0.9
    assert (calibrated[~truth] < label.specific_threshold).mean() >= 0.9
    sensitive, specific = found.points
    assert sensitive.sensitivity.value == pytest.approx(0.9, abs=0.05)
    assert specific.specificity.value == pytest.approx(0.9, abs=0.05)
    assert sensitive.sensitivity.low < sensitive.sensitivity.value < sensitive.sensitivity.high
    large, small = sensitive.strata
    assert large.sensitivity is not None
    assert large.positives == (half & truth).sum()
    assert (small.sensitivity, small.specificity) == (None, None)
    assert {quality.method for quality in found.methods} == {"platt", "temperature", "isotonic"}


def test_rounding_never_costs_a_call() -> None:
    label = card_label(CODE, Calibration(scale=1.0, shift=0.0), 0.123456, 0.654321)
    assert (label.sensitive_threshold, label.specific_threshold) == (0.1234, 0.6544)
    close = card_label(CODE, Calibration(scale=1.0, shift=0.0), 0.99999, 1.0)
    assert close.sensitive_threshold <= close.specific_threshold <= 1.0


def test_what_does_not_fit_on_a_card_or_cannot_be_chosen_is_refused() -> None:
    score, truth = scores()
    fold, groups = np.arange(600) % 5, ["a"] * 600
    with pytest.raises(InputError, match="does not fit on a card"):
        calibrated_label(CODE, score, truth, fold, groups=groups, method="isotonic")
    with pytest.raises(InputError, match="of one class"):
        calibrated_label(CODE, score, truth, truth.astype(np.int64), groups=groups)
