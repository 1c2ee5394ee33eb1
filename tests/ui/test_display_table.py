# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.pixels import apply_windowing

from appliance.domain.view import View
from ui.display_table import initial_window, lookup_for, windowed_table

VIEW = View(
    array="p.npy",
    denoised=None,
    table="t.npy",
    stored_low=-32768,
    spacing_mm=None,
    voi=(40.0, 400.0),
    slope=1.0,
    intercept=-1024.0,
)


def test_equal_to_pydicoms_window_on_every_value() -> None:
    header = pydicom.Dataset()
    header.WindowCenter, header.WindowWidth, header.VOILUTFunction = 40.0, 400.0, "LINEAR_EXACT"
    header.BitsStored, header.PixelRepresentation, header.PhotometricInterpretation = 16, 1, "MONOCHROME2"
    header.RescaleSlope, header.RescaleIntercept = 1, -1024
    stored = np.arange(-32768, 32768)
    reference = apply_windowing(stored - 1024.0, header)
    low, high = float(reference.min()), float(reference.max())
    expected = np.rint((reference - low) / (high - low) * 255)
    assert np.abs(windowed_table(VIEW, (40.0, 400.0)).astype(int) - expected).max() <= 1


def test_inverted_shows_low_values_bright() -> None:
    straight, inverted = (
        windowed_table(VIEW, (0, 100)),
        windowed_table(replace(VIEW, inverted=True), (0, 100)),
    )
    assert np.abs(straight.astype(int) + inverted - 255).max() <= 1
    assert inverted[0] == 255


def test_the_window_is_found_in_a_table_without_one() -> None:
    view = replace(VIEW, voi=None)
    for inverted in (False, True):
        table = windowed_table(replace(view, inverted=inverted), (40.0, 400.0))
        center, width = initial_window(view, table)
        assert center == pytest.approx(40, abs=3)
        assert width == pytest.approx(384, abs=6)  # 2 % of the grey levels are cut off at each end
    assert initial_window(VIEW, windowed_table(VIEW, (1.0, 2.0))) == (40.0, 400.0)


def test_a_flat_table_still_has_a_window() -> None:
    assert initial_window(replace(VIEW, voi=None), np.zeros(65536, np.uint8))[1] > 0


@given(
    st.sampled_from(["uint8", "uint16", "int16"]),
    st.integers(-32768, 32767),
    st.integers(-32768, 65535),
)
def test_looking_up_by_bits_is_looking_up_by_value(kind: str, low: int, value: int) -> None:
    dtype: np.dtype[Any] = np.dtype(kind)
    limits = np.iinfo(dtype)
    stored = np.array([min(max(value, limits.min), limits.max)], dtype)
    table = np.random.default_rng(0).integers(0, 256, 65536).astype(np.uint8)
    bits = stored if kind == "uint8" else stored.view(np.uint16)
    expected = table[min(max(int(stored[0]) - low, 0), 65535)]
    assert lookup_for(dtype, table, low)[0, bits[0]] == expected
