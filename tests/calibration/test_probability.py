# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A calibrated probability means what it says."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy")
pytest.importorskip("sklearn")

from calibration.probability import isotonic, platt, temperature


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


def test_temperature_recovers_a_known_scale() -> None:
    random = np.random.default_rng(4)
    logit = random.standard_normal(20000) * 3
    truth = random.random(20000) < 1 / (1 + np.exp(-logit / 2.5))
    fitted = temperature(logit, truth, np.ones(20000))
    assert fitted.scale == pytest.approx(0.4, abs=0.02)
    assert fitted.shift == 0.0


def test_isotonic_is_a_rising_staircase_through_the_shares() -> None:
    logit = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
    truth = np.array([False, True, False, True, True, True])
    fitted = isotonic(logit, truth, np.ones(6))
    assert fitted.probability(np.array([-9.0, 1.5, 9.0])).tolist() == [0.0, 0.5, 1.0]
    assert (np.diff(fitted.probability(np.linspace(-1, 6, 50))) >= 0).all()
