# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.viewport import LARGEST_ZOOM, Viewport, fit, one_to_one

VIEWPORTS = st.builds(
    lambda shape, size, aspect, factor, dx, dy: (
        fit(shape, size, aspect=aspect).zoomed(factor, size[0] / 3, size[1] / 2).panned(dx, dy)
    ),
    st.tuples(st.integers(8, 4000), st.integers(8, 4000)),
    st.tuples(st.integers(50, 2000), st.integers(50, 2000)),
    st.floats(0.5, 2),
    st.floats(0.2, 30),
    st.floats(-3000, 3000),
    st.floats(-3000, 3000),
)


@given(VIEWPORTS, st.floats(0, 2000), st.floats(0, 2000))
def test_there_and_back(viewport: Viewport, x: float, y: float) -> None:
    assert viewport.to_screen(viewport.to_picture(x, y)) == pytest.approx((x, y), abs=1e-6)


@given(st.floats(1, 12), st.floats(1, 499), st.floats(1, 499))
def test_zooming_in_keeps_the_point_under_the_finger(factor: float, x: float, y: float) -> None:
    viewport = fit((1000, 1000), (500, 500))
    point = viewport.to_picture(x, y)
    assert viewport.zoomed(factor, x, y).to_screen(point) == pytest.approx((x, y), abs=1e-6)


@given(VIEWPORTS)
def test_the_picture_cannot_be_lost(viewport: Viewport) -> None:
    rows, columns = viewport.shape_px
    left, top = viewport.to_screen((-0.5, -0.5))
    right, bottom = viewport.to_screen((rows - 0.5, columns - 0.5))
    assert right > 0
    assert bottom > 0
    assert left < viewport.size_px[0]
    assert top < viewport.size_px[1]
    assert viewport.zoom <= LARGEST_ZOOM


def test_fit_shows_the_whole_picture() -> None:
    viewport = fit((3000, 2500), (1000, 900))
    assert viewport.to_screen((-0.5, -0.5)) == pytest.approx((125, 0))
    assert viewport.to_screen((2999.5, 2499.5)) == pytest.approx((875, 900))


def test_pixels_that_are_not_square_are_drawn_so() -> None:
    viewport = fit((100, 100), (500, 500), aspect=2.0)
    left, top = viewport.to_screen((0, 0))
    right, bottom = viewport.to_screen((10, 10))
    assert (bottom - top) == pytest.approx(2 * (right - left))


def test_one_to_one() -> None:
    viewport = one_to_one(fit((3000, 2500), (1000, 900)))
    assert viewport.zoom == 1.0
    assert viewport.center == (1500, 1250)
    assert one_to_one(viewport, device_pixel_ratio=2.0).zoom == 0.5


def test_fit_follows_the_area_and_a_chosen_zoom_does_not() -> None:
    viewport = fit((100, 100), (500, 500))
    assert viewport.resized((200, 300)).zoom == 2.0
    assert viewport.zoomed(2, 0, 0).resized((200, 300)).zoom == 10.0
