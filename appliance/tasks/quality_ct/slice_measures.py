# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What is measured on one axial CT slice: a few numbers that judge the series once all slices are known."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.domain.image import PixelImage

SMALL_PX: Final = 128
"""Longer side at which body, air and field are told apart: 3 to 4 mm per pixel."""
SIGNATURE_PX: Final = 24
"""Side of the thumbnail by which neighbouring slices are compared."""
METAL_HU: Final = 3000.0
"""Denser than any bone or tooth; most scanners end at 3071."""
BODY_HU: Final = -300.0
"""Between lung and fat: everything above it is body or table."""
_SOFT_HU: Final = (0.0, 120.0)
"""Soft tissue, O. Christianson et al., Automated technique to measure noise in clinical CT examinations, AJR
205 (2015) W93: the local standard deviation that is most frequent in soft tissue is the noise."""
_PATCH_MM: Final = 6.0
"""Side of the patches of the same method."""
_BIN_HU: Final = 0.5
_MOST_NOISE_HU: Final = 150.0
_LEAST_PIXELS: Final = 600
"""Soft-tissue patches needed for a noise value, and pixels of air for a level."""
_MEDIAN_TO_SIGMA: Final = 1.4826
"""Median absolute value to standard deviation of a normal distribution."""
_STREAK_HU: Final = (-60.0, 140.0)
"""Local mean of what streaks are looked for in: soft tissue, lifted or lowered by them."""
_STREAK_PX: Final = 25
"""Length over which a streak is straight; noise averages out over it, anatomy in soft tissue is rounder."""
_LUNG_HU: Final = (-880.0, -600.0)
"""Aerated lung, clear of air (-1000) and of the edges of soft tissue."""
_RING: Final = 0.985
"""Where the edge of the reconstructed circle is looked at, in parts of its radius."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SliceMeasure:
    """One slice. Everything is small; no pixels but the thumbnail."""

    index: int
    """Its place in the stack; damaged slices leave holes."""
    digest: int
    """CRC-32 of the stored pixels: equal slices have equal ones."""
    noise_hu: float | None
    streak_hu: float | None
    """Standard deviation of horizontal streaks in soft tissue beyond what is there in the other direction."""
    field_contact_percent: float | None
    """Part of the edge of the reconstructed circle at which the body is."""
    lung_contact_percent: float
    """Part of the edge of the reconstructed circle at which there is lung."""
    air_hu: float | None
    """Median of the air around the body."""
    darkest_hu: float | None
    """First percentile inside the reconstructed circle."""
    metal_percent: float
    """Part of the body denser than `METAL_HU`."""
    body_percent: float
    """Part of the picture that is body."""
    signature: NDArray[np.float32]
    """Thumbnail, HU clipped to -1000..300; read-only."""


def measure_slice(index: int, image: PixelImage) -> SliceMeasure:
    """Measure slice `index` of the stack, whose `grey()` is in HU. About 6 ms for 512 x 512."""
    hu = image.grey()
    padding = image.padding_mask()
    small = cv2.resize(hu, _small_size(hu.shape), interpolation=cv2.INTER_AREA)
    body = _body(small)
    signature = np.clip(
        cv2.resize(small, (SIGNATURE_PX, SIGNATURE_PX), interpolation=cv2.INTER_AREA), -1000, 300
    ).astype(np.float32)
    signature.flags.writeable = False
    inside = int(body.sum())
    part = _box_around(hu, body)
    scale = body.size / hu.size
    return SliceMeasure(
        index=index,
        digest=zlib.crc32(np.ascontiguousarray(image.stored).data),
        noise_hu=_noise(part, image.spacing_mm),
        streak_hu=_streak(part),
        field_contact_percent=100.0 * float(_rim(body).mean()) if inside else None,
        lung_contact_percent=100.0 * float(_is_lung(_rim(small)).mean()),
        air_hu=_air(hu, small, body, padding),
        darkest_hu=_darkest(small),
        metal_percent=100.0 * float(np.count_nonzero(hu > METAL_HU)) * scale / max(inside, 1),
        body_percent=100.0 * inside / body.size,
        signature=signature,
    )


def _small_size(shape: tuple[int, int]) -> tuple[int, int]:
    reduction = max(1.0, max(shape) / SMALL_PX)
    return max(1, round(shape[1] / reduction)), max(1, round(shape[0] / reduction))


def _body(small: NDArray[Any]) -> NDArray[Any]:
    """1 in the largest solid region, holes filled; tables are thinner than the brush."""
    solid = (small > BODY_HU).astype(np.uint8)
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    contours, _ = cv2.findContours(solid, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros_like(solid)
    cv2.drawContours(filled, contours, -1, (1.0,), -1)
    opened = cv2.morphologyEx(filled, cv2.MORPH_OPEN, brush, borderType=cv2.BORDER_REPLICATE)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=4)
    if count < 2:
        return np.zeros_like(solid)
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    body: NDArray[Any] = (labels == largest).astype(np.uint8)
    return body


def _box_around(hu: NDArray[np.float32], body: NDArray[Any]) -> NDArray[np.float32]:
    """The part of the slice that the body's box covers; all of it when there is no body."""
    rows, columns = np.flatnonzero(body.any(axis=1)), np.flatnonzero(body.any(axis=0))
    if rows.size == 0:
        return hu
    step = hu.shape[0] / body.shape[0], hu.shape[1] / body.shape[1]
    return hu[
        int(rows[0] * step[0]) : int((rows[-1] + 1) * step[0]),
        int(columns[0] * step[1]) : int((columns[-1] + 1) * step[1]),
    ]


def _noise(hu: NDArray[np.float32], spacing_mm: tuple[float, float] | None) -> float | None:
    spacing = spacing_mm[1] if spacing_mm is not None else 0.7
    side = min(max(round(_PATCH_MM / spacing) | 1, 5), 15)
    near = np.clip(hu, -250.0, 350.0)
    mean = cv2.blur(near, (side, side))
    square = cv2.sqrBoxFilter(near, cv2.CV_32F, (side, side))
    deviation = np.sqrt(np.maximum(square - mean * mean, 0.0))
    soft = cv2.inRange(mean, (_SOFT_HU[0],), (_SOFT_HU[1],))
    bins = round(_MOST_NOISE_HU / _BIN_HU)
    counts = cv2.calcHist([deviation], [0], soft, [bins], [0.0, _MOST_NOISE_HU]).ravel()
    if counts.sum() < _LEAST_PIXELS:
        return None
    smooth = np.convolve(counts, np.ones(5) / 5.0, mode="same")
    return float((np.argmax(smooth) + 0.5) * _BIN_HU)


def _streak(hu: NDArray[np.float32]) -> float | None:
    """Compare lines averaged along the rows with lines averaged along the columns, in soft tissue.

    Medians: streaks go right across, while an air-fluid level is in one place.
    """
    near = np.clip(hu, -200.0, 300.0)
    soft = cv2.inRange(cv2.blur(near, (9, 9)), (_STREAK_HU[0],), (_STREAK_HU[1],))
    deviations = []
    for along, across in (((_STREAK_PX, 1), (1, 9)), ((1, _STREAK_PX), (9, 1))):
        inner = cv2.erode(soft, np.ones((max(along[1], across[1]), max(along[0], across[0])), np.uint8))
        if cv2.countNonZero(inner) < _LEAST_PIXELS:
            return None
        lines = cv2.blur(near, along)
        detail = cv2.subtract(lines, cv2.blur(lines, across))
        deviations.append(float(np.median(np.abs(detail[inner > 0]))) * _MEDIAN_TO_SIGMA)
    return float(np.sqrt(max(deviations[0] ** 2 - deviations[1] ** 2, 0.0)))


def _rim(small: NDArray[Any]) -> NDArray[Any]:
    """Values just inside the edge of the reconstructed circle, one per degree."""
    rows, columns = small.shape
    radius = min(rows, columns) / 2.0
    angles = np.linspace(0.0, 2.0 * np.pi, 360, endpoint=False)
    row = np.clip((rows - 1) / 2.0 + _RING * (radius - 1) * np.sin(angles), 0, rows - 1).round().astype(int)
    column = (columns - 1) / 2.0 + _RING * (radius - 1) * np.cos(angles)
    values: NDArray[Any] = small[row, np.clip(column, 0, columns - 1).round().astype(int)]
    return values


def _is_lung(rim: NDArray[Any]) -> NDArray[np.bool_]:
    """Runs of lung values; where skin meets air, single pixels have them too."""
    lung = (rim > _LUNG_HU[0]) & (rim < _LUNG_HU[1])
    run = np.convolve(np.concatenate([lung[-3:], lung, lung[:3]]), np.ones(7), mode="valid")
    return np.asarray(run == 7, dtype=np.bool_)


def _circle(shape: tuple[int, int]) -> NDArray[np.bool_]:
    """True well inside the reconstructed circle."""
    rows, columns = shape
    y, x = np.ogrid[:rows, :columns]
    away: NDArray[np.bool_] = np.hypot(y - (rows - 1) / 2.0, x - (columns - 1) / 2.0) < 0.48 * min(shape)
    return away


def _darkest(small: NDArray[Any]) -> float | None:
    values = small[_circle(small.shape)]
    return float(np.percentile(values, 1)) if values.size else None


def _air(
    hu: NDArray[np.float32], small: NDArray[Any], body: NDArray[Any], padding: NDArray[np.bool_] | None
) -> float | None:
    around = _circle(small.shape)
    around &= cv2.dilate(body, np.ones((7, 7), np.uint8)) == 0
    row, column = np.nonzero(around)
    step = hu.shape[0] / small.shape[0], hu.shape[1] / small.shape[1]
    place = ((row + 0.5) * step[0]).astype(int), ((column + 0.5) * step[1]).astype(int)
    values = hu[place]
    if padding is not None:
        values = values[~padding[place]]
    return float(np.median(values)) if values.size >= _LEAST_PIXELS // 4 else None
