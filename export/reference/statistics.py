# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Weights for training, and the estimates of `calibration.statistics` that the recipes quote."""

from __future__ import annotations

import numpy as np

from calibration.probability import Scores, Truth
from calibration.statistics import Estimate, auc, auc_estimate, bootstrap, share_estimate

__all__ = ["Estimate", "auc", "auc_estimate", "balanced_weight", "bootstrap", "share_estimate"]


def balanced_weight(truth: Truth, strata: list[str]) -> Scores:
    """Weights that give both classes the same total inside every stratum.

    A stratum that has one class only teaches nothing but its own identity: weight zero. The largest
    weight is limited to ten times the smallest class's fair share, so that one film cannot dominate.
    """
    weight = np.zeros(len(truth), np.float64)
    for stratum in set(strata):
        inside = np.array([name == stratum for name in strata])
        positive, negative = inside & truth, inside & ~truth
        if positive.any() and negative.any():
            total = inside.sum() / 2
            weight[positive] = min(total / positive.sum(), 10.0)
            weight[negative] = min(total / negative.sum(), 10.0)
            lesser = min(weight[positive].sum(), weight[negative].sum())
            weight[positive] *= lesser / weight[positive].sum()
            weight[negative] *= lesser / weight[negative].sum()
    return weight
