# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""FROC counts hits and false marks as its definition says."""

from __future__ import annotations

import numpy as np
import pytest

from export.reference.films import Box
from export.reference.froc import RATES, froc, marks

CELLS = 24
BOX = Box(name="fracture", row=0.25, column=0.25, rows=0.25, columns=0.25)


def heat_with(*peaks: tuple[int, int, float]) -> np.ndarray:
    """Falling away from the corner, so that nothing but the peaks and the corner is a maximum."""
    rows, columns = np.mgrid[:CELLS, :CELLS]
    heat = (-10.0 - 0.01 * (rows * CELLS + columns)).astype(np.float32)
    for row, column, value in peaks:
        heat[row, column] = value
    return heat


def test_a_mark_is_the_hottest_of_its_neighbourhood() -> None:
    found = {(int(r), int(c)) for r, c in marks(heat_with((8, 8, 2.0), (9, 9, 1.0), (20, 3, 0.5)))}
    assert found == {(0, 0), (8, 8), (20, 3)}


def test_marks_in_the_box_hit_and_others_are_false() -> None:
    """Ten films: all marked in the box, five of them marked harder beside it."""
    heat = np.stack([heat_with((8, 8, 1.0), *([(20, 20, 2.0)] if film < 5 else [])) for film in range(10)])
    found = froc(heat, [[BOX]] * 10, [(512, 512)] * 10, [str(film) for film in range(10)])
    assert found[0.25].value == 0.0
    assert found[0.5].value == found[1.0].value == 1.0
    assert found[0.5].n == 10


def test_films_without_a_box_count_their_false_marks() -> None:
    heat = np.stack([heat_with((8, 8, 1.0 + film)) for film in range(10)])
    boxes = [[BOX] if film < 5 else [] for film in range(10)]
    found = froc(heat, boxes, [(512, 512)] * 10, [str(film) for film in range(10)])
    assert found[0.25].value < found[0.5].value
    assert found[0.5].value == 1.0
    assert [found[rate].n for rate in RATES] == [5, 5, 5]


@pytest.mark.parametrize("shape", [(256, 512), (512, 256)])
def test_the_letterbox_moves_the_box(shape: tuple[int, int]) -> None:
    """The middle of a film is the middle of the square, whatever its shape."""
    middle = Box(name="fracture", row=0.45, column=0.45, rows=0.1, columns=0.1)
    aside = Box(name="fracture", row=0.0, column=0.0, rows=0.1, columns=0.1)
    heat = heat_with((12, 12, 1.0))[None]
    assert froc(heat, [[middle]], [shape], ["a"])[1.0].value == 1.0
    assert froc(heat, [[aside]], [shape], ["a"])[1.0].value == 0.0
