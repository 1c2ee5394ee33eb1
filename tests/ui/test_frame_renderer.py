# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from appliance.clock import SystemClock
from ui.frame_renderer import FrameRenderer
from ui.viewport import Viewport, fit, one_to_one

IDENTITY = np.clip(np.arange(65536), 0, 255).astype(np.uint8)
TIMES_MEMCPY = 3.0
"""A change of contrast of a shown 7.5 megapixel frame costs at most this many copies of the frame."""
FRAME_MS = 16.0
"""One frame at 60 per second."""


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0, 3.7, 9.0])
@pytest.mark.parametrize("shape", [(301, 203), (640, 512)])
def test_a_bright_pixel_lies_where_the_viewport_says(shape: tuple[int, int], factor: float) -> None:
    size = (400, 300)
    viewport = fit(shape, size).zoomed(factor, 130, 90)
    row, column = (round(v) for v in viewport.to_picture(170, 120))
    stored = np.zeros(shape, np.uint16)
    stored[row - 3 : row + 4, column - 3 : column + 4] = 255
    painted = FrameRenderer(stored, 0).paint(viewport, IDENTITY)
    assert painted is not None
    ys, xs = np.nonzero(painted.grey > 60)
    weights = painted.grey[ys, xs].astype(float)
    x = np.average(xs, weights=weights) + painted.x + 0.5
    y = np.average(ys, weights=weights) + painted.y + 0.5
    assert (x, y) == pytest.approx(viewport.to_screen((row, column)), abs=0.75)


def test_one_to_one_is_exact_when_pixels_fall_on_pixels() -> None:
    stored = np.random.default_rng(1).integers(0, 256, (200, 300)).astype(np.uint16)
    viewport = one_to_one(fit((200, 300), (100, 80)))
    painted = FrameRenderer(stored, 0).paint(viewport, IDENTITY)
    assert painted is not None
    assert np.array_equal(painted.grey, stored[60:140, 100:200])


@pytest.mark.parametrize("kind", ["uint8", "uint16", "int16"])
def test_every_stored_type(kind: str) -> None:
    stored = np.full((90, 90), 7, kind)
    table = np.zeros(65536, np.uint8)
    table[7 + 100] = 200
    painted = FrameRenderer(stored, -100).paint(fit((90, 90), (50, 50)), table)
    assert painted is not None
    assert (painted.grey == 200).all()


def test_what_is_off_screen_is_not_painted() -> None:
    viewport = Viewport(
        shape_px=(10, 10), size_px=(50, 50), aspect=1, zoom=1, center=(500.0, 500.0), is_fit=False
    )
    assert FrameRenderer(np.zeros((10, 10), np.uint8), 0).paint(viewport, IDENTITY) is None


def test_a_large_frame_is_fast() -> None:
    stored = np.random.default_rng(2).integers(0, 4096, (3000, 2500)).astype(np.uint16)
    other = IDENTITY[::-1].copy()
    copy = np.empty_like(stored)
    viewport = fit(stored.shape, (1160, 900))
    renderer = FrameRenderer(stored, 0)
    renderer.paint(viewport, IDENTITY)
    memcpy_ms = _best_ms(lambda: np.copyto(copy, stored))
    tables = [IDENTITY, other]

    def change_contrast() -> None:
        tables.reverse()
        renderer.paint(viewport, tables[0])

    def pan() -> None:
        nonlocal viewport
        viewport = viewport.panned(1, 1)
        renderer.paint(viewport, IDENTITY)

    assert _best_ms(change_contrast) <= TIMES_MEMCPY * memcpy_ms
    for factor in (1.0, 2.78, 3.0):
        viewport = viewport.zoomed(factor, 580, 450)
        assert _best_ms(pan) < FRAME_MS


def _best_ms(action: Callable[[], Any]) -> float:
    clock = SystemClock()
    times: list[int] = []
    for _ in range(15):
        start = clock.monotonic_ns()
        action()
        times.append(clock.monotonic_ns() - start)
    return min(times) / 1e6
