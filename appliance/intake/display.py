# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""From stored values to what a person sees: modality transform, VOI, polarity, as one table.

The order is that of PS3.4 annex N.2: modality LUT or rescale, VOI window or table, polarity.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from appliance.domain.image import PixelImage, Voi, VoiFunction

TABLE_ENTRIES: Final = 65536
"""One entry per 16-bit pattern, so any stored format of up to 16 bits indexes it directly."""
_WHITE: Final = 255.0
LOW_PERCENTILE: Final = 0.5
HIGH_PERCENTILE: Final = 99.5
"""Without a VOI in the header: leaves out single hot or dead pixels and burnt-in letters, keeps anatomy."""
_SAMPLED_PIXELS: Final = 120_000
"""Enough for percentiles that differ from the exact ones by less than a grey level."""


def display_table(image: PixelImage) -> NDArray[np.uint8]:
    """What to show for every stored value: uint8, shape (65536,), read-only.

    Index it with the stored samples taken as unsigned (`stored.view(numpy.uint16)` or `numpy.uint8`), in one
    call: `cv2.LUT`. Where the header asks for no window, robust percentiles of the frame are shown. Raises
    ValueError for floating-point samples, which no table can hold.
    """
    if image.stored.dtype.kind == "f":
        raise ValueError("floating-point samples have no display table")
    patterns = np.arange(TABLE_ENTRIES, dtype=np.uint32)
    values = patterns.astype(f"u{image.stored.dtype.itemsize}").view(image.stored.dtype)
    modality = values.astype(np.float64) * image.slope + image.intercept
    shown = _window(modality, image.voi or _default_window(image))
    if image.inverted:
        shown = 1.0 - shown
    table = np.rint(np.clip(shown, 0.0, 1.0) * _WHITE).astype(np.uint8)
    table.flags.writeable = False
    return table


def _window(modality: NDArray[np.float64], voi: Voi) -> NDArray[np.float64]:
    """Modality values to 0..1 (PS3.3 C.11.2.1.2 and C.11.2.1.3)."""
    if voi.function is VoiFunction.TABLE:
        assert voi.table is not None
        assert voi.table_first is not None
        assert voi.table_bits is not None
        index = np.clip(modality - voi.table_first, 0, len(voi.table) - 1).astype(np.int64)
        return np.asarray(voi.table[index] / (2**voi.table_bits - 1), dtype=np.float64)
    assert voi.center is not None
    assert voi.width is not None
    center, width = voi.center, voi.width
    if voi.function is VoiFunction.SIGMOID:
        exponent = np.clip(-4.0 * (modality - center) / width, -_LARGEST_EXPONENT, _LARGEST_EXPONENT)
        return np.asarray(1.0 / (1.0 + np.exp(exponent)), dtype=np.float64)
    if voi.function is VoiFunction.LINEAR:
        center, width = center - 0.5, width - 1.0
    shown = np.where(modality > center + width / 2, 1.0, 0.0)
    between = (modality > center - width / 2) & (modality <= center + width / 2)
    shown[between] = (modality[between] - center) / width + 0.5
    return shown


_LARGEST_EXPONENT: Final = 700.0
"""exp() of a 64-bit float overflows just above."""


def _default_window(image: PixelImage) -> Voi:
    """All of a colour image, as it was drawn; else the middle 99 % of the values, padding left out."""
    if image.from_colour:
        low, high = image.stored_range
        return Voi(function=VoiFunction.LINEAR_EXACT, center=(low + high) / 2, width=high - low)
    step = max(1, round((image.stored.size / _SAMPLED_PIXELS) ** 0.5))
    sample = image.stored[::step, ::step]
    if image.padding is not None:
        low, high = image.padding
        kept = sample[(sample < low) | (sample > high)]
        sample = kept if kept.size else sample
    grey = sample.astype(np.float64) * image.slope + image.intercept
    darkest, brightest = (float(one) for one in np.percentile(grey, (LOW_PERCENTILE, HIGH_PERCENTILE)))
    width = max(brightest - darkest, abs(image.slope))
    return Voi(function=VoiFunction.LINEAR_EXACT, center=(darkest + brightest) / 2, width=width)
