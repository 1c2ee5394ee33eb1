# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The attenuation of a chest, back to front, as a radiograph sees it.

Plausible anatomy of an adult at full inspiration, drawn from the proportions of an ordinary PA film. The
patient's right is on the left of the picture. Nothing here was traced from a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.selftest.phantom_canvas import (
    MU_BONE_EXTRA_PER_MM,
    MU_SOFT_PER_MM,
    Canvas,
    Plane,
    Point,
    smooth_curve,
    tissue_texture,
)

LUNG_DENSITY: Final = 0.26
"""Inflated lung against soft tissue (ICRU Report 44: 0.26 g/cm3)."""
LUNG_DEPTH_MM: Final = 155.0
"""Beam path inside a lung at its thickest."""

_SOFT_TEXTURE: Final = 0.006
_BONE_TEXTURE: Final = 0.07
"""Contrast of each octave of fine structure: to the eye like that of real films."""

RIGHT_LUNG: Final[tuple[Point, ...]] = (
    (-158, -48), (-150, -72), (-120, -101), (-70, -124), (0, -137), (60, -142), (106, -141),
    (86, -112), (72, -78), (76, -45), (88, -24), (40, -27), (0, -32), (-50, -24), (-110, -20), (-145, -28),
)  # fmt: skip
"""Outline of the lung on the left of the picture."""
LEFT_LUNG: Final[tuple[Point, ...]] = (
    (-160, 48), (-152, 72), (-122, 101), (-70, 124), (0, 138), (60, 144), (116, 142),
    (98, 114), (86, 84), (90, 58), (100, 30), (40, 27), (0, 34), (-50, 30), (-110, 20), (-147, 28),
)  # fmt: skip
"""Outline of the lung on the right of the picture."""
_TORSO_ROWS_MM: Final = (-300.0, -215.0, -190.0, -165.0, -130.0, -90.0, -45.0, -25.0, 60.0, 140.0, 300.0)
_TORSO_HALF_WIDTH_MM: Final = (62.0, 60.0, 78.0, 165.0, 215.0, 228.0, 205.0, 170.0, 164.0, 158.0, 162.0)
_TORSO_DEPTH_MM: Final = (115.0, 120.0, 135.0, 150.0, 175.0, 200.0, 215.0, 218.0, 222.0, 225.0, 228.0)
"""Neck, shoulders, armpits, chest, abdomen: half width and depth at each of the rows above."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChestTruth:
    """Where the lungs really are, in millimetres from the centre of the patient."""

    right_lung: tuple[Point, ...]
    left_lung: tuple[Point, ...]

    def lowest_mm(self) -> tuple[float, float]:
        """Row of the lowest point of the right and of the left lung."""
        return max(row for row, _ in self.right_lung), max(row for row, _ in self.left_lung)


def chest_attenuation(canvas: Canvas, rng: np.random.Generator) -> tuple[Plane, ChestTruth]:
    """The attenuation map of the whole field, and the outlines that were drawn."""
    right, left = smooth_curve([*RIGHT_LUNG, RIGHT_LUNG[0]]), smooth_curve([*LEFT_LUNG, LEFT_LUNG[0]])
    soft_mm = _torso(canvas)
    mediastinum = _mediastinum(canvas)
    for outline, hilum in ((right, (-20.0, -38.0)), (left, (-28.0, 42.0))):
        mask = canvas.filled(outline)
        air = canvas.pillow(mask, edge_mm=55.0) * np.float32(LUNG_DEPTH_MM)
        vessels = _vessels(canvas, mask, hilum, rng)
        covered = np.maximum(mediastinum * np.float32(120.0), vessels)
        soft_mm -= np.maximum(air - covered, 0.0) * np.float32(1.0 - LUNG_DENSITY)
    soft_mm -= _airways_mm(canvas)
    bone_mm = _thoracic_bones(canvas)
    np.maximum(soft_mm, 0.0, out=soft_mm)
    soft_mm *= tissue_texture(canvas, rng, contrast=_SOFT_TEXTURE)
    bone_mm *= tissue_texture(canvas, rng, contrast=_BONE_TEXTURE)
    attenuation = soft_mm * np.float32(MU_SOFT_PER_MM) + bone_mm * np.float32(MU_BONE_EXTRA_PER_MM)
    return attenuation.astype(np.float32), ChestTruth(right_lung=tuple(right), left_lung=tuple(left))


def _torso(canvas: Canvas) -> Plane:
    y, x = canvas.grid()
    half_width = np.interp(y, _TORSO_ROWS_MM, _TORSO_HALF_WIDTH_MM).astype(np.float32)
    depth = np.interp(y, _TORSO_ROWS_MM, _TORSO_DEPTH_MM).astype(np.float32)
    inside = np.maximum(1.0 - np.abs(x / half_width) ** 2.6, 0.0)
    return (depth * np.sqrt(inside)).astype(np.float32)


def _mediastinum(canvas: Canvas) -> Plane:
    """0..1: how much of the lung's depth is taken by heart and great vessels."""
    heart = canvas.filled(
        smooth_curve(
            [(-8, -26), (30, -42), (68, -40), (96, -8), (98, 44), (84, 84), (52, 78), (10, 50), (-30, 34)]
        )
    )
    knob = canvas.filled(smooth_curve([(-100, -24), (-106, 12), (-92, 33), (-70, 36), (-40, 40), (0, 30)]))
    hila = canvas.filled(smooth_curve([(-45, -34), (-22, -52), (6, -46), (14, -30), (-20, -22)]))
    hila |= canvas.filled(smooth_curve([(-52, 38), (-30, 56), (-4, 50), (2, 34), (-30, 28)]))
    solid = canvas.pillow(heart | knob, edge_mm=26.0)
    return cv2.GaussianBlur(np.maximum(solid, 0.55 * canvas.pillow(hila, edge_mm=14.0)), (0, 0), 1.5)


def _vessels(canvas: Canvas, mask: NDArray[np.uint8], hilum: Point, rng: np.random.Generator) -> Plane:
    """Millimetres of blood in vessels that branch from the hilum and taper."""
    drawn = canvas.empty()
    side = -1.0 if hilum[1] < 0 else 1.0
    tips = [(hilum, float(angle), 4.6) for angle in np.linspace(-1.35, 1.35, 9)]
    while tips:
        (row, column), angle, width = tips.pop()
        length = float(rng.uniform(9.0, 17.0))
        end = (row + length * float(np.sin(angle)), column + side * length * float(np.cos(angle)))
        start_px, end_px = canvas.to_px((row, column)), canvas.to_px(end)
        thickness = max(1, round(width / canvas.pixel_mm))
        cv2.line(
            drawn,
            (round(start_px[1]), round(start_px[0])),
            (round(end_px[1]), round(end_px[0])),
            (width * 9.0,),
            thickness,
            cv2.LINE_AA,
        )
        if width < 0.75:
            continue
        turns = (rng.uniform(-0.5, -0.05), rng.uniform(0.05, 0.5))
        tips.extend((end, angle + float(turn), width * float(rng.uniform(0.66, 0.86))) for turn in turns)
    drawn = cv2.GaussianBlur(drawn, (0, 0), max(0.6 / canvas.pixel_mm, 0.6))
    return drawn * mask


def _airways_mm(canvas: Canvas) -> Plane:
    trachea = [smooth_curve([(-260, 0), (-160, 1), (-85, 2)])]
    bronchi = [
        smooth_curve([(-85, 2), (-62, -14), (-40, -28)]),
        smooth_curve([(-85, 2), (-60, 20), (-46, 38)]),
    ]
    air = canvas.tubes(trachea, radius_mm=8.0, wall_mm=8.0) + 0.8 * canvas.tubes(
        bronchi, radius_mm=5.5, wall_mm=5.5
    )
    bubble = canvas.filled(smooth_curve([(112, 62), (108, 92), (122, 112), (140, 96), (140, 66), (112, 62)]))
    return (air + canvas.pillow(bubble, edge_mm=16.0) * np.float32(45.0)).astype(np.float32)


def _thoracic_bones(canvas: Canvas) -> Plane:
    posterior, anterior = [], []
    for index in range(11):
        top = -158.0 + 25.0 * index
        reach = float(np.interp(index, (0, 1, 3, 6, 10), (62.0, 92.0, 124.0, 147.0, 150.0)))
        for side in (-1.0, 1.0):
            posterior.append(
                smooth_curve(
                    [
                        (top + 3, side * 18),
                        (top - 5, side * reach * 0.4),
                        (top + 4, side * reach * 0.75),
                        (top + 30, side * reach),
                    ]
                )
            )
            if 1 <= index <= 7:
                anterior.append(
                    smooth_curve(
                        [
                            (top + 30, side * reach),
                            (top + 60, side * reach * 0.86),
                            (top + 82, side * reach * 0.58),
                            (top + 86, side * 48),
                        ]
                    )
                )
    clavicles = [
        smooth_curve([(-118, side * 16), (-132, side * 62), (-142, side * 112), (-160, side * 168)])
        for side in (-1.0, 1.0)
    ]
    bone = canvas.tubes(posterior, radius_mm=6.2, wall_mm=1.5)
    bone += np.float32(0.7) * canvas.tubes(anterior, radius_mm=6.8, wall_mm=1.0)
    bone += canvas.tubes(clavicles, radius_mm=6.5, wall_mm=2.2)
    for side in (-1.0, 1.0):
        scapula = smooth_curve(
            [(-128, side * 172), (-118, side * 134), (-40, side * 128), (18, side * 146), (-60, side * 182)]
        )
        bone += np.float32(4.0) * canvas.pillow(canvas.filled(scapula), edge_mm=4.0)
        canvas.long_bone(bone, ((-128.0, side * 196), (60.0, side * 252)), shaft_mm=12.0, head_mm=24.0)
    return bone + _spine(canvas)


def _spine(canvas: Canvas) -> Plane:
    y, x = canvas.grid()
    half_width = np.interp(y, (-300.0, -100.0, 200.0), (11.0, 15.0, 21.0)).astype(np.float32)
    body = np.sqrt(np.maximum(1.0 - (x / half_width) ** 4, 0.0))
    phase = np.mod(y + 300.0, 25.0) / 25.0
    plates = 1.0 - 0.45 * np.exp(-(((phase - 0.5) / 0.12) ** 2))
    process = np.exp(-((x / 4.0) ** 2) - (((phase - 0.15) / 0.16) ** 2))
    pedicles = np.exp(-(((np.abs(x) - half_width * 0.72) / 2.5) ** 2) - (((phase - 0.95) / 0.1) ** 2))
    return np.asarray(body * plates * 17.0 + process * 7.0 + pedicles * 6.0, dtype=np.float32)
