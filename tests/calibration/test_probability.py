# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A calibrated probability means what it says."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy")

from calibration.probability import platt


def scores(seed: int = 1, count: int = 600) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    truth = random.random(count) < 0.4
    return random.standard_normal(count) + 1.2 * truth, truth


def test_platt_recovers_a_known_calibration() -> None:
    random = np.random.default_rng(3)
    logit = random.standard_normal(20000) * 2
    truth = random.random(20000) < 1 / (1 + np.exp(-(0.5 * logit - 0.3)))
    fitted = platt(logit, truth, np.ones(20000))
    assert fitted.scale == pytest.approx(0.5, abs=0.04)
    assert fitted.shift == pytest.approx(-0.3, abs=0.06)
