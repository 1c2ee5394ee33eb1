# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Pixels, as tasks see them: grey, in modality units, higher is brighter, read-only.

A frame keeps its samples as they were decoded together with the transform to modality units, so that a
task that only needs a small picture never pays for a full float copy of a large one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from appliance.errors import InputError

GreyArray: TypeAlias = NDArray[np.float32]
"""Shape (rows, columns); modality units."""
StoredArray: TypeAlias = NDArray[Any]
"""Shape (rows, columns); uint8, int8, uint16, int16 or float32, as decoded."""


JPEG_2000_LOSSLESS: Final = "1.2.840.10008.1.2.4.90"
HALVED_SYNTAXES: Final = frozenset({JPEG_2000_LOSSLESS, "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202"})
"""Lossless JPEG 2000 and HTJ2K: the frame can be decoded without its finest wavelet levels."""


class VoiFunction(str, Enum):
    """VOILUTFunction, plus the explicit table (PS3.3 C.11.2)."""

    LINEAR = "LINEAR"
    LINEAR_EXACT = "LINEAR_EXACT"
    SIGMOID = "SIGMOID"
    TABLE = "TABLE"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Voi:
    """What range of modality values the header asks to see."""

    function: VoiFunction
    center: float | None
    """None for a table."""
    width: float | None
    table: NDArray[np.uint16] | None = None
    """Outputs of VOILUTSequence, read-only."""
    table_first: int | None = None
    """Modality value of the first entry of `table`."""
    table_bits: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PixelImage:
    """One frame.

    grey = stored * slope + intercept, and mirrored within `stored_range` first where `inverted` is set
    (MONOCHROME1 or PresentationLUTShape INVERSE), so that higher always means brighter.
    """

    stored: StoredArray
    slope: float
    intercept: float
    inverted: bool
    stored_range: tuple[int, int]
    """Smallest and largest value that the stored format can hold (BitsStored, PixelRepresentation)."""
    padding: tuple[int, int] | None
    """Inclusive range of stored values that mean "no data" (PixelPaddingValue, ...RangeLimit)."""
    voi: Voi | None
    spacing_mm: tuple[float, float] | None
    """Row, column; None when the header does not say."""
    rescale_type: str | None
    """HU, US, ... as the header says; None when it does not."""
    from_colour: bool = False
    """True: brightness of a colour image (RGB, YBR, palette). Fit for looking at, not for measuring."""
    halvings: int = 0
    """How often the wavelet of a lossless JPEG 2000 halved both sides: sample (k, l) belongs to the pixel
    (k, l) * 2**halvings of the whole frame. 0: this is the whole frame."""
    whole_px: tuple[int, int] | None = None
    """Rows and columns of the whole frame, where this is a halved one."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows, columns."""
        rows, columns = self.stored.shape
        return rows, columns

    @property
    def whole_shape(self) -> tuple[int, int]:
        """Rows, columns of the whole frame; positions that people see are in its pixels."""
        return self.shape if self.whole_px is None else self.whole_px

    def grey(self) -> GreyArray:
        """A new read-only array of all pixels in modality units, higher is brighter."""
        return self.to_grey(self.stored)

    def to_grey(self, stored: NDArray[Any]) -> GreyArray:
        """Modality units of any stored values of this image, area means of them included."""
        grey = np.asarray(stored, dtype=np.float32)
        if self.inverted:
            low, high = self.stored_range
            grey = np.float32(low + high) - grey
        if self.slope != 1.0 or self.intercept != 0.0:
            grey = grey * np.float32(self.slope) + np.float32(self.intercept)
        grey = grey.view()
        grey.flags.writeable = False
        return grey

    def padding_mask(self) -> NDArray[np.bool_] | None:
        """True where there is no data; None when the header declares no padding."""
        if self.padding is None:
            return None
        low, high = self.padding
        return (self.stored >= low) & (self.stored <= high)


class FrameSource(Protocol):
    """The slices of an acquisition in spatial order, decoded as they are asked for.

    Memory stays that of a few frames whatever the length of the series. Iterating decodes ahead.
    """

    def __len__(self) -> int:
        """How many slices; 1 for a projection."""

    def __iter__(self) -> Iterator[PixelImage]:
        """All slices, first to last. Raises InputError at a slice that cannot be decoded."""

    def each(self) -> Iterator[PixelImage | InputError]:
        """All slices, first to last; in the place of one that cannot be decoded, why not."""

    def frame(self, index: int) -> PixelImage:
        """One slice. Raises InputError when it cannot be decoded."""
