# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The numbers on a card are computed as they are named."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy")

from export.reference.statistics import (
    auc,
    auc_estimate,
    balanced_weight,
    cross_fitted_calls,
    operating_points,
    platt,
)


def scores(seed: int = 1, count: int = 600) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    truth = random.random(count) < 0.4
    return random.standard_normal(count) + 1.2 * truth, truth


def test_auc_is_the_share_of_ordered_pairs_and_ties_count_half() -> None:
    score, truth = np.array([0.1, 0.4, 0.4, 0.8]), np.array([False, False, True, True])
    assert auc(score, truth) == pytest.approx((1 + 1 + 0.5 + 1) / 4)
    assert np.isnan(auc(score, np.zeros(4, bool)))


def test_the_interval_widens_when_films_of_a_patient_repeat() -> None:
    score, truth = scores(count=120)
    alone = auc_estimate(score, truth, [str(index) for index in range(120)])
    fourfold = auc_estimate(np.tile(score, 4), np.tile(truth, 4), [str(index % 120) for index in range(480)])
    assert alone.low < alone.value < alone.high
    assert (fourfold.high - fourfold.low) == pytest.approx(alone.high - alone.low, rel=0.2)


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


def test_platt_recovers_a_known_calibration() -> None:
    random = np.random.default_rng(3)
    logit = random.standard_normal(20000) * 2
    truth = random.random(20000) < 1 / (1 + np.exp(-(0.5 * logit - 0.3)))
    fitted = platt(logit, truth, np.ones(20000))
    assert fitted.scale == pytest.approx(0.5, abs=0.04)
    assert fitted.shift == pytest.approx(-0.3, abs=0.06)


def test_a_source_with_one_class_teaches_nothing_and_others_are_balanced() -> None:
    truth = np.array([True] * 5 + [True] * 3 + [False] * 9)
    strata = ["only sick"] * 5 + ["both"] * 12
    weight = balanced_weight(truth, strata)
    assert not weight[:5].any()
    assert weight[5:8].sum() == pytest.approx(weight[8:].sum())
