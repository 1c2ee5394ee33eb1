# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The square a network sees: its grey values, its place in the frame, and the way back."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.domain.image import PixelImage
from appliance.tasks.letterbox import area_mean, letterbox


def image(
    stored: NDArray[np.generic], *, inverted: bool = False, padding: tuple[int, int] | None = None
) -> PixelImage:
    stored.flags.writeable = False
    return PixelImage(
        stored=stored,
        slope=1.0,
        intercept=0.0,
        inverted=inverted,
        stored_range=(0, 16383),
        padding=padding,
        voi=None,
        spacing_mm=None,
        rescale_type=None,
    )


def exact_mean(values: NDArray[np.generic], *, rows: int, columns: int) -> NDArray[np.float64]:
    """The definition, in exact fractions: every output pixel is the mean of the area that it covers."""

    def weights(size: int, out: int) -> NDArray[np.float64]:
        matrix = np.zeros((out, size))
        for i in range(out):
            for j in range(size):
                low = max(Fraction(i * size, out), Fraction(j))
                high = min(Fraction((i + 1) * size, out), Fraction(j + 1))
                matrix[i, j] = float(max(Fraction(0), high - low) / Fraction(size, out))
        return matrix

    return weights(values.shape[0], rows) @ values.astype(np.float64) @ weights(values.shape[1], columns).T


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int16, np.int32, np.float32])
@pytest.mark.parametrize(
    "size", [((37, 53), (11, 16)), ((40, 30), (40, 30)), ((41, 30), (40, 29)), ((9, 9), (1, 1))]
)
def test_area_mean_is_the_mean_over_the_area(
    dtype: type[np.generic], size: tuple[tuple[int, int], tuple[int, int]]
) -> None:
    (rows_in, columns_in), (rows, columns) = size
    low, high = (0, 250) if dtype is np.uint8 else (-120, 120) if dtype is np.int8 else (0, 16000)
    values = np.random.default_rng(1).integers(low, high, (rows_in, columns_in)).astype(dtype)
    mean = area_mean(values, rows=rows, columns=columns)
    assert mean.dtype == np.float32
    np.testing.assert_allclose(mean, exact_mean(values, rows=rows, columns=columns), rtol=2e-6, atol=2e-3)


def test_a_large_radiograph_agrees_with_area_resizing_of_floats() -> None:
    values = np.random.default_rng(2).integers(0, 16384, (1013, 1250), dtype=np.uint16)
    expected = cv2.resize(values.astype(np.float32), (320, 259), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(area_mean(values, rows=259, columns=320), expected, rtol=0, atol=0.02)


@pytest.mark.parametrize("shape", [(250, 300), (300, 250), (640, 100), (50, 40), (320, 320), (1000, 3)])
def test_the_frame_is_centred_on_zeros_and_aspect_is_kept(shape: tuple[int, int]) -> None:
    values = np.full(shape, 200, dtype=np.uint16)
    values[0, 0], values[:2, :] = 0, 100
    boxed = letterbox(image(values), size_px=320, low_percentile=0, high_percentile=100)
    rows, columns = boxed.frame_px
    top, left = boxed.offset_px
    assert boxed.tensor.shape == (1, 1, 320, 320)
    assert max(rows, columns) == 320
    assert rows / columns == pytest.approx(shape[0] / shape[1], rel=0.02) or min(rows, columns) == 1
    assert abs((320 - rows) - 2 * top) <= 1
    assert abs((320 - columns) - 2 * left) <= 1
    outside = boxed.tensor[0, 0].copy()
    outside[top : top + rows, left : left + columns] = 0
    assert not outside.any()
    assert boxed.tensor.max() == 1.0
    assert not boxed.tensor.flags.writeable


def test_a_bright_spot_comes_back_to_its_place() -> None:
    values = np.zeros((900, 700), dtype=np.uint16)
    values[299:302, 99:102] = 10000
    boxed = letterbox(image(values), size_px=320, low_percentile=0, high_percentile=100)
    row, column = np.unravel_index(int(boxed.tensor.argmax()), (320, 320))
    found = boxed.to_source(float(row), float(column))
    assert found == pytest.approx((300, 100), abs=1 / boxed.scale[0])
    heat = boxed.heat_to_source(boxed.tensor[0, 0])
    assert heat.shape == (900, 700)
    assert np.unravel_index(int(heat.argmax()), heat.shape) == pytest.approx((300, 100), abs=3)


# Trace: REQ-028
def test_the_corners_of_the_frame_are_the_corners_of_the_source() -> None:
    boxed = letterbox(
        image(np.eye(500, 400, dtype=np.uint16)), size_px=320, low_percentile=0, high_percentile=100
    )
    top, left = boxed.offset_px
    rows, columns = boxed.frame_px
    assert boxed.to_source(top - 0.5, left - 0.5) == pytest.approx((-0.5, -0.5))
    assert boxed.to_source(top + rows - 0.5, left + columns - 0.5) == pytest.approx((499.5, 399.5))


def test_higher_is_brighter_whatever_the_photometric_interpretation() -> None:
    values = np.linspace(0, 16383, 64 * 64).reshape(64, 64).astype(np.uint16)
    plain = letterbox(image(values), size_px=32, low_percentile=0.5, high_percentile=99.5).tensor
    mirrored = letterbox(
        image((16383 - values).astype(np.uint16), inverted=True),
        size_px=32,
        low_percentile=0.5,
        high_percentile=99.5,
    ).tensor
    np.testing.assert_allclose(plain, mirrored, atol=1e-6)
    assert plain[0, 0, 0].mean() < 0.1
    assert plain[0, 0, -1].mean() > 0.9


def test_percentiles_of_the_frame_become_0_and_1() -> None:
    values = np.random.default_rng(3).normal(5000, 800, (400, 300)).astype(np.uint16)
    boxed = letterbox(image(values), size_px=100, low_percentile=5, high_percentile=95)
    frame = boxed.tensor[0, 0, :, boxed.offset_px[1] : boxed.offset_px[1] + boxed.frame_px[1]]
    assert (frame == 0).mean() == pytest.approx(0.05, abs=0.005)
    assert (frame == 1).mean() == pytest.approx(0.05, abs=0.005)


@pytest.mark.parametrize("where", [60000, 0])
def test_padding_changes_nothing_of_what_is_not_padding(where: int) -> None:
    rng = np.random.default_rng(4)
    inner = rng.integers(1000, 2000, (200, 200)).astype(np.uint16)
    padded = np.full((400, 200), where, dtype=np.uint16)
    padded[100:300] = inner
    boxed = letterbox(
        image(padded, padding=(where, where)), size_px=80, low_percentile=0.5, high_percentile=99.5
    )
    alone = letterbox(image(inner), size_px=40, low_percentile=0.5, high_percentile=99.5)
    np.testing.assert_allclose(boxed.tensor[0, 0, 20:60, 20:60], alone.tensor[0, 0], atol=1e-5)
    assert not boxed.tensor[0, 0, :20].any()


def test_padding_that_cuts_an_area_is_not_averaged_in() -> None:
    values = np.full((90, 90), 1000, dtype=np.uint16)
    values[:, 45:] = 2000
    values[:4] = 65535
    boxed = letterbox(
        image(values, padding=(65535, 65535)), size_px=10, low_percentile=0, high_percentile=100
    )
    np.testing.assert_allclose(boxed.tensor[0, 0, 0], boxed.tensor[0, 0, 5], atol=1e-5)
    assert boxed.tensor[0, 0, 0].max() > 0.99


@pytest.mark.parametrize("stored", [np.zeros((40, 40), np.uint16), np.full((40, 40), np.nan, np.float32)])
def test_a_frame_without_contrast_is_all_zeros(stored: NDArray[np.generic]) -> None:
    boxed = letterbox(image(stored), size_px=20, low_percentile=0.5, high_percentile=99.5)
    assert not boxed.tensor.any()


def test_values_that_are_no_numbers_do_not_spread() -> None:
    stored = np.linspace(0, 1, 1600, dtype=np.float32).reshape(40, 40)
    stored[3, 3] = np.inf
    boxed = letterbox(image(stored), size_px=20, low_percentile=0, high_percentile=100)
    assert np.isfinite(boxed.tensor).all()
    assert boxed.tensor.max() == 1.0
