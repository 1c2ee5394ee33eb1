# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A slice is padded by what lies at its own border, and holds nothing that is no number."""

from __future__ import annotations

import numpy as np

from appliance.tasks.slice_tensor import HIGHEST_HU, LOWEST_HU, slice_tensor


def test_the_border_is_mirrored_up_to_the_multiple() -> None:
    grey = np.arange(12, dtype=np.float32).reshape(3, 4)
    tensor = slice_tensor(grey, multiple_of_px=5)
    assert tensor.dtype == np.float32
    assert tensor.shape == (1, 1, 5, 5)
    np.testing.assert_array_equal(tensor[0, 0, :, 0], [0, 4, 8, 8, 4])
    np.testing.assert_array_equal(tensor[0, 0, 0], [0, 1, 2, 3, 3])


def test_a_slice_that_fits_is_left_as_it_is() -> None:
    grey = np.arange(16, dtype=np.float32).reshape(4, 4)
    np.testing.assert_array_equal(slice_tensor(grey, multiple_of_px=4)[0, 0], grey)


def test_what_is_no_number_becomes_air_or_the_densest_value() -> None:
    grey = np.array([[np.nan, np.inf], [-np.inf, 40.0]], np.float32)
    np.testing.assert_array_equal(
        slice_tensor(grey, multiple_of_px=1)[0, 0], [[LOWEST_HU, HIGHEST_HU], [LOWEST_HU, 40.0]]
    )
