# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The numbers on a card are computed as they are named."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy")
pytest.importorskip("confidenceinterval")

from export.reference.statistics import (
    auc,
    auc_estimate,
    balanced_weight,
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


def test_a_source_with_one_class_teaches_nothing_and_others_are_balanced() -> None:
    truth = np.array([True] * 5 + [True] * 3 + [False] * 9)
    strata = ["only sick"] * 5 + ["both"] * 12
    weight = balanced_weight(truth, strata)
    assert not weight[:5].any()
    assert weight[5:8].sum() == pytest.approx(weight[8:].sum())
