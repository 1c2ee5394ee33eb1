# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Is there writing in the pixels? Devices and scanners of film burn in names, dates and hospitals.

Looks for what letters have in common, not for what they say: at some grey level they are small pieces with
sharp edges all around, of like height, in a row. It finds most writing, not all of it (the numbers are in
docs/deidentification.md), so its answer is "none found", never "there is none".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

LEVELS: Final = tuple(range(24, 250, 16))
"""Of 0 to 255: writing stands out at one of these at least."""
SMALLEST_LETTER_PX: Final = 7
LARGEST_LETTER_PX: Final = 96
FEWEST_LETTERS: Final = 4
"""A side marker (L, R, PA) is no name."""
EDGE: Final = 25
"""Grey difference across the border of a letter, for three quarters of the border: drawings have edges."""
WIDEST: Final = 1.5
NARROWEST: Final = 0.1
"""Width of a letter in its heights: W and I."""
LEAST_INK: Final = 0.15
MOST_INK: Final = 0.85
"""Part of a letter's box that is drawn; a narrow one (I, 1) may fill its box."""
NARROW: Final = 0.4
HEIGHT_RATIO: Final = 1.9
"""Capitals and small letters of one row."""
LARGEST_GAP: Final = 1.3
"""Between letters of a row, in letter heights: a space fits in."""
LEAST_OVERLAP: Final = 0.55
"""Of the heights of neighbours, in the smaller one's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """One row of what looks like letters, in pixels of the frame."""

    top_px: int
    left_px: int
    bottom_px: int
    right_px: int
    letters: int


class _Letter(NamedTuple):
    left: int
    top: int
    width: int
    height: int


def find_writing(grey: NDArray[Any]) -> tuple[Writing, ...]:
    """Rows of letters in one frame (rows x columns, any number type), the longest first."""
    low, high = float(grey.min()), float(grey.max())
    if not np.isfinite([low, high]).all() or high <= low:
        return ()
    picture = ((grey.astype(np.float32) - low) * (255.0 / (high - low))).astype(np.uint8)
    found = [
        row
        for polarity in (picture, 255 - picture)  # light on dark, dark on light
        for letters in _letters_by_level(polarity)
        for row in _rows(letters)
    ]
    return tuple(sorted(found, key=lambda row: -row.letters))


def _letters_by_level(picture: NDArray[Any]) -> list[list[_Letter]]:
    around = np.ones((3, 3), np.uint8)
    edges = cv2.subtract(cv2.dilate(picture, around), cv2.erode(picture, around))
    return [_letters((picture > level).astype(np.uint8), edges) for level in LEVELS]


def _letters(above: NDArray[Any], edges: NDArray[Any]) -> list[_Letter]:
    """Connected pieces of `above` that have a letter's shape and sharp borders."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(above, connectivity=8)
    width, height, area = (
        stats[:, cv2.CC_STAT_WIDTH],
        stats[:, cv2.CC_STAT_HEIGHT],
        stats[:, cv2.CC_STAT_AREA],
    )
    most = np.where(width < NARROW * height, 1.0, MOST_INK) * width * height
    shaped = (height >= SMALLEST_LETTER_PX) & (height <= LARGEST_LETTER_PX)
    shaped &= (width >= NARROWEST * height) & (width <= WIDEST * height)
    shaped &= (area >= LEAST_INK * width * height) & (area <= most)
    shaped[0] = False  # what is below the level
    if int(shaped.sum()) < FEWEST_LETTERS:
        return []
    found = []
    for index in np.flatnonzero(shaped):
        letter = _Letter(*(int(value) for value in stats[index, :4]))
        if _has_sharp_border(labels, edges, letter, int(index)):
            found.append(letter)
    return found


def _has_sharp_border(labels: NDArray[Any], edges: NDArray[Any], letter: _Letter, index: int) -> bool:
    rows = slice(max(0, letter.top - 1), letter.top + letter.height + 1)
    columns = slice(max(0, letter.left - 1), letter.left + letter.width + 1)
    inside = (labels[rows, columns] == index).astype(np.uint8)
    around = np.ones((3, 3), np.uint8)
    border = cv2.subtract(cv2.dilate(inside, around), cv2.erode(inside, around)) > 0
    return bool(np.percentile(edges[rows, columns][border], 25) >= EDGE)


def _rows(letters: list[_Letter]) -> list[Writing]:
    """Letters that follow each other, from left to right; each stands in one row."""
    waiting = sorted(letters)
    rows = []
    while waiting:
        row = [waiting.pop(0)]
        for letter in waiting:
            if letter.left - row[-1].left > WIDEST * LARGEST_LETTER_PX * 2:
                break
            if _follows(row[-1], letter):
                row.append(letter)
        if len(row) >= FEWEST_LETTERS:
            waiting = [letter for letter in waiting if letter not in set(row)]
            rows.append(
                Writing(
                    top_px=min(letter.top for letter in row),
                    left_px=row[0].left,
                    bottom_px=max(letter.top + letter.height for letter in row),
                    right_px=max(letter.left + letter.width for letter in row),
                    letters=len(row),
                )
            )
    return rows


def _follows(last: _Letter, letter: _Letter) -> bool:
    taller, smaller = max(last.height, letter.height), min(last.height, letter.height)
    overlap = min(last.top + last.height, letter.top + letter.height) - max(last.top, letter.top)
    gap = letter.left - last.left - last.width
    return (
        taller <= HEIGHT_RATIO * smaller
        and -1 <= gap <= LARGEST_GAP * taller
        and overlap >= LEAST_OVERLAP * smaller
    )
