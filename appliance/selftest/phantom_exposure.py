# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""From attenuation to the pixels of a radiograph: quanta, detector, collimator, and planted faults.

Every fault has a size that is known exactly, so a measurement can be compared with what was planted.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.selftest.phantom_canvas import Canvas, Plane

QUANTA_PER_MM2: Final = 75_000.0
"""Detected quanta behind `REFERENCE_ATTENUATION` at target exposure: 2.5 uGy (speed class 400) of about
30,000 quanta per mm2 and uGy (IEC 62220-1-1, RQA5), all of them detected."""
REFERENCE_ATTENUATION: Final = 2.6
"""Lungs and mediastinum averaged, in the chest of phantom_chest."""
_SCATTERED_PART: Final = 0.04
"""Scattered radiation that reaches the shuttered border, as a part of what the open field gets."""


class Shutter(str, Enum):
    """What the picture shows outside the collimated field."""

    BLACK = "black"
    """Masked by the modality's electronic shutter."""
    UNEXPOSED = "unexposed"
    """Left as it is: little radiation, so bright."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposurePlan:
    """How the picture is taken, and what is wrong with it. The default is a good one."""

    shift_mm: tuple[float, float] = (0.0, 0.0)
    """Displacement of the patient on the detector: (down, right) as viewed."""
    collimation_mm: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    """Width of the shuttered border: top, right, bottom, left."""
    shutter: Shutter = Shutter.BLACK
    turned_degrees: int = 0
    """How far the finished picture is turned clockwise: 0, 90, 180 or 270."""
    dose: float = 1.0
    """Exposure over the target exposure; 0.1 is badly underexposed."""
    burnt_attenuation: float | None = None
    """The detector's limit: everything that attenuates less is saturated (shown black)."""
    blur_px: int = 0
    """Length of the motion blur along the columns (up and down)."""
    dead_columns: tuple[int, ...] = ()
    dead_rows: tuple[int, ...] = ()
    """Detector lines that read a constant value; in pixels of the picture before it is turned."""
    blank: bool = False
    """No patient in the beam."""
    marker: str | None = "R"
    """Lead letter in the upper corner on the left of the picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Display:
    """Which attenuations are black and white in the finished picture, and how it is stored."""

    black: float
    white: float
    bits_stored: int = 14
    monochrome1: bool = False


def expose(
    attenuation: Plane, canvas: Canvas, plan: ExposurePlan, display: Display, rng: np.random.Generator
) -> NDArray[np.uint16]:
    """Stored pixels of the finished picture, turned as planned.

    `attenuation` may be sampled more coarsely than `canvas`; it is interpolated. Noise follows the number
    of quanta that arrive in each pixel: var(ln N) = 1/N.
    """
    size = (canvas.columns, canvas.rows)
    signal = np.zeros_like(attenuation) if plan.blank else attenuation
    if plan.marker is not None and not plan.blank:
        signal = _with_marker(signal, plan.marker)
    if signal.shape != (canvas.rows, canvas.columns):
        signal = cv2.resize(signal, size, interpolation=cv2.INTER_CUBIC)
    if plan.blur_px > 1:
        signal = cv2.blur(signal, (1, plan.blur_px))
    signal = signal + _heel_effect(canvas)
    signal = np.maximum(signal, 0.0, out=signal)
    _shutter_unexposed(signal, canvas, plan)
    quanta = plan.dose * QUANTA_PER_MM2 * canvas.pixel_mm**2 * float(np.exp(REFERENCE_ATTENUATION))
    deviation = cv2.exp(signal * np.float32(0.5)) * np.float32(1.0 / np.sqrt(quanta))
    signal += deviation * rng.standard_normal(signal.shape, dtype=np.float32)
    if plan.burnt_attenuation is not None:
        np.maximum(signal, plan.burnt_attenuation, out=signal)
    black = display.black if plan.burnt_attenuation is None else plan.burnt_attenuation
    return _stored(signal, canvas, plan, display, black=black)


def _stored(
    signal: Plane, canvas: Canvas, plan: ExposurePlan, display: Display, *, black: float
) -> NDArray[np.uint16]:
    top = (1 << display.bits_stored) - 1
    grey = (signal - np.float32(black)) * np.float32(1.0 / (display.white - black))
    np.clip(grey, 0.0, 1.0, out=grey)
    stored = cv2.convertScaleAbs(grey, alpha=255.0) if display.bits_stored == 8 else None
    pixels = (grey * np.float32(top) + np.float32(0.5)).astype(np.uint16) if stored is None else stored
    pixels = pixels.astype(np.uint16, copy=False)
    for column in plan.dead_columns:
        pixels[:, column] = top
    for row in plan.dead_rows:
        pixels[row, :] = top
    if plan.shutter is Shutter.BLACK:
        rows, columns = open_field_px(canvas, plan)
        keep = np.zeros(pixels.shape, dtype=bool)
        keep[rows, columns] = True
        pixels[~keep] = 0
    if display.monochrome1:
        pixels = np.uint16(top) - pixels
    return np.ascontiguousarray(np.rot90(pixels, k=-(plan.turned_degrees // 90)))


def open_field_px(canvas: Canvas, plan: ExposurePlan) -> tuple[slice, slice]:
    """Rows and columns of the picture (before it is turned) that the collimator leaves open."""
    top, right, bottom, left = (round(width / canvas.pixel_mm) for width in plan.collimation_mm)
    return slice(top, canvas.rows - bottom), slice(left, canvas.columns - right)


def _shutter_unexposed(signal: Plane, canvas: Canvas, plan: ExposurePlan) -> None:
    if plan.shutter is not Shutter.UNEXPOSED or not any(plan.collimation_mm):
        return
    rows, columns = open_field_px(canvas, plan)
    covered: Plane = np.ones(signal.shape, dtype=np.float32)
    covered[rows, columns] = 0.0
    covered = cv2.GaussianBlur(covered, (0, 0), max(0.8 / canvas.pixel_mm, 0.5))
    scatter = REFERENCE_ATTENUATION - float(np.log(_SCATTERED_PART))
    signal += covered * (np.float32(scatter) - signal)


def _heel_effect(canvas: Canvas) -> Plane:
    """The anode side of the field gets less: 12 % over the field, and 6 % less towards its corners."""
    y, x = canvas.grid()
    half = canvas.rows * canvas.pixel_mm / 2
    return (0.06 * (y / half) + 0.03 * ((y / half) ** 2 + (x / half) ** 2) + 0.06).astype(np.float32)


def _with_marker(signal: Plane, letter: str) -> Plane:
    marked = signal.copy()
    height = max(signal.shape[0] // 40, 8)
    scale = cv2.getFontScaleFromHeight(cv2.FONT_HERSHEY_SIMPLEX, height, max(height // 8, 1))
    lead = np.zeros(signal.shape, dtype=np.uint8)
    place = (signal.shape[1] // 14, signal.shape[0] // 8)
    cv2.putText(lead, letter, place, cv2.FONT_HERSHEY_SIMPLEX, scale, (1.0,), max(height // 6, 1))
    return np.where(lead > 0, marked + np.float32(4.0), marked)
