# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Where the collimated field lies in the picture.

Outside the collimator a picture is uniform: black where the modality masked it, white where it did not.
When those regions are taken away from the border of the picture, what is left ends at the collimator with
a sharp straight step; a limb or a trunk in air fades out instead. A side without such a step is taken to
be the border of the picture: a field is never guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.tasks.radiograph_measures.overview import Overview

Mask: TypeAlias = NDArray[Any]
"""Shape of the overview, uint8: 1 or 0."""
Corners: TypeAlias = NDArray[np.float32]
"""Shape (4, 2): (row, column), clockwise as viewed, beginning at the upper left; side i runs from corner
i to corner i + 1: top, right, bottom, left."""

_DARK_LEVELS: Final = (0.004, 0.012, 0.03, 0.06, 0.12)
_BRIGHT_LEVELS: Final = (0.97, 0.9, 0.8)
"""Levels up to (from) which the border of the picture is taken away, tried in turn. Masked pixels are
constant; unexposed ones carry scatter that differs over the border."""
_RECTANGULAR: Final = 0.955
"""Smallest part of its enclosing rectangle that a field fills when it lies askew. Rectangles sampled at
256 pixels reach 0.97 and more."""
_EXACTLY_RECTANGULAR: Final = 0.98
"""From here on the shape is evidence enough for a side whose step is weak, when two others are sharp."""
_SMALLEST_FIELD: Final = 0.05
_LARGEST_FIELD: Final = 0.985
"""Part of the picture. A larger one is the picture itself."""
_SHARP: Final = 0.7
"""Least part of the step across a side that happens within 2.5 overview pixels on either side of it. A
limb in air fades over its whole thickness (0.5 and less on forearms); a penumbra is thinner than 3 mm
(0.85 and more)."""
_STEP: Final = 0.05
"""Smallest step, in levels, that counts: above the noise of 8-bit pictures after reduction."""
_STEPPED_PART: Final = 0.3
"""Least part of a side that must show a step; air beside a black mask shows none."""
_BORDER_PX: Final = 2.5
"""A side this close to the border of the picture is the border."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExposedField:
    """The field, in overview pixels."""

    corners: Corners
    collimated: tuple[bool, bool, bool, bool]
    """Top, right, bottom, left: a collimator edge was seen there; otherwise the picture ends there."""
    mask: Mask
    """1 inside."""

    @property
    def found(self) -> bool:
        """Whether any edge of a collimator was seen."""
        return any(self.collimated)

    @property
    def part_of_picture(self) -> float:
        """0..1."""
        return float(np.count_nonzero(self.mask)) / float(self.mask.size)


def find_exposed_field(overview: Overview) -> ExposedField:
    """The collimated field of a radiograph, or the whole picture where no edge shows."""
    level: NDArray[Any] = cv2.medianBlur(np.ascontiguousarray(overview.level), 3)
    field = _whole(level.shape)
    for bright in (True, False):
        for limit in _BRIGHT_LEVELS if bright else _DARK_LEVELS:
            candidate = _field_at(level, field, limit, bright=bright)
            if candidate is not None and sum(candidate.collimated) > sum(field.collimated):
                field = candidate
    return field


def _field_at(
    level: NDArray[Any], within: ExposedField, limit: float, *, bright: bool
) -> ExposedField | None:
    outside = (level > limit if bright else level < limit).astype(np.uint8)
    kept = within.mask & (1 - _joined_to_border(outside | (1 - within.mask)))
    kept = cv2.morphologyEx(kept, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    hull = _hull(kept)
    if hull is None:
        return None
    (column, row), (width, height), turn = cv2.minAreaRect(hull)
    fill = (cv2.contourArea(hull) + cv2.arcLength(hull, closed=True) / 2 + 1) / ((width + 1) * (height + 1))
    if fill >= _RECTANGULAR:
        box = cv2.boxPoints(((column, row), (width, height), turn))[:, ::-1]
        exact = fill >= _EXACTLY_RECTANGULAR
        return _accepted(level, _ordered(np.asarray(box, dtype=np.float32)), upright=False, exact=exact)
    left, top, columns, rows = cv2.boundingRect(hull)
    box = _upright(top, left + columns - 1, top + rows - 1, left)
    return _accepted(level, box, upright=True, exact=False)


def _accepted(
    level: NDArray[np.float32], corners: Corners, *, upright: bool, exact: bool
) -> ExposedField | None:
    """The field with only those sides that are sharp steps; None when none is."""
    sides = [_side(level, corners, index) for index in range(4)]
    if not any(side is True for side in sides):
        return None
    if exact and sides.count(True) >= 2:
        sides = [side if side is None else True for side in sides]
    if any(side is False for side in sides):
        if not upright:
            return None
        rows, columns = level.shape
        border = (0.0, columns - 1.0, rows - 1.0, 0.0)
        edges = (corners[0, 0], corners[1, 1], corners[2, 0], corners[0, 1])
        kept = [edge if side else end for edge, end, side in zip(edges, border, sides, strict=True)]
        corners = _upright(*(float(value) for value in kept))
    mask = np.zeros(level.shape, dtype=np.uint8)
    cv2.fillConvexPoly(mask, np.round(corners[:, ::-1]).astype(np.int32), (1.0,))
    if not _SMALLEST_FIELD <= float(mask.mean()) <= _LARGEST_FIELD:
        return None
    top, right, bottom, left = (side is True for side in sides)
    return ExposedField(corners=corners, collimated=(top, right, bottom, left), mask=mask)


def _side(level: NDArray[np.float32], corners: Corners, index: int) -> bool | None:
    """True: a sharp step. None: at the border of the picture. False: neither."""
    start, end = corners[index], corners[(index + 1) % 4]
    outward = (start + end) / 2 - corners.mean(axis=0)
    outward = outward / max(float(np.hypot(*outward)), 1e-6)
    points = start + (end - start) * np.linspace(0.06, 0.94, 64, dtype=np.float32)[:, None]
    rows, columns = level.shape
    beyond = points + outward * np.float32(_BORDER_PX)
    inside = (beyond >= 0).all(axis=1) & (beyond[:, 0] <= rows - 1) & (beyond[:, 1] <= columns - 1)
    if inside.mean() < 0.5:
        return None
    levels = []
    for away in (-8.0, -2.5, 2.5, 8.0):
        place = np.clip(points + outward * np.float32(away), 0, (rows - 1, columns - 1)).round().astype(int)
        levels.append(level[place[:, 0], place[:, 1]])
    far, near = np.abs(levels[0] - levels[3]), np.abs(levels[1] - levels[2])
    stepped = (np.maximum(far, near) > _STEP) & inside
    if stepped.mean() < _STEPPED_PART:
        return False
    return bool(near[stepped].mean() >= _SHARP * far[stepped].mean())


def _joined_to_border(outside: Mask) -> Mask:
    """The parts of `outside` that touch the border of the picture."""
    framed = cv2.copyMakeBorder(outside, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1.0)
    _, labels = cv2.connectedComponents(framed, connectivity=4)
    joined: Mask = (labels[1:-1, 1:-1] == labels[0, 0]).astype(np.uint8)
    return joined


def _hull(kept: Mask) -> NDArray[Any] | None:
    """Convex hull of every region that is not a speck."""
    contours, _ = cv2.findContours(kept, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    large = [contour for contour in contours if cv2.contourArea(contour) > 0.004 * kept.size]
    if not large:
        return None
    hull: NDArray[Any] = cv2.convexHull(np.concatenate(large))
    return hull


def _whole(shape: tuple[int, int]) -> ExposedField:
    rows, columns = shape
    return ExposedField(
        corners=_upright(0.0, columns - 1.0, rows - 1.0, 0.0),
        collimated=(False, False, False, False),
        mask=np.ones(shape, dtype=np.uint8),
    )


def _upright(top: float, right: float, bottom: float, left: float) -> Corners:
    return np.array([[top, left], [top, right], [bottom, right], [bottom, left]], dtype=np.float32)


def _ordered(corners: Corners) -> Corners:
    centre = corners.mean(axis=0)
    angle = np.arctan2(corners[:, 0] - centre[0], corners[:, 1] - centre[1])
    clockwise = corners[np.argsort(angle)]
    return np.roll(clockwise, -int(np.argmin(clockwise.sum(axis=1))), axis=0)
