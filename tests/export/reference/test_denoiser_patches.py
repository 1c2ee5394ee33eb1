# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What the denoiser is taught: added noise over a slice, or all the noise over a nearly clean one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")

from export.reference.ct_slices import Slice, SliceSet
from export.reference.denoiser_patches import (
    ANY_DOSE,
    KEPT_OF_QUARTER_DOSE,
    PATCH_PX,
    SHARP_NOISE_HU,
    SMOOTH_NOISE_HU,
    Mixture,
    draw_patch,
    noise_scale_hu,
)

SIDE_PX = 320


@pytest.fixture(scope="module")
def data() -> SliceSet:
    random = np.random.default_rng(1)
    hu = np.full((2, SIDE_PX, SIDE_PX), 50, np.int16)
    hu[1] = 2000  # of a patient kept aside
    return SliceSet(
        slices=tuple(
            Slice(
                file=name,
                patient=name,
                spacing_mm=0.7,
                own_noise_hu=10.0,
                held_out=name == "b",
                blurs_px=(0.7, 0.0),
            )
            for name in "ab"
        ),
        hu=hu,
        noise=random.standard_normal((2, 2, SIDE_PX, SIDE_PX)).astype(np.float16),
    )


@pytest.mark.parametrize(
    ("blur_px", "met_hu"), [(0.2, SHARP_NOISE_HU), (0.8, SMOOTH_NOISE_HU)], ids=["sharp", "smooth"]
)
def test_of_the_whole_noise_the_share_of_the_routine_dose_stays(
    data: SliceSet, blur_px: float, met_hu: tuple[float, float]
) -> None:
    mixture = Mixture(doses=ANY_DOSE, whole_noise_share=1.0)
    one_kernel = replace(
        data, slices=tuple(replace(item, blurs_px=(blur_px, blur_px)) for item in data.slices)
    )
    random = np.random.default_rng(2)
    levels = []
    for _ in range(60):
        patch = draw_patch(one_kernel, [0], random, mixture)
        assert patch.low.shape == patch.target.shape == (PATCH_PX, PATCH_PX)
        noise, kept = patch.low - 50.0, patch.target - 50.0
        np.testing.assert_allclose(kept, KEPT_OF_QUARTER_DOSE * noise, atol=0.02)
        assert patch.level_hu == pytest.approx(float((noise - kept).std()), rel=0.05)
        levels.append(float(noise.std()))
    low, high = met_hu
    assert low * 0.9 < min(levels) < low * 1.5
    assert high * 0.7 < max(levels) < high * 1.1


def test_added_noise_leaves_the_target_as_it_was(data: SliceSet) -> None:
    mixture = Mixture(doses=ANY_DOSE, whole_noise_share=0.0)
    random = np.random.default_rng(3)
    for _ in range(30):
        patch = draw_patch(data, [0], random, mixture)
        np.testing.assert_allclose(patch.target, 50.0, atol=1e-3)
        assert float((patch.low - patch.target).std()) == pytest.approx(patch.level_hu, rel=0.05, abs=0.05)


def test_only_usable_slices_are_drawn(data: SliceSet) -> None:
    mixture = Mixture(doses=None, whole_noise_share=0.5)
    random = np.random.default_rng(4)
    assert all(draw_patch(data, [0], random, mixture).target.mean() < 300 for _ in range(40))


@pytest.mark.parametrize(
    ("doses", "least_hu"),
    [(ANY_DOSE, 8.5), ((0.2, 0.32), 14.0)],
    ids=["any", "quarter"],
)
def test_a_low_dose_adds_what_its_share_of_the_dose_would_and_sometimes_nothing(
    doses: tuple[float, float], least_hu: float
) -> None:
    random = np.random.default_rng(5)
    drawn = np.array([noise_scale_hu(10.0, random, doses=doses) for _ in range(2000)])
    assert 0.03 < (drawn < 3.0).mean() < 0.08
    usual = drawn[drawn >= 3.0]
    assert np.percentile(usual, 5) == pytest.approx(least_hu, abs=1.5)
    assert usual.max() <= 70.0
