# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What the jail says about a frame that it put into the shared buffer: a PixelImage without its pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from appliance.domain.image import PixelImage, StoredArray, Voi, VoiFunction


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiHeader:
    """`Voi` as it crosses the wall: plain lists and numbers."""

    function: VoiFunction
    center: float | None
    width: float | None
    table: tuple[int, ...] | None = None
    table_first: int | None = None
    table_bits: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameHeader:
    """Shape, type and meaning of the samples at the start of the buffer. Fields as in `PixelImage`."""

    rows: int
    columns: int
    dtype: str
    """NumPy's name in native byte order: uint8, int8, uint16, int16 or float32."""
    slope: float
    intercept: float
    inverted: bool
    stored_range: tuple[int, int]
    padding: tuple[int, int] | None
    voi: VoiHeader | None
    spacing_mm: tuple[float, float] | None
    rescale_type: str | None
    from_colour: bool
    halvings: int = 0
    whole_px: tuple[int, int] | None = None

    @property
    def size_bytes(self) -> int:
        """What the samples take in the buffer."""
        return self.rows * self.columns * np.dtype(self.dtype).itemsize

    def image(self, stored: StoredArray) -> PixelImage:
        """The frame, with its samples."""
        return PixelImage(
            stored=stored,
            slope=self.slope,
            intercept=self.intercept,
            inverted=self.inverted,
            stored_range=self.stored_range,
            padding=self.padding,
            voi=None if self.voi is None else _voi(self.voi),
            spacing_mm=self.spacing_mm,
            rescale_type=self.rescale_type,
            from_colour=self.from_colour,
            halvings=self.halvings,
            whole_px=self.whole_px,
        )


def voi_header(voi: Voi) -> VoiHeader:
    """`voi`, ready to cross the wall."""
    return VoiHeader(
        function=voi.function,
        center=voi.center,
        width=voi.width,
        table=None if voi.table is None else tuple(voi.table.tolist()),
        table_first=voi.table_first,
        table_bits=voi.table_bits,
    )


def _voi(header: VoiHeader) -> Voi:
    table = None
    if header.table is not None:
        table = np.array(header.table, np.uint16)
        table.flags.writeable = False
    return Voi(
        function=header.function,
        center=header.center,
        width=header.width,
        table=table,
        table_first=header.table_first,
        table_bits=header.table_bits,
    )
