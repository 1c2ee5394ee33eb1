# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Drawing a patient in millimetres: simple solids whose thickness along the beam is known.

A canvas is a map of attenuation (ln of incident over transmitted radiation). Points are (row, column) in
millimetres from the centre of the field, rows downwards, columns to the right as the picture is viewed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Plane: TypeAlias = NDArray[Any]
"""Shape (rows, columns), float32; millimetres of thickness, or attenuation."""
Point: TypeAlias = tuple[float, float]
"""Row, column in millimetres from the centre of the field."""

MU_SOFT_PER_MM: Final = 0.0175
"""Water at the effective energy of a 125 kVp chest beam, about 60 keV: 0.206 cm2/g in the NIST tables of
X-ray mass attenuation coefficients (NISTIR 5632), lowered for scatter and beam hardening."""
MU_BONE_EXTRA_PER_MM: Final = 0.040
"""Cortical bone (1.92 g/cm3, 0.315 cm2/g at 60 keV, NISTIR 5632) less the soft tissue it replaces."""
_SUBPIXEL_BITS: Final = 4
"""Fractional bits that OpenCV's drawing functions are given, so that outlines move smoothly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Canvas:
    """The sampling of the field: how big, how fine."""

    rows: int
    columns: int
    pixel_mm: float
    centre_mm: Point = (0.0, 0.0)
    """Which point of the patient lies at the centre of the field."""

    def grid(self) -> tuple[Plane, Plane]:
        """Row and column coordinates in millimetres: shapes (rows, 1) and (1, columns)."""
        y = (np.arange(self.rows, dtype=np.float32) - (self.rows - 1) / 2) * np.float32(self.pixel_mm)
        x = (np.arange(self.columns, dtype=np.float32) - (self.columns - 1) / 2) * np.float32(self.pixel_mm)
        return (y + np.float32(self.centre_mm[0]))[:, None], (x + np.float32(self.centre_mm[1]))[None, :]

    def to_px(self, point: Point) -> Point:
        """Pixel (row, column) of a point in millimetres."""
        return (
            (point[0] - self.centre_mm[0]) / self.pixel_mm + (self.rows - 1) / 2,
            (point[1] - self.centre_mm[1]) / self.pixel_mm + (self.columns - 1) / 2,
        )

    def empty(self) -> Plane:
        """Nothing in the beam."""
        return np.zeros((self.rows, self.columns), dtype=np.float32)

    def _fixed_point(self, points: Sequence[Point]) -> NDArray[np.int32]:
        scale = 1 << _SUBPIXEL_BITS
        pixels = [self.to_px(point) for point in points]
        return np.array([[round(column * scale), round(row * scale)] for row, column in pixels], np.int32)

    def filled(self, outline: Sequence[Point]) -> NDArray[np.uint8]:
        """1 inside a closed outline, else 0."""
        mask = np.zeros((self.rows, self.columns), dtype=np.uint8)
        cv2.fillPoly(mask, [self._fixed_point(outline)], (1.0,), shift=_SUBPIXEL_BITS)
        return mask

    def pillow(self, mask: NDArray[np.uint8], *, edge_mm: float) -> Plane:
        """0..1 inside a mask, rounded off towards its edge over `edge_mm` as a lung or a heart is."""
        reach = cv2.distanceTransform(mask, cv2.DIST_L2, 3) * np.float32(self.pixel_mm / edge_mm)
        depth = 1.0 - np.minimum(reach, 1.0)
        return np.asarray(np.sqrt(1.0 - depth * depth), dtype=np.float32)

    def tubes(self, curves: Sequence[Sequence[Point]], *, radius_mm: float, wall_mm: float) -> Plane:
        """Millimetres of bone in hollow tubes of one radius along curves (ribs, clavicles)."""
        away = np.full((self.rows, self.columns), 255, dtype=np.uint8)
        lines = [self._fixed_point(curve) for curve in curves]
        cv2.polylines(away, lines, isClosed=False, color=(0.0,), shift=_SUBPIXEL_BITS)
        distance = cv2.distanceTransform(away, cv2.DIST_L2, 5) * np.float32(self.pixel_mm)
        return chord(distance, radius_mm) - chord(distance, radius_mm - wall_mm)

    def long_bone(self, plane: Plane, ends: tuple[Point, Point], *, shaft_mm: float, head_mm: float) -> None:
        """Add to `plane` a long bone: a cortical tube that widens to thin-walled ends.

        `shaft_mm` and `head_mm` are radii. Modelled as stacked discs along a straight axis.
        """
        (row0, column0), (row1, column1) = ends
        length = float(np.hypot(row1 - row0, column1 - column0))
        y, x = self.grid()
        reach = head_mm * 1.2
        rows = (y[:, 0] >= min(row0, row1) - reach) & (y[:, 0] <= max(row0, row1) + reach)
        columns = (x[0] >= min(column0, column1) - reach) & (x[0] <= max(column0, column1) + reach)
        if not rows.any() or not columns.any():
            return
        box = np.ix_(rows, columns)
        dy, dx = y[rows] - row0, x[:, columns] - column0
        along = (dy * (row1 - row0) + dx * (column1 - column0)) / length
        aside = np.abs(dx * (row1 - row0) - dy * (column1 - column0)) / length
        beyond = np.maximum(np.maximum(-along, along - length), 0.0)
        aside = np.hypot(aside, beyond * (head_mm / max(head_mm * 0.5, 1e-3)))
        place = np.clip(np.abs(along / length * 2.0 - 1.0), 0.0, 1.0)
        radius = shaft_mm + (head_mm - shaft_mm) * place**4
        wall = np.maximum(shaft_mm * 0.45 * (1.0 - place**3), 0.55)
        cortex = chord(aside, radius) - chord(aside, radius - wall)
        spongy = 0.16 * chord(aside, radius - wall)
        plane[box] += (cortex + spongy).astype(np.float32)


def chord(distance_mm: NDArray[np.floating], radius_mm: float | NDArray[np.floating]) -> Plane:
    """Length of the ray through a cylinder at `distance_mm` from its axis."""
    half = np.square(np.maximum(radius_mm, 0.0)) - np.square(distance_mm)
    return np.asarray(2.0 * np.sqrt(np.maximum(half, 0.0)), dtype=np.float32)


def smooth_curve(points: Sequence[Point], *, steps: int = 12) -> list[Point]:
    """A Catmull-Rom curve through the points (its ends repeated)."""
    path = np.array([points[0], *points, points[-1]], dtype=np.float64)
    t = np.linspace(0.0, 1.0, steps, endpoint=False)[:, None]
    pieces = []
    for a, b, c, d in zip(path, path[1:], path[2:], path[3:], strict=False):
        pieces.append(
            0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        )
    curve = np.concatenate([*pieces, path[-1:]])
    return [(float(row), float(column)) for row, column in curve]


def tissue_texture(canvas: Canvas, rng: np.random.Generator, *, contrast: float) -> Plane:
    """Random fine structure around 1, such as trabeculae and fat lobules give, from 0.5 mm to 8 mm.

    Octaves of equal power per octave: a spectrum that falls with the square of the frequency in the plane,
    as measured in radiographs (A. Burgess, J. Opt. Soc. Am. A 16, 1999, 633).
    """
    texture = canvas.empty()
    for grain_mm in (0.5, 1.0, 2.0, 4.0, 8.0):
        rows = max(4, round(canvas.rows * canvas.pixel_mm / grain_mm))
        columns = max(4, round(canvas.columns * canvas.pixel_mm / grain_mm))
        grains = rng.standard_normal((min(rows, canvas.rows), min(columns, canvas.columns)), dtype=np.float32)
        texture += cv2.resize(grains, (canvas.columns, canvas.rows), interpolation=cv2.INTER_CUBIC)
    return 1.0 + texture * np.float32(contrast)
