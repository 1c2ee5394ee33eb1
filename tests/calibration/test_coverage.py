# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What is cut off by activation ranges, counted on a graph whose values are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from appliance.errors import InputError
from calibration.coverage import AGE_BANDS, band_words, clipping
from tests.tiny_bundles import halving_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """`denoised` is half of `slice`."""
    onnx.save(halving_model(), tmp_path / "model.onnx")
    return tmp_path / "model.onnx"


def test_the_share_beyond_a_range_is_counted(model: Path) -> None:
    values = np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4) * 2  # halved: 0..15
    shares = clipping(model, [{"slice": values}, {"slice": values - 100}], {"denoised": (0.0, 11.0)})
    assert shares == {"denoised": pytest.approx((4 + 16) / 32)}


def test_a_tensor_that_is_not_there_is_named(model: Path) -> None:
    with pytest.raises(InputError, match="no tensor \\['gone'\\]"):
        clipping(model, [], {"gone": (0.0, 1.0)})


def test_no_image_is_no_clean_result(model: Path) -> None:
    with pytest.raises(InputError, match="no image"):
        clipping(model, [], {"denoised": (0.0, 1.0)})


def test_bands_in_words() -> None:
    assert band_words(17.99, AGE_BANDS, "years") == "0-18 years"
    assert band_words(90.0, AGE_BANDS, "years") == "60 years and over"
    assert band_words(None, AGE_BANDS, "years") == "unknown"
