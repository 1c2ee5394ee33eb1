# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Whether there is a signal at all, and whether it fits the detector's range."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from appliance.domain.image import PixelImage
from appliance.tasks.radiograph_measures.exposed_field import ExposedField, Mask
from appliance.tasks.radiograph_measures.overview import Overview

_PLATEAU_PERCENT: Final = 0.05
"""Part of the field that must share one extreme value before it is a plateau and not just an extreme."""
_INNER_PX: Final = 2
"""Overview pixels along the edge of the field that do not count."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Clipped:
    """Pixels inside the patient that hold the largest or smallest value there is."""

    burnt_percent: float
    """Black plateaus that do not touch the edge of the field, in per cent of the field."""
    white_percent: float
    """White plateaus that do not touch the edge of the field, in per cent of the field."""
    burnt_mask: Mask
    """1 in burnt regions; overview pixels."""


def clipped_parts(image: PixelImage, overview: Overview, field: ExposedField) -> Clipped:
    """Look at single pixels (not means) on a grid as fine as the overview."""
    rows, columns = overview.grey.shape
    row_places = np.minimum(((np.arange(rows) + 0.5) * overview.step_px[0]).astype(int), image.shape[0] - 1)
    column_places = np.minimum(
        ((np.arange(columns) + 0.5) * overview.step_px[1]).astype(int), image.shape[1] - 1
    )
    sample = np.asarray(image.to_grey(image.stored[np.ix_(row_places, column_places)]))
    kernel = np.ones((2 * _INNER_PX + 1, 2 * _INNER_PX + 1), np.uint8)
    inner: Mask = cv2.erode(field.mask, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0.0)
    total = max(int(inner.sum()), 1)
    values = sample[inner > 0]
    if values.size == 0 or values.min() == values.max():
        return Clipped(burnt_percent=0.0, white_percent=0.0, burnt_mask=np.zeros_like(inner))
    black = ((sample <= values.min()) & (inner > 0)).astype(np.uint8)
    white = ((sample >= values.max()) & (inner > 0)).astype(np.uint8)
    white_percent = 100.0 * float(_islands(white, inner).sum()) / total
    burnt = _islands(black, inner)
    burnt_percent = 100.0 * float(burnt.sum()) / total
    return Clipped(
        burnt_percent=burnt_percent if burnt_percent >= _PLATEAU_PERCENT else 0.0,
        white_percent=white_percent if white_percent >= _PLATEAU_PERCENT else 0.0,
        burnt_mask=burnt,
    )


def _islands(plateau: Mask, inner: Mask) -> Mask:
    """Regions of `plateau` that do not reach the outside of `inner`: air beside the patient does."""
    outside: Mask = cv2.copyMakeBorder(1 - inner, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1.0)
    framed: Mask = cv2.copyMakeBorder(plateau, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1.0)
    _, labels = cv2.connectedComponents(cv2.bitwise_or(framed, outside), connectivity=8)
    islands: Mask = (plateau & (labels[1:-1, 1:-1] != labels[0, 0])).astype(np.uint8)
    opened: Mask = cv2.morphologyEx(islands, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    return opened


def structure_percent(image: PixelImage, overview: Overview, field: ExposedField) -> float:
    """How much there is to see: what a smooth surface over the field leaves, in % of the stored range.

    A blank exposure has the falling-off of the beam (a surface of second order) and noise, which the
    overview averages away; anything in the beam leaves more.
    """
    kernel = np.ones((9, 9), np.uint8)
    inner = cv2.erode(field.mask, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0.0) > 0
    if inner.sum() < 100:
        inner = field.mask > 0
    rows, columns = np.nonzero(inner)
    rows, columns = rows[::7], columns[::7]
    y = rows / overview.grey.shape[0] - 0.5
    x = columns / overview.grey.shape[1] - 0.5
    surface = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1)
    values = overview.grey[rows, columns].astype(np.float64)
    # Normal equations: places lie within +-0.5, so they are well conditioned, and 25 times as quick.
    fit = np.linalg.pinv(surface.T @ surface, hermitian=True) @ (surface.T @ values)
    low, high = image.stored_range
    full = abs(image.slope) * (high - low)
    return 100.0 * float(np.std(values - surface @ fit)) / max(full, 1e-9)
