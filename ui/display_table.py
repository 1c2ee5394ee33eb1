# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From stored values to screen brightness in one table look-up, whatever the stored type."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from appliance.domain.view import TABLE_ENTRIES, View

NARROWEST_WINDOW: Final = 1.0
"""Smallest window width in modality values (PS3.3 C.11.2.1.2 asks for at least 1)."""
_DARKEST: Final = 255 * 0.02
_BRIGHTEST: Final = 255 * 0.98
"""Where a table without a window is taken to begin and end."""

Window = tuple[float, float]
"""Centre, width in modality values."""


def initial_window(view: View, table: NDArray[np.uint8]) -> Window:
    """The header's window, or the range over which the table rises."""
    if view.voi is not None:
        return view.voi
    rising = table[::-1] if table[0] > table[-1] else table
    first, last = int(np.argmax(rising > _DARKEST)), int(np.argmax(rising >= _BRIGHTEST))
    if last <= first:
        first, last = 0, TABLE_ENTRIES - 1
    if table[0] > table[-1]:
        first, last = TABLE_ENTRIES - 1 - last, TABLE_ENTRIES - 1 - first
    low, high = ((view.stored_low + index) * view.slope + view.intercept for index in (first, last))
    return (low + high) / 2, max(NARROWEST_WINDOW, abs(high - low))


def windowed_table(view: View, window: Window) -> NDArray[np.uint8]:
    """A table for a linear window over modality values (PS3.3 C.11.2.1.3.2), polarity as in the header."""
    center, width = window
    index = np.arange(TABLE_ENTRIES, dtype=np.float32)
    modality = (index + np.float32(view.stored_low)) * np.float32(view.slope) + np.float32(view.intercept)
    share = (modality - np.float32(center)) / np.float32(max(width, NARROWEST_WINDOW)) + np.float32(0.5)
    if view.inverted:
        share = np.float32(1.0) - share
    table: NDArray[np.uint8] = np.rint(np.clip(share, 0.0, 1.0) * np.float32(255.0)).astype(np.uint8)
    return table


def lookup_for(dtype: np.dtype[Any], table: NDArray[np.uint8], stored_low: int) -> NDArray[np.uint8]:
    """`table` re-ordered so that the bits of a stored value are its index, as a (1, entries) array.

    256 entries for uint8, 65,536 for uint16 and for int16 seen as uint16.
    """
    bits = np.arange(256 if dtype.itemsize == 1 else TABLE_ENTRIES)
    stored = np.where(bits >= 32768, bits - 65536, bits) if dtype.kind == "i" else bits
    return np.ascontiguousarray(table[np.clip(stored - stored_low, 0, TABLE_ENTRIES - 1)])[np.newaxis]
