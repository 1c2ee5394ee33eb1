# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Rows or columns of the detector that differ from their neighbours all along."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.domain.image import PixelImage

_SEGMENTS: Final = 12
"""Each line is looked at in this many pieces: anatomy and letters cross a few of them, a defect most."""
_NEIGHBOURS: Final = 7
"""Window of the running median that a line is compared with: defects up to 3 lines wide stand out, and a
step (a collimator's edge) does not."""
_AROUND: Final = 61
"""Lines over which the usual deviation is taken, so that lines along ribs are compared with ribs."""
_SIGMAS: Final = 8.0
"""How far outside the usual deviation a line must lie. Chance alone stays below 5 in 40,000 pieces."""
_LEAST_PART: Final = 0.6
"""Part of the pieces in which it must stand out, to the same side."""
_LEAST_LEVEL: Final = 0.01
"""And at least this part of the grey range: fainter lines do not disturb a reader."""
_MARGIN: Final = 0.02
"""Part of the detector at either edge that is left out: masked or interpolated by the modality."""
SMALLEST_DETECTOR_PX: Final = 1000
"""A picture whose longer side is shorter has been reduced: single detector lines are no longer in it.
The coarsest radiographic detectors have 0.2 mm pixels: 1000 of them cover 20 cm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DefectLine:
    """One line, in source pixels."""

    is_row: bool
    index: int


def defect_lines(image: PixelImage) -> tuple[DefectLine, ...]:
    """All defective lines, rows first. Neighbouring ones are reported as one, at their middle."""
    stored = image.stored.astype(np.int16) if image.stored.dtype == np.int8 else image.stored
    found: list[DefectLine] = []
    for is_row in (True, False):
        rows, columns = stored.shape
        if min(rows, columns) < 8 * _SEGMENTS:
            continue
        pieces = _line_means(stored, is_row=is_row)
        found.extend(DefectLine(is_row=is_row, index=index) for index in _standing_out(pieces))
    return tuple(found)


def _line_means(stored: NDArray[Any], *, is_row: bool) -> NDArray[np.float32]:
    """Mean of every line in each segment, shape (segments, lines)."""
    along = stored.shape[1] if is_row else stored.shape[0]
    bounds = np.linspace(0, along, _SEGMENTS + 1).astype(int)
    strips = (stored[:, a:b] if is_row else stored[a:b] for a, b in pairwise(bounds.tolist()))
    means = [cv2.reduce(strip, 1 if is_row else 0, cv2.REDUCE_AVG, dtype=cv2.CV_32F) for strip in strips]
    return np.stack([mean.ravel() for mean in means]).astype(np.float32)


def _standing_out(pieces: NDArray[np.float32]) -> list[int]:
    """Indices of lines in `pieces`, shape (segments, lines)."""
    away = pieces - _running_median(pieces, _NEIGHBOURS)
    spread = 1.4826 * _running_median(np.abs(away), _AROUND)
    low, high = np.percentile(pieces, (1, 99))
    least = np.maximum(spread * _SIGMAS, max((high - low) * _LEAST_LEVEL, 1e-6))
    votes = np.maximum((away > least).sum(axis=0), (away < -least).sum(axis=0))
    lines = np.flatnonzero(votes >= _LEAST_PART * _SEGMENTS)
    margin = round(_MARGIN * pieces.shape[1])
    lines = lines[(lines >= margin) & (lines < pieces.shape[1] - margin)]
    if lines.size == 0:
        return []
    groups = np.split(lines, np.flatnonzero(np.diff(lines) > _NEIGHBOURS // 2) + 1)
    return [int(group[len(group) // 2]) for group in groups]


def _running_median(pieces: NDArray[np.float32], window: int) -> NDArray[np.float32]:
    """Along the lines; long windows on every fourth line, which is enough for a spread."""
    stride = 4 if window > 16 else 1
    half = window // 2
    padded = np.pad(pieces, ((0, 0), (half, half)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, window, axis=1)[:, ::stride, ::stride]
    median = np.median(windows, axis=2)
    return np.repeat(median, stride, axis=1)[:, : pieces.shape[1]].astype(np.float32)
