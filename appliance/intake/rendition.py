# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""How the samples of a frame are to be read: modality units, polarity, padding, VOI. Runs inside the jail."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from appliance.domain.acquisition import PixelFormat
from appliance.domain.image import Voi
from appliance.errors import InputError
from appliance.intake.frame_header import FrameHeader, voi_header
from appliance.intake.functional_groups import frame_group
from appliance.intake.header import spacing_of
from appliance.intake.header_values import item, number, raw_value, text, word
from appliance.intake.lut import LookUpTable, read_table
from appliance.intake.opening import DicomFile
from appliance.intake.voi import read_voi


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rendition:
    """What `PixelImage` needs beside the samples."""

    slope: float
    intercept: float
    inverted: bool
    stored_range: tuple[int, int]
    padding: tuple[int, int] | None
    voi: Voi | None
    spacing_mm: tuple[float, float] | None
    rescale_type: str | None
    modality_table: LookUpTable | None

    def through_table(self, samples: NDArray[Any]) -> NDArray[np.uint16]:
        """Samples through the modality look-up table (PS3.3 C.11.1.1: end values hold beyond its ends)."""
        assert self.modality_table is not None
        table = self.modality_table
        index = np.clip(samples.astype(np.int32) - table.first, 0, len(table.values) - 1)
        return table.values[index]

    def header(self, samples: NDArray[Any], *, from_colour: bool) -> FrameHeader:
        """For these samples, as they lie in the buffer.

        A modality table or the step from colour to grey leaves nothing of the stored values that padding or a
        rescale could refer to.
        """
        stored_range, padding = self.stored_range, self.padding
        slope, intercept, voi = self.slope, self.intercept, self.voi
        if samples.dtype.kind == "f":
            stored_range, padding = _float_range(samples), None
        elif from_colour:
            stored_range, padding = (0, 2 ** (8 * samples.dtype.itemsize) - 1), None
            slope, intercept, voi = 1.0, 0.0, None
        elif self.modality_table is not None:
            stored_range, padding = (0, 2**self.modality_table.bits - 1), None
        rows, columns = samples.shape
        return FrameHeader(
            rows=rows,
            columns=columns,
            dtype=samples.dtype.name,
            slope=slope,
            intercept=intercept,
            inverted=self.inverted and not from_colour,
            stored_range=stored_range,
            padding=padding,
            voi=None if voi is None else voi_header(voi),
            spacing_mm=self.spacing_mm,
            rescale_type=self.rescale_type,
            from_colour=from_colour,
        )


def read_rendition(
    file: DicomFile, pixel_format: PixelFormat, frame_index: int, *, is_float: bool
) -> Rendition:
    """The rendition of one frame; values of its functional groups win over those of the data set.

    Raises InputError where the rescale would turn pixels into nothing.
    """
    dataset = file.dataset
    _, little_endian = dataset.original_encoding
    signed = pixel_format.pixel_representation == 1
    table = _modality_table(dataset, little_endian=bool(little_endian), signed=signed)
    slope, intercept, rescale_type = (
        (1.0, 0.0, _table_type(dataset)) if table else _rescale(dataset, frame_index)
    )
    voi_source = frame_group(dataset, "FrameVOILUTSequence", frame_index)
    modality_is_signed = table is None and (signed or intercept < 0)
    spaced = spacing_of(dataset, frame_index)
    shape = word(dataset, "PresentationLUTShape")
    return Rendition(
        slope=slope,
        intercept=intercept,
        inverted=pixel_format.photometric_interpretation == "MONOCHROME1" or shape == "INVERSE",
        stored_range=_range_of(pixel_format),
        padding=None if is_float else _padding(dataset, pixel_format),
        voi=read_voi(voi_source, little_endian=bool(little_endian), first_is_signed=modality_is_signed),
        spacing_mm=None if spaced is None else spaced[0],
        rescale_type=rescale_type,
        modality_table=None if is_float else table,
    )


def _modality_table(dataset: Dataset, *, little_endian: bool, signed: bool) -> LookUpTable | None:
    source = item(dataset, "ModalityLUTSequence")
    if source is None:
        return None
    table = read_table(source, little_endian=little_endian, first_is_signed=signed)
    if table is None:
        raise InputError(
            "The table that gives the pixel values their unit (Modality LUT) is damaged.",
            remedy="Ask the sender to export the image again.",
        )
    return table


def _table_type(dataset: Dataset) -> str | None:
    source = item(dataset, "ModalityLUTSequence")
    return None if source is None else text(source, "ModalityLUTType")


def _rescale(dataset: Dataset, frame_index: int) -> tuple[float, float, str | None]:
    source = frame_group(dataset, "PixelValueTransformationSequence", frame_index)
    if raw_value(source, "RescaleSlope") is None and raw_value(source, "RescaleIntercept") is None:
        return 1.0, 0.0, text(source, "RescaleType")
    slope, intercept = number(source, "RescaleSlope"), number(source, "RescaleIntercept")
    if slope is None or intercept is None or slope == 0.0:
        raise InputError(
            f"The rescale of the pixel values is not usable: slope {_shown(slope)}, intercept "
            f"{_shown(intercept)}.",
            remedy="Ask the sender to export the image again; values without it would be wrong.",
        )
    return slope, intercept, text(source, "RescaleType")


def _shown(value: float | None) -> str:
    return "missing or not a number" if value is None else f"{value:g}"


def _range_of(pixel_format: PixelFormat) -> tuple[int, int]:
    bits = pixel_format.bits_stored
    if pixel_format.pixel_representation == 1:
        return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    return 0, 2**bits - 1


def _float_range(samples: NDArray[Any]) -> tuple[int, int]:
    """Whole numbers around what is there; NaN and infinity are refused, they would spread."""
    low, high = float(samples.min()), float(samples.max())
    if not math.isfinite(low) or not math.isfinite(high):
        raise InputError(
            "The floating-point pixels hold values that are not numbers.",
            remedy="Ask the sender to export the image again.",
        )
    return math.floor(low), math.ceil(high)


_WORD: Final = 65536


def _padding(dataset: Dataset, pixel_format: PixelFormat) -> tuple[int, int] | None:
    """PixelPaddingValue to PixelPaddingRangeLimit, inclusive, in stored values (PS3.3 C.7.5.1.1.2)."""
    value = _stored_value(number(dataset, "PixelPaddingValue"), pixel_format)
    if value is None:
        return None
    limit = _stored_value(number(dataset, "PixelPaddingRangeLimit"), pixel_format)
    other = value if limit is None else limit
    return min(value, other), max(value, other)


def _stored_value(value: float | None, pixel_format: PixelFormat) -> int | None:
    """A padding value in the sign of the pixels: its VR is ambiguous, and writers choose the wrong one."""
    if value is None:
        return None
    found = int(value)
    if pixel_format.pixel_representation == 1 and found >= _WORD // 2:
        return found - _WORD
    if pixel_format.pixel_representation == 0 and found < 0:
        return found + _WORD
    return found
