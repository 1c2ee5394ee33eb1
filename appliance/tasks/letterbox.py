# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A large radiograph as the small square that a network looks at, and the way back to its pixels.

The frame is area-averaged first, on its stored values, and only then brought to modality units and
polarity: both are straight lines, so the order does not change the answer, and the large frame is read
once instead of being copied to floats.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.domain.image import PixelImage
from appliance.tasks.halved import area_mean_of_halved

FULL_ROW: Final = 1e-9
"""Rows: how close to a whole number an edge must be to count as one (rounding of rows / rows_out)."""
SMALLEST_COVERAGE: Final = 0.5
"""An output pixel of which less than this share carries data is itself "no data"."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placement:
    """Where a frame lies in the square, and the way back. Follows from the sizes alone."""

    size_px: int
    """Side of the square."""
    scale: tuple[float, float]
    """Tensor pixels per source pixel: along rows, along columns (equal but for rounding)."""
    offset_px: tuple[int, int]
    """(row, column) of the tensor at which the frame begins."""
    frame_px: tuple[int, int]
    """Rows and columns of the tensor that the frame fills."""
    source_px: tuple[int, int]
    """Rows and columns of the source."""

    def to_source(self, row: float, column: float) -> tuple[float, float]:
        """The source position of a tensor position; whole numbers are centres of pixels in both.

        Not clipped: a position in the zeros around the frame lies outside the source.
        """
        return (
            (row + 0.5 - self.offset_px[0]) / self.scale[0] - 0.5,
            (column + 0.5 - self.offset_px[1]) / self.scale[1] - 0.5,
        )

    def heat_to_source(self, heat: NDArray[np.float32]) -> NDArray[np.float32]:
        """A map of any size over the whole square, interpolated linearly to [rows, columns] of the source."""
        side = (self.size_px, self.size_px)
        square = cv2.resize(heat.astype(np.float32), side, interpolation=cv2.INTER_LINEAR)
        top, left = self.offset_px
        frame = square[top : top + self.frame_px[0], left : left + self.frame_px[1]]
        large = cv2.resize(frame, self.source_px[::-1], interpolation=cv2.INTER_LINEAR)
        return np.asarray(large, dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Letterboxed(Placement):
    """The square, and where the frame lies in it."""

    tensor: NDArray[np.float32]
    """[1, 1, size_px, size_px], 0 to 1, higher is brighter, zeros around the frame; read-only."""


def place(source_px: tuple[int, int], *, size_px: int) -> Placement:
    """Where `letterbox` puts a frame of that many rows and columns."""
    fit = size_px / max(source_px)
    rows, columns = (max(1, round(side * fit)) for side in source_px)
    return Placement(
        size_px=size_px,
        scale=(rows / source_px[0], columns / source_px[1]),
        offset_px=((size_px - rows) // 2, (size_px - columns) // 2),
        frame_px=(rows, columns),
        source_px=source_px,
    )


def area_mean(values: NDArray[Any], *, rows: int, columns: int) -> NDArray[np.float32]:
    """The mean of every one of rows x columns equal areas of `values`; neither may exceed its size.

    The same numbers as cv2.resize with INTER_AREA on float32 (to float32 rounding), but whole rows are
    added up as they are stored: a third of the time on 16-bit frames, and no rounding to whole grey values.
    """
    rows_in, columns_in = values.shape
    if values.dtype not in (np.uint8, np.uint16, np.int16, np.float32):
        values = values.astype(np.float32)
    height = rows_in / rows
    sums = np.zeros((rows, columns_in), dtype=np.float32)
    shared = np.empty((1, columns_in), dtype=np.float32)  # the source row that two areas share
    for row in range(rows):
        top, bottom = row * height, (row + 1) * height
        first, after = int(np.ceil(top - FULL_ROW)), int(bottom + FULL_ROW)
        line = sums[row : row + 1]
        if after > first:
            cv2.reduce(values[first:after], 0, cv2.REDUCE_SUM, dst=line, dtype=cv2.CV_32F)
        if first - top > FULL_ROW:
            cv2.scaleAdd(shared, first - top, line, dst=line)
        if bottom - after > FULL_ROW:
            shared[0] = values[after]
            cv2.scaleAdd(shared, bottom - after, line, dst=line)
    sums /= np.float32(height)
    mean = cv2.resize(sums, (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(mean, dtype=np.float32)


def _with_data(image: PixelImage) -> NDArray[np.uint8] | None:
    """255 where the frame holds a value, else 0; None when every pixel has one."""
    mask = np.full(image.shape, 255, dtype=np.uint8)
    if image.padding is not None:
        low, high = image.padding
        cv2.bitwise_not(cv2.inRange(image.stored, (low,), (high,)), dst=mask)
    if image.stored.dtype.kind == "f":
        mask[~np.isfinite(image.stored)] = 0
    return mask if cv2.countNonZero(mask) < mask.size else None


def _reduced(
    image: PixelImage, *, rows: int, columns: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_] | None]:
    """Stored values of the small frame, and where it holds no data (None: nowhere)."""
    if image.halvings:
        small_px, whole_px = (rows, columns), image.whole_shape
        halved = area_mean_of_halved(
            image.stored, halvings=image.halvings, whole_px=whole_px, small_px=small_px
        )
        return halved, None  # a frame with padding is never halved
    rows_in, columns_in = image.shape
    shrinks = rows <= rows_in and columns <= columns_in

    def small(values: NDArray[Any]) -> NDArray[np.float32]:
        if shrinks:
            return area_mean(values, rows=rows, columns=columns)
        grown = cv2.resize(values.astype(np.float32), (columns, rows), interpolation=cv2.INTER_LINEAR)
        return np.asarray(grown, dtype=np.float32)

    mask = _with_data(image) if image.padding is not None or image.stored.dtype.kind == "f" else None
    if mask is None:
        return small(image.stored), None
    coverage = small(mask) / np.float32(255)
    known = small(cv2.copyTo(image.stored, mask))
    hollow = coverage < SMALLEST_COVERAGE
    return known / np.maximum(coverage, SMALLEST_COVERAGE), hollow


def letterbox(
    image: PixelImage, *, size_px: int, low_percentile: float, high_percentile: float
) -> Letterboxed:
    """The frame fitted into a square of `size_px`, aspect kept, centred on zeros.

    Grey values between the two percentiles (0..100) of the reduced frame become 0..1, clipped. Pixels
    without data (padding) take no part in means and percentiles and become 0. Frames smaller than the
    square are enlarged by linear interpolation.
    """
    where = place(image.whole_shape, size_px=size_px)
    rows, columns = where.frame_px
    top, left = where.offset_px
    stored, hollow = _reduced(image, rows=rows, columns=columns)
    grey = image.to_grey(stored)
    known = grey if hollow is None else grey[~hollow]
    square = np.zeros((1, 1, size_px, size_px), dtype=np.float32)
    if known.size:
        low, high = (float(value) for value in np.percentile(known, (low_percentile, high_percentile)))
        if high > low:
            frame = np.clip((grey - np.float32(low)) / np.float32(high - low), 0.0, 1.0)
            if hollow is not None:
                frame[hollow] = 0.0
            square[0, 0, top : top + rows, left : left + columns] = frame
    square.flags.writeable = False
    return Letterboxed(
        tensor=square,
        size_px=size_px,
        scale=where.scale,
        offset_px=where.offset_px,
        frame_px=where.frame_px,
        source_px=where.source_px,
    )
