# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The observers find what is known: no loss in what does nothing, blur in a blur, theory in white noise."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from export.reference.denoiser_observer import (
    BLUR_PX,
    SIDE_PX,
    detectability,
    disc,
    drawn_body,
    drawn_noise,
    edge_sharpness,
    frequency_at_half,
    mean_frequency,
    noise_spectrum,
    peak_frequency,
)

CENTRE = ((SIDE_PX - 1) / 2, (SIDE_PX - 1) / 2)


def white(count: int = 16, seed: int = 0) -> np.ndarray:
    drawn = np.random.default_rng(seed).normal(0, 20, (count, SIDE_PX, SIDE_PX))
    return np.asarray(drawn, np.float32)


def blur(image: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 1.5), np.float32)


@pytest.mark.parametrize("sigma_px", [1.0, 1.5, 2.0])
def test_the_ttf_of_a_gaussian_is_that_of_theory(sigma_px: float) -> None:
    image = cv2.GaussianBlur(disc(CENTRE, 40.0), (0, 0), sigma_px)
    total = np.hypot(sigma_px, BLUR_PX)
    wanted = np.sqrt(np.log(2) / 2) / (np.pi * total)
    assert frequency_at_half(np.asarray(image, np.float32), CENTRE, 40.0) == pytest.approx(wanted, rel=0.08)


def test_an_edge_is_as_sharp_as_before_where_nothing_is_done_and_blunter_after_a_blur() -> None:
    plain = edge_sharpness(lambda image: image, white(), 400.0)
    assert plain[0].after == pytest.approx(plain[0].before, rel=0.05)
    assert len(plain) == 17
    blunt = edge_sharpness(blur, white(), 400.0)[0]
    assert blunt.after < 0.6 * blunt.before


def test_in_white_noise_an_observer_reaches_the_detectability_of_theory() -> None:
    found = detectability(lambda image: image, white(24), diameter_px=8.0, contrast_hu=8.0)[0]
    theory = 8.0 * float(np.sqrt(np.square(disc(CENTRE, 8.0)).sum())) / 20.0
    assert found.npw_before == pytest.approx(theory, rel=0.12)
    assert found.cho_before == pytest.approx(theory, rel=0.12)
    assert (found.cho_after, found.npw_after) == (found.cho_before, found.npw_before)
    assert found.contrast_kept == pytest.approx(1.0)
    assert found.cnr_before == pytest.approx(8.0 / 20.0, rel=0.15), "its blurred border is part of it"


def test_a_denoiser_that_erases_faint_discs_is_found_out() -> None:
    """It lowers the noise tenfold, and what lies in it with it."""

    def flatten(image: np.ndarray) -> np.ndarray:
        return np.asarray(image - 0.9 * np.clip(image - drawn_body(), -30, 30), np.float32)

    found = detectability(flatten, white(16), diameter_px=8.0, contrast_hu=12.0)[0]
    assert found.contrast_kept < 0.3
    assert found.cho_after < found.cho_before


def test_white_noise_has_a_flat_spectrum_and_a_blur_moves_it_down() -> None:
    flat = noise_spectrum(white())
    assert flat[1:] == pytest.approx(np.full(15, 400.0), rel=0.1)
    slow = noise_spectrum(np.stack([blur(one) for one in white()]))
    assert mean_frequency(slow) < 0.5 * mean_frequency(flat)
    assert peak_frequency(slow) < 0.1


def test_the_sharp_kernel_is_finer_than_the_smooth_one() -> None:
    smooth, sharp = (noise_spectrum(drawn_noise(kernel, count=4)) for kernel in ("smooth", "sharp"))
    assert 0.1 < peak_frequency(smooth) < 0.25 < peak_frequency(sharp)
