# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The attenuation of a hand and of a forearm, drawn from ordinary proportions of an adult.

A right hand, palm on the detector (PA): the thumb is on the right of the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from appliance.selftest.phantom_canvas import (
    MU_BONE_EXTRA_PER_MM,
    MU_SOFT_PER_MM,
    Canvas,
    Plane,
    Point,
    chord,
    tissue_texture,
)

_MU_SCALE: Final = 1.45
"""Limbs are taken at 50 to 60 kVp: soft tissue and bone attenuate more than in the 125 kVp chest beam."""

_FINGERS: Final[tuple[tuple[Point, float, tuple[float, ...], float], ...]] = (
    ((8.0, -24.0), -15.0, (46.0, 31.0, 18.0, 16.0), 3.4),
    ((2.0, -9.0), -6.0, (52.0, 39.0, 25.0, 18.0), 3.9),
    ((0.0, 5.0), 1.0, (57.0, 42.0, 28.0, 19.0), 4.1),
    ((2.0, 19.0), 9.0, (60.0, 39.0, 23.0, 17.0), 4.2),
    ((14.0, 31.0), 44.0, (42.0, 30.0, 23.0), 4.4),
)
"""Little finger to thumb: base of the metacarpal, direction (degrees from up, to the right positive),
lengths of metacarpal and phalanges, radius of the shaft; all in millimetres."""
_CARPALS: Final[tuple[tuple[Point, float], ...]] = (
    ((14, -21), 7.0), ((12, -8), 8.0), ((10, 6), 8.5), ((13, 20), 7.5),
    ((25, -20), 7.5), ((27, -5), 8.5), ((24, 12), 9.5), ((21, -14), 5.5),
)  # fmt: skip
_HAND_CENTRE_MM: Final = 32.0
"""How far above the carpometacarpal joints the centre of a well placed field lies."""
_JOINT_GAP_MM: Final = 1.6
"""Cartilage between two bones: seen as a dark line."""


def hand_attenuation(canvas: Canvas, rng: np.random.Generator) -> Plane:
    """A hand with wrist and the ends of the forearm, which leaves the field at its lower edge."""
    canvas = replace(canvas, centre_mm=(canvas.centre_mm[0] - _HAND_CENTRE_MM, canvas.centre_mm[1]))
    bone, outlines = canvas.empty(), list[tuple[Sequence[Point], float]]()
    for base, degrees, lengths, shaft_mm in _FINGERS:
        direction = (-float(np.cos(np.radians(degrees))), float(np.sin(np.radians(degrees))))
        row, column = base
        path = [(row, column)]
        for order, length in enumerate(lengths):
            end = (row + direction[0] * length, column + direction[1] * length)
            narrow = shaft_mm * (1.0 - 0.13 * order)
            canvas.long_bone(bone, ((row, column), end), shaft_mm=narrow, head_mm=narrow * 1.75)
            row, column = end[0] + direction[0] * _JOINT_GAP_MM, end[1] + direction[1] * _JOINT_GAP_MM
            path.append(end)
        tip = (path[-1][0] + direction[0] * 4.0, path[-1][1] + direction[1] * 4.0)
        outlines.append(((path[1], tip), shaft_mm * 2.35))
    _carpals(canvas, bone)
    _forearm_bones(canvas, bone, top=38.0, bottom=330.0)
    soft = _soft_hand(canvas, outlines)
    return _attenuation(canvas, soft, bone, rng)


def forearm_attenuation(canvas: Canvas, rng: np.random.Generator) -> Plane:
    """A whole forearm with elbow above and wrist below."""
    bone = canvas.empty()
    canvas.long_bone(bone, ((-360.0, -2.0), (-128.0, 0.0)), shaft_mm=11.0, head_mm=25.0)
    canvas.long_bone(bone, ((-124.0, 12.0), (112.0, 15.0)), shaft_mm=6.8, head_mm=12.5)
    canvas.long_bone(bone, ((-132.0, -12.0), (110.0, -16.0)), shaft_mm=6.5, head_mm=12.0)
    wrist = replace(canvas, centre_mm=(canvas.centre_mm[0] - 104.0, canvas.centre_mm[1]))
    _carpals(wrist, bone)
    y, x = canvas.grid()
    half_width = np.interp(
        y, (-360.0, -150.0, -80.0, 100.0, 140.0, 400.0), (52.0, 50.0, 46.0, 30.0, 34.0, 44.0)
    )
    soft = np.float32(0.75) * chord(np.abs(x), half_width.astype(np.float32))
    return _attenuation(canvas, soft, bone, rng)


def _attenuation(canvas: Canvas, soft: Plane, bone: Plane, rng: np.random.Generator) -> Plane:
    soft = soft * tissue_texture(canvas, rng, contrast=0.012)
    bone = bone * tissue_texture(canvas, rng, contrast=0.09)
    attenuation = soft * np.float32(MU_SOFT_PER_MM) + bone * np.float32(MU_BONE_EXTRA_PER_MM)
    return (attenuation * np.float32(_MU_SCALE)).astype(np.float32)


def _carpals(canvas: Canvas, bone: Plane) -> None:
    y, x = canvas.grid()
    for (row, column), radius in _CARPALS:
        box = np.ix_(np.abs(y[:, 0] - row) < 12.0, np.abs(x[0] - column) < 12.0)
        distance = np.hypot(y[box[0].ravel()] - row, (x[:, box[1].ravel()] - column) * 0.92)
        shell = chord(distance, radius) - chord(distance, radius - 0.7)
        bone[box] += shell + 0.35 * chord(distance, radius - 0.7)


def _forearm_bones(canvas: Canvas, bone: Plane, *, top: float, bottom: float) -> None:
    canvas.long_bone(bone, ((top, 11.0), (bottom, 6.0)), shaft_mm=6.5, head_mm=14.5)
    canvas.long_bone(bone, ((top + 2.0, -19.0), (bottom, -20.0)), shaft_mm=5.5, head_mm=8.5)


def _soft_hand(canvas: Canvas, fingers: Sequence[tuple[Sequence[Point], float]]) -> Plane:
    y, x = canvas.grid()
    half_width = np.interp(
        y, (-66.0, -58.0, -30.0, 10.0, 35.0, 60.0, 330.0), (0.0, 34.0, 39.0, 37.0, 31.0, 30.0, 44.0)
    ).astype(np.float32)
    centre = np.interp(y, (-60.0, 0.0, 60.0), (0.0, 3.0, -3.0)).astype(np.float32)
    aside = np.abs(x - centre) / np.maximum(half_width, 0.1)
    soft = np.where(half_width > 0, np.sqrt(np.maximum(1.0 - aside**4, 0.0)), 0.0) * np.float32(26.0)
    soft = soft * np.clip((y + 66.0) / 12.0, 0.0, 1.0)
    for ((row0, column0), (row1, column1)), radius in ((tuple(path), radius) for path, radius in fingers):
        length = float(np.hypot(row1 - row0, column1 - column0))
        along = ((y - row0) * (row1 - row0) + (x - column0) * (column1 - column0)) / length
        aside = np.abs((x - column0) * (row1 - row0) - (y - row0) * (column1 - column0)) / length
        beyond = np.maximum(np.maximum(-along, along - length), 0.0)
        soft = np.maximum(soft, chord(np.hypot(aside, beyond), radius))
    thenar = np.hypot((y + 2.0) / 34.0, (x - 34.0) / 17.0)
    soft = np.maximum(soft, 26.0 * np.sqrt(np.maximum(1.0 - thenar**2, 0.0)))
    return soft.astype(np.float32)
