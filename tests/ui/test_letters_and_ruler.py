# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Letters follow the orientation that the header gives, however it lies; the ruler says what it measures."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QColor, QImage, QPainter
from pytestqt.qtbot import QtBot

from appliance.domain.acquisition import Geometry
from tests.ui.clinic import geometry
from ui.overlay_painter import RULER_ROOM_MM, Figures, OverlayPainter
from ui.patient_state import EdgeLetters, edge_letters
from ui.picture_state import picture_of
from ui.theme import Scale
from ui.viewport import fit

AXES = "LPH"
"""Where x, y and z of the patient grow to (PS3.3 C.7.6.2.1.1); their opposites: R, A, F."""
OPPOSITE = dict(zip("LPHRAF", "RAFLPH", strict=True))


@st.composite
def orientations(draw: st.DrawFn) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two directions at right angles: along a row, along a column."""
    angles = [draw(st.floats(-math.pi, math.pi)) for _ in range(3)]
    turn = np.eye(3)
    for axis, angle in enumerate(angles):
        one, other = (index for index in range(3) if index != axis)
        step = np.eye(3)
        step[one, one] = step[other, other] = math.cos(angle)
        step[one, other], step[other, one] = -math.sin(angle), math.sin(angle)
        turn = step @ turn
    return turn[0], turn[1]


def letters_of(row: NDArray[np.float64], column: NDArray[np.float64]) -> EdgeLetters:
    cosines = tuple(float(value) for value in (*row, *column))
    found = edge_letters(geometry(None, image_orientation_patient=cosines))
    assert found is not None
    return found


@given(orientations())
def test_the_first_letter_is_the_direction_in_which_most_of_the_edge_lies(
    orientation: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> None:
    letters = letters_of(*orientation)
    for direction, shown in zip(orientation, (letters.right, letters.bottom), strict=True):
        parts = {AXES[i] if part > 0 else OPPOSITE[AXES[i]]: abs(part) for i, part in enumerate(direction)}
        assert parts[shown[0]] == pytest.approx(max(parts.values()))
        assert set(shown) <= set(parts), "no letter that the direction does not have"


@given(orientations())
def test_a_flip_a_turn_and_a_transpose_take_the_letters_with_them(
    orientation: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> None:
    row, column = orientation
    letters = letters_of(row, column)
    flipped = letters_of(-row, column)
    assert (flipped.left, flipped.right) == (letters.right, letters.left)
    assert (flipped.top, flipped.bottom) == (letters.top, letters.bottom)
    half_turn = letters_of(-row, -column)
    assert (half_turn.left, half_turn.top) == (letters.right, letters.bottom)
    transposed = letters_of(column, row)
    assert (transposed.left, transposed.top) == (letters.top, letters.left)
    assert transposed.right == letters.bottom


@given(st.text("LRPAHF", min_size=1, max_size=3), st.text("LRPAHF", min_size=1, max_size=3))
def test_patient_orientation_is_shown_as_it_is_and_its_opposites(right: str, bottom: str) -> None:
    letters = edge_letters(geometry((right, bottom)))
    assert letters is not None
    assert (letters.right, letters.bottom) == (right, bottom)
    assert letters.left == "".join(OPPOSITE[letter] for letter in right)
    assert letters.top == "".join(OPPOSITE[letter] for letter in bottom)


@given(st.text(max_size=4), st.text(max_size=4))
def test_what_is_no_direction_gives_no_letter(right: str, bottom: str) -> None:
    letters = edge_letters(geometry((right, bottom)))
    known = all(text.strip() and set(text.strip().upper()) <= set(OPPOSITE) for text in (right, bottom))
    assert (letters is not None) is known


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("ImagerPixelSpacing", "mm at detector"),
        ("PixelSpacing", "mm"),
        ("NominalScannedPixelSpacing", "mm on film"),
        (None, "mm at detector"),  # the more careful of the two
    ],
)
def test_the_ruler_says_where_a_millimetre_is_one(clinic: Any, source: str | None, word: str) -> None:
    changed: Geometry = replace(geometry(("L", "F")), pixel_spacing_source=source)
    clinic.land("a", geometry=changed)
    assert picture_of(clinic.read().exams[0]).spacing_word == word


def test_no_ruler_without_spacing(qtbot: QtBot) -> None:
    del qtbot
    with_ruler, without = (_strip_above_figures(spacing) for spacing in ((0.7, 0.7), None))
    assert with_ruler.any()
    assert not without.any(), "nothing is drawn where the ruler would be"


def test_the_name_of_a_mark_over_the_whole_height_stands_above_the_ruler(qtbot: QtBot) -> None:
    del qtbot
    image = QImage(1000, 800, QImage.Format.Format_Grayscale8)
    painter = QPainter(image)
    scale = Scale(px_per_mm=4.0)
    line = QRectF(400.0, 0.0, 1.0, 800.0)
    name = OverlayPainter(scale)._name(painter, "defective column", line, QColor("white"), (), (1000, 800))
    painter.end()
    assert name.bottom() <= 800 - scale.px(RULER_ROOM_MM)


def _strip_above_figures(spacing_mm: tuple[float, float] | None) -> NDArray[np.uint8]:
    size = (1000, 800)
    image = QImage(*size, QImage.Format.Format_Grayscale8)
    image.fill(0)
    painter = QPainter(image)
    figures = Figures(
        letters=None,
        side="RIGHT side",
        contrast="W 1 C 1",
        zoom="100%",
        spacing_mm=spacing_mm,
        spacing_word="mm",
        notices=(),
    )
    OverlayPainter(Scale(px_per_mm=5.0)).figures(painter, figures, fit((900, 900), (size[0], 760)))
    painter.end()
    data = image.constBits()
    assert data is not None
    grey = np.frombuffer(bytes(data.asarray(image.sizeInBytes())), np.uint8)
    return grey.reshape(size[1], size[0])[700:758]
