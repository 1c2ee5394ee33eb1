# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the worker writes for the screen is what the screen reads, with the same greys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from appliance.domain.image import PixelImage, Voi, VoiFunction
from appliance.intake.display import display_table
from appliance.pipeline.views import add_heatmap, write_view
from appliance.tasks.base import Heatmap
from ui.display_table import initial_window, windowed_table
from ui.view_files import open_picture, read_heatmap


def image(kind: str, *, inverted: bool, voi: Voi | None) -> PixelImage:
    dtype: np.dtype[Any] = np.dtype(kind)
    limits = np.iinfo(dtype)
    stored = np.random.default_rng(5).integers(limits.min // 2, min(200, limits.max), (40, 30)).astype(dtype)
    return PixelImage(
        stored=stored,
        slope=2.0,
        intercept=-100.0,
        inverted=inverted,
        stored_range=(int(limits.min), int(limits.max)),
        padding=None,
        voi=voi,
        spacing_mm=(0.5, 0.25),
        rescale_type=None,
    )


WINDOW = Voi(function=VoiFunction.LINEAR_EXACT, center=80.0, width=300.0)


@pytest.mark.parametrize("voi", [WINDOW, None])
@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("kind", ["uint8", "int8", "uint16", "int16"])
def test_the_screen_reads_what_the_worker_wrote(
    tmp_path: Path, kind: str, inverted: bool, voi: Voi | None
) -> None:
    frame = image(kind, inverted=inverted, voi=voi)
    write_view(tmp_path, frame)
    picture = open_picture(tmp_path)
    assert picture.shape_px == frame.shape
    assert np.array_equal(picture.stored[0], frame.stored)
    bits = frame.stored.view(f"u{frame.stored.itemsize}")
    shown = picture.table[picture.stored[0].astype(int) - picture.view.stored_low]
    assert np.array_equal(shown, display_table(frame)[bits])


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("kind", ["uint8", "uint16", "int16"])
def test_touching_contrast_without_moving_changes_no_grey(tmp_path: Path, kind: str, inverted: bool) -> None:
    frame = image(kind, inverted=inverted, voi=WINDOW)
    write_view(tmp_path, frame)
    picture = open_picture(tmp_path)
    own = windowed_table(picture.view, initial_window(picture.view, picture.table))
    low, high = frame.stored_range
    size = min(65536, high - low + 1)
    assert np.abs(own[:size].astype(int) - picture.table[:size]).max() <= 1


def test_heatmaps(tmp_path: Path) -> None:
    write_view(tmp_path, image("uint16", inverted=False, voi=WINDOW))
    values = np.zeros((40, 30), np.float32)
    values[5, 6] = 1
    add_heatmap(tmp_path, Heatmap(finding_code="7", values=values))
    heat = read_heatmap(open_picture(tmp_path), "7")
    assert heat is not None
    assert heat[5, 6] == 255
