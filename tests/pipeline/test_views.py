# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What the screen is given: stacks as they come, floating-point pixels, heatmaps, one description."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from appliance.domain.record import from_json
from appliance.domain.view import TABLE_ENTRIES, VIEW_FILE, View
from appliance.pipeline.views import (
    DENOISED,
    HEATMAP_SIDE_PX,
    MOST_GREY_LEVELS,
    PIXELS,
    StackWriter,
    add_denoised,
    add_heatmap,
    showable,
    write_view,
)
from appliance.tasks.base import Heatmap
from tests.line_parts import image_of


def read_view(folder: Path) -> View:
    return from_json(View, (folder / VIEW_FILE).read_text(encoding="utf-8"))


def heatmap(rows: int, columns: int, code: str = "60046008") -> Heatmap:
    values = np.zeros((rows, columns), np.float32)
    values[: rows // 2] = 1.0
    return Heatmap(finding_code=code, values=values)


def test_slices_become_one_array_that_can_be_mapped(tmp_path: Path) -> None:
    slices = [np.full((3, 4), value, np.int16) for value in (-5, 0, 7)]
    with StackWriter(tmp_path / PIXELS, slices=3) as stack:
        for each in slices:
            stack.add(each)
        assert not (tmp_path / PIXELS).exists(), "not there before it is whole"
    mapped = np.load(tmp_path / PIXELS, mmap_mode="r", allow_pickle=False)
    np.testing.assert_array_equal(mapped, np.stack(slices))
    assert mapped.dtype == np.int16


def test_damaged_slices_leave_blanks_in_their_places(tmp_path: Path) -> None:
    with StackWriter(tmp_path / PIXELS, slices=4) as stack:
        stack.skip()
        stack.add(np.full((2, 2), 9, np.uint16))
        stack.skip()
        stack.add(np.full((2, 2), 8, np.uint16))
    assert np.load(tmp_path / PIXELS)[:, 0, 0].tolist() == [0, 9, 0, 8]


def test_a_slice_of_another_shape_leaves_no_file(tmp_path: Path) -> None:
    def write() -> None:
        with StackWriter(tmp_path / PIXELS, slices=2) as stack:
            stack.add(np.zeros((2, 2), np.uint16))
            stack.add(np.zeros((2, 3), np.uint16))

    with pytest.raises(ValueError, match="in a stack of"):
        write()
    assert list(tmp_path.iterdir()) == []


def test_a_stack_without_a_single_slice_leaves_no_file(tmp_path: Path) -> None:
    with StackWriter(tmp_path / PIXELS, slices=1) as stack:
        stack.skip()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize(("low", "high"), [(0.2, 0.85), (-1024.5, 3071.25), (0.0, 2.5e-5)])
def test_floating_point_pixels_are_shown_with_their_values(low: float, high: float, inverted: bool) -> None:
    stored = np.linspace(low, high, 256, dtype=np.float32).reshape(16, 16)
    image = image_of(
        stored,
        slope=2.0,
        intercept=-1.0,
        inverted=inverted,
        stored_range=(int(np.floor(low)), int(np.ceil(high))),
    )
    shown = showable(image)
    assert shown.stored.dtype == np.uint16
    assert (shown.stored.min(), shown.stored.max()) == (0, MOST_GREY_LEVELS)
    step = 2.0 * (high - low) / MOST_GREY_LEVELS
    np.testing.assert_allclose(shown.grey(), image.grey(), atol=step + 1e-6 * abs(image.grey()).max())


def test_floating_point_pixels_of_one_value_are_shown() -> None:
    shown = showable(image_of(np.full((4, 4), 7.25, np.float32), stored_range=(7, 8)))
    np.testing.assert_allclose(shown.grey(), 7.25)


def test_whole_numbers_are_shown_as_they_are() -> None:
    image = image_of(np.zeros((4, 4), np.uint16))
    assert showable(image) is image


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
def test_a_projection_is_laid_out_with_its_table(tmp_path: Path, dtype: type[np.generic]) -> None:
    stored = np.arange(64, dtype=dtype).reshape(8, 8)
    low = int(np.iinfo(dtype).min) if np.iinfo(dtype).min else 0
    image = image_of(stored, stored_range=(low, int(np.iinfo(dtype).max)), spacing_mm=(0.2, 0.1))
    write_view(tmp_path / "view", image)
    view = read_view(tmp_path / "view")
    table = np.load(tmp_path / "view" / view.table)
    np.testing.assert_array_equal(np.load(tmp_path / "view" / view.array), stored)
    assert (view.spacing_mm, view.stored_low, view.denoised, view.heatmaps) == ((0.2, 0.1), low, None, {})
    assert (table.shape, table.dtype) == ((TABLE_ENTRIES,), np.uint8)
    looked_up = table[stored.astype(np.int64) - low].ravel()
    assert (np.diff(looked_up.astype(int)) >= 0).all(), "higher is never darker"
    assert looked_up[-1] > looked_up[0]


def test_heatmaps_lie_beside_the_picture_and_are_named_in_the_description(tmp_path: Path) -> None:
    write_view(tmp_path, image_of(np.zeros((1024, 256), np.uint16)))
    path = add_heatmap(tmp_path, heatmap(1024, 256))
    add_heatmap(tmp_path, heatmap(1024, 256, code="36118008"))
    add_denoised(tmp_path)
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert picture.shape == (HEATMAP_SIDE_PX, HEATMAP_SIDE_PX // 4)
    assert picture.dtype == np.uint8
    assert picture[:250].min() == 255
    assert picture[262:].max() == 0
    view = read_view(tmp_path)
    assert view.heatmaps == {"60046008": path.name, "36118008": "heat_36118008.png"}
    assert view.denoised == DENOISED
    assert not list(tmp_path.glob("*.part"))


def test_a_heatmap_that_came_before_the_picture_is_named_with_it(tmp_path: Path) -> None:
    before = add_heatmap(tmp_path, heatmap(20, 30, code="36118008"))
    write_view(tmp_path, image_of(np.zeros((20, 30), np.uint16)))
    after = add_heatmap(tmp_path, heatmap(20, 30))
    named = read_view(tmp_path).heatmaps
    assert named["36118008"] == before.name
    assert set(named.values()) == {before.name, after.name}


def test_a_small_heatmap_is_not_enlarged(tmp_path: Path) -> None:
    path = add_heatmap(tmp_path / "new", heatmap(20, 30))
    assert cv2.imread(str(path), cv2.IMREAD_UNCHANGED).shape == (20, 30)
    assert not (tmp_path / "new" / VIEW_FILE).exists(), "no picture yet, so nothing to describe"
