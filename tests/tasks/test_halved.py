# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Means of a halved frame are those of the frame that linear interpolation makes of it."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.tasks.halved import area_mean_of_halved
from appliance.tasks.letterbox import area_mean


@pytest.mark.parametrize(
    ("whole_px", "halvings", "small_px"),
    [((96, 80), 1, (20, 17)), ((97, 81), 1, (31, 26)), ((203, 161), 2, (40, 32)), ((64, 64), 3, (8, 8))],
)
def test_it_is_the_area_mean_of_the_interpolated_frame(
    whole_px: tuple[int, int], halvings: int, small_px: tuple[int, int]
) -> None:
    step = 2**halvings
    samples = tuple(-(-side // step) for side in whole_px)
    values = np.random.default_rng(7).integers(0, 16384, samples).astype(np.uint16)
    whole = values.astype(np.float64)
    for axis, pixels in enumerate(whole_px):
        at = np.arange(pixels) / step  # behind the last sample np.interp keeps its value
        places = np.arange(samples[axis])
        whole = np.apply_along_axis(
            lambda line, at=at, places=places: np.interp(at, places, line), axis, whole
        )
    expected = area_mean(whole.astype(np.float32), rows=small_px[0], columns=small_px[1])
    found = area_mean_of_halved(values, halvings=halvings, whole_px=whole_px, small_px=small_px)
    assert found.dtype == np.float32
    assert np.abs(found - expected).max() < 0.02  # of 16384: float32 sums
