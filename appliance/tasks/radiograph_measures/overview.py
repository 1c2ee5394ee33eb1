# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A small copy of a radiograph, on which positions are measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.domain.image import GreyArray, PixelImage

OVERVIEW_PX: Final = 256
"""Longer side of the overview: 1.7 mm per pixel on a 43 cm detector, finer than any limit on a length
below, and small enough that everything measured on it takes a few milliseconds."""
LOW_PERCENTILE: Final = 0.5
HIGH_PERCENTILE: Final = 99.5
"""What counts as darkest and brightest: lead letters and dead pixels are fewer than this."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Overview:
    """Area means of a frame."""

    grey: GreyArray
    """Modality units, higher is brighter."""
    level: GreyArray
    """`grey` with its percentiles `LOW_PERCENTILE` and `HIGH_PERCENTILE` at 0 and 1, not clipped."""
    step_px: tuple[float, float]
    """Source pixels per overview pixel: rows, columns."""
    pixel_mm: tuple[float, float] | None
    """Millimetres per overview pixel; None when the header gives no spacing."""

    def to_source(self, row: float, column: float) -> tuple[float, float]:
        """Source pixel of the centre of an overview pixel."""
        return (row + 0.5) * self.step_px[0] - 0.5, (column + 0.5) * self.step_px[1] - 0.5


def overview_of(image: PixelImage) -> Overview:
    """Reduce a frame so that its longer side has at most `OVERVIEW_PX` pixels. Padding becomes darkest."""
    rows, columns = image.shape
    reduction = max(1.0, max(rows, columns) / OVERVIEW_PX)
    size = (max(1, round(columns / reduction)), max(1, round(rows / reduction)))
    grey = np.array(image.to_grey(_area_mean(image.stored, size)))
    padding = image.padding_mask()
    if padding is not None and padding.any():
        covered = cv2.resize(padding.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
        if covered.any() and not covered.all():
            grey[covered] = grey[~covered].min()
    low, high = np.percentile(grey, (LOW_PERCENTILE, HIGH_PERCENTILE))
    level = (grey - np.float32(low)) / np.float32(max(high - low, 1e-6))
    for array in (grey, level):
        array.flags.writeable = False
    step = (rows / size[1], columns / size[0])
    spacing = image.spacing_mm
    return Overview(
        grey=grey,
        level=level,
        step_px=step,
        pixel_mm=None if spacing is None else (spacing[0] * step[0], spacing[1] * step[1]),
    )


def _area_mean(stored: NDArray[np.generic], size: tuple[int, int]) -> NDArray[np.generic]:
    """Area mean; through float where the whole numbers of a few grey levels would be too coarse."""
    if stored.dtype == np.int8:
        stored = stored.astype(np.int16)
    if stored.dtype == np.uint8:
        rows, columns = stored.shape
        halfway = (max(size[0], columns // 4), max(size[1], rows // 4))
        stored = cv2.resize(stored, halfway, interpolation=cv2.INTER_AREA).astype(np.float32)
    return cv2.resize(stored, size, interpolation=cv2.INTER_AREA)
