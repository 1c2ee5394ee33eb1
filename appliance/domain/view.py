# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What the screen shows of an acquisition: plain arrays beside a small description, written by the worker."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

VIEW_FILE: Final = "view.json"
"""Name of the description; everything that it names lies in the same folder."""
TABLE_ENTRIES: Final = 65536
"""One display byte for each value that 16 stored bits can hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """`view.json`. File names are plain names in the folder of this file.

    Modality value = stored * slope + intercept. The display table is indexed with
    clip(stored - stored_low, 0, 65535) and holds the header's own look (modality, VOI and polarity).
    """

    array: str
    """npy, shape (rows, columns) or (slices, rows, columns); uint8, uint16 or int16 stored values."""
    denoised: str | None
    """npy of the same shape and type, or None."""
    table: str
    """npy, shape (65536,), uint8."""
    stored_low: int
    spacing_mm: tuple[float, float] | None
    """Row, column; None when the header does not say."""
    voi: tuple[float, float] | None
    """Centre, width in modality values; None when the header gives no window."""
    slope: float = 1.0
    intercept: float = 0.0
    inverted: bool = False
    """Low modality values are shown bright (MONOCHROME1 or PresentationLUTShape INVERSE)."""
    heatmaps: dict[str, str] = field(default_factory=dict)
    """Finding code to 8-bit grey PNG of the size of the source image."""
