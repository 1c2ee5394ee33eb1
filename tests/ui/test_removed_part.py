# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.domain.view import View
from ui.display_table import NARROWEST_WINDOW
from ui.frame_renderer import FrameRenderer
from ui.removed_part import WIDTH_IN_SIGMAS, removed_part
from ui.viewport import fit

MID_GREY = 128


def view_of(*, slope: float = 1.0, inverted: bool = False) -> View:
    return View(
        array="a",
        denoised="b",
        table="t",
        stored_low=0,
        spacing_mm=None,
        voi=None,
        slope=slope,
        intercept=-1024.0,
        inverted=inverted,
    )


def shown(original: NDArray[Any], denoised: NDArray[Any], view: View) -> NDArray[np.uint8]:
    part = removed_part(original, denoised, view)
    rows, columns = original.shape
    renderer = FrameRenderer(part.difference, part.stored_low)
    painted = renderer.paint(fit((rows, columns), (columns, rows)), part.table)
    assert painted is not None
    return painted.grey


@pytest.mark.parametrize("kind", ["uint8", "uint16", "int16"])
@pytest.mark.parametrize("inverted", [False, True])
def test_zero_is_mid_grey_more_is_bright_less_is_dark(kind: str, *, inverted: bool) -> None:
    denoised = np.full((90, 90), 100, kind)
    original = denoised.copy()
    original[:30] += 20
    original[60:] -= 20
    grey = shown(original, denoised, view_of(inverted=inverted))
    assert (grey[31:59] == MID_GREY).all()
    assert (grey[:30] > MID_GREY).all()
    assert (grey[60:] < MID_GREY).all()
    assert int(grey[0, 0]) - MID_GREY == pytest.approx(MID_GREY - int(grey[89, 0]), abs=1), "symmetric"


@pytest.mark.parametrize("slope", [1.0, 0.5, -2.0])
def test_the_window_comes_from_the_noise_in_modality_units(slope: float) -> None:
    denoised = np.full((400, 400), 1000, np.int16)
    noise = np.random.default_rng(5).normal(0, 30, denoised.shape)
    original = (denoised + np.rint(noise)).astype(np.int16)
    original[:20] += 900  # a thing that was no noise does not stretch the window
    center, width = removed_part(original, denoised, view_of(slope=slope)).window
    assert center == 0
    assert width == pytest.approx(WIDTH_IN_SIGMAS * 30 * abs(slope), rel=0.1)


def test_nothing_removed_is_grey_all_over() -> None:
    frame = np.arange(90 * 90, dtype=np.uint16).reshape(90, 90)
    assert removed_part(frame, frame, view_of()).window == (0.0, NARROWEST_WINDOW)
    assert (shown(frame, frame, view_of()) == MID_GREY).all()


def test_a_difference_beyond_16_bits_is_the_largest_and_does_not_wrap() -> None:
    original = np.full((90, 90), 65535, np.uint16)
    original[:45] = 0
    denoised = np.full((90, 90), 30000, np.uint16)
    denoised[:45] = 60000
    difference = removed_part(original, denoised, view_of()).difference
    assert set(np.unique(difference)) == {-32768, 32767}
