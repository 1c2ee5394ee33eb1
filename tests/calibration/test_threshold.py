# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Operating points reach what they promise, on images that did not choose them."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy")

from calibration.threshold import cross_fitted_calls, operating_points


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
