# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A small copy of a radiograph, on which positions are measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.domain.image import GreyArray, PixelImage

OVERVIEW_PX: Final = 256
"""Longer side of the overview: 1.7 mm per pixel on a 43 cm detector, finer than any limit on a length
below, and small enough that everything measured on it takes a few milliseconds."""
SCREEN_PX: Final = 1024
"""Longer side at which noise is measured: a 1-megapixel view, whatever the detector's own pixels are."""
HALF_SCREEN_PX: Final = 512
"""Longer side at which blur is measured; the limit was found at this size."""
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
    screen: GreyArray
    """Modality units at `SCREEN_PX`."""
    half_screen: GreyArray
    """Modality units at `HALF_SCREEN_PX`."""
    step_px: tuple[float, float]
    """Source pixels per overview pixel: rows, columns."""
    pixel_mm: tuple[float, float] | None
    """Millimetres per overview pixel; None when the header gives no spacing."""

    def to_source(self, row: float, column: float) -> tuple[float, float]:
        """Source pixel of the centre of an overview pixel."""
        return (row + 0.5) * self.step_px[0] - 0.5, (column + 0.5) * self.step_px[1] - 0.5


def overview_of(image: PixelImage) -> Overview:
    """Reduce a frame in steps: screen, half screen, overview. Padding becomes darkest."""
    screen = _reduced(
        image.stored.astype(np.int16) if image.stored.dtype == np.int8 else image.stored, SCREEN_PX
    )
    half = _reduced(screen.astype(np.float32), HALF_SCREEN_PX)
    small = _reduced(half, OVERVIEW_PX)
    grey = np.array(image.to_grey(small))
    rows, columns = image.shape
    padding = image.padding_mask()
    if padding is not None and padding.any():
        size = (grey.shape[1], grey.shape[0])
        covered = cv2.resize(padding.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
        if covered.any() and not covered.all():
            grey[covered] = grey[~covered].min()
    low, high = np.percentile(grey, (LOW_PERCENTILE, HIGH_PERCENTILE))
    level = (grey - np.float32(low)) / np.float32(max(high - low, 1e-6))
    for array in (grey, level):
        array.flags.writeable = False
    step = (rows / grey.shape[0], columns / grey.shape[1])
    spacing = image.spacing_mm
    return Overview(
        grey=grey,
        level=level,
        screen=image.to_grey(screen),
        half_screen=image.to_grey(half),
        step_px=step,
        pixel_mm=None if spacing is None else (spacing[0] * step[0], spacing[1] * step[1]),
    )


def _reduced(pixels: NDArray[Any], longer_px: int) -> NDArray[Any]:
    """Area means with at most `longer_px` on the longer side; never enlarged."""
    rows, columns = pixels.shape
    reduction = max(rows, columns) / longer_px
    if reduction <= 1.0:
        return pixels
    size = (max(1, round(columns / reduction)), max(1, round(rows / reduction)))
    reduced: NDArray[Any] = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return reduced
