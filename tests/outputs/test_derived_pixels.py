# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""New pixels in the original's integers, and how much they differ, in words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from appliance.domain.image import PixelImage
from appliance.outputs.derived_pixels import stored_values, strength_of


def test_the_strength_is_told_in_numbers(
    ct_file: Callable[..., Path], pixels_of: Callable[[Path], PixelImage]
) -> None:
    image = pixels_of(ct_file(0, RescaleSlope=2))
    stored = image.stored.copy()
    stored[:32] += 5
    stored[0, 0] += 15
    changed = np.array(stored.astype(float) - image.stored) * 2
    expected = f"changed by {np.sqrt((changed**2).mean()):.1f} HU root mean square and 40 HU at most"
    assert strength_of(image, stored) == expected
    assert strength_of(image, image.stored) == "changed by 0.0 HU root mean square and 0 HU at most"


@pytest.mark.parametrize("dtype", [np.uint16, np.int16])
@pytest.mark.parametrize(("slope", "intercept"), [(1.0, -1024.0), (0.5, -1000.0), (2.0, 0.0)])
@pytest.mark.parametrize("inverted", [False, True])
def test_stored_values_are_the_nearest_ones_and_unchanged_pixels_keep_theirs(
    dtype: type[np.generic], slope: float, intercept: float, inverted: bool
) -> None:
    low, high = (0, 4095) if dtype is np.uint16 else (-2048, 2047)
    stored = np.random.default_rng(0).integers(low, high + 1, (40, 40)).astype(dtype)
    image = PixelImage(
        stored=stored,
        slope=slope,
        intercept=intercept,
        inverted=inverted,
        stored_range=(low, high),
        padding=None,
        voi=None,
        spacing_mm=None,
        rescale_type=None,
    )
    np.testing.assert_array_equal(stored_values(image, image.grey()), stored)
    changed = np.asarray(image.grey()).copy()
    changed[10:20] += np.float32(slope * 7.4)
    changed[20] = np.float32(1e9)
    changed[21] = np.float32(-1e9)
    made = stored_values(image, changed)
    step = -7 if inverted else 7
    np.testing.assert_array_equal(made[10:20], np.clip(stored[10:20].astype(int) + step, low, high))
    assert set(np.unique(made[20:22])) == {low, high}
    np.testing.assert_array_equal(made[22:], stored[22:])
    assert made.dtype == dtype
