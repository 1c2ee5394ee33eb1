# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A lossless JPEG 2000 frame without its finest wavelet levels: a small picture, many times sooner.

Runs inside the jail. Only where the small picture can be had right; None means: decode the whole one, which
also says what is wrong with it. OpenJPH (imagecodecs) leaves the finest levels of HTJ2K out, OpenJPEG
(through Pillow) those of JPEG 2000.
"""

from __future__ import annotations

import dataclasses
import io
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.utils import get_j2k_parameters

from appliance.domain.acquisition import PixelFormat
from appliance.domain.image import HALVED_SYNTAXES, JPEG_2000_LOSSLESS
from appliance.intake.decoders import has_end
from appliance.intake.frame_header import FrameHeader
from appliance.intake.rendition import Rendition

LEAST_BITS: Final = 9
MOST_BITS: Final = 15
"""BitsStored. Near edges the low-pass goes below 0, which OpenJPH writes into 16 bits as it is: only where
the highest bit is free can it be told from a large value."""
_START: Final = b"\xff\x4f\xff\x51"
"""SOC and SIZ: a bare codestream, as PS3.5 A.4.4 wants it."""
_OVERLAY_GROUPS: Final = range(0x6000, 0x6100)
_OVERLAY_BIT_POSITION: Final = 0x0102
"""0: the overlay has data of its own (PS3.3 C.9.2)."""
_OFFSET_IN_GRID: Final = slice(16, 24)
"""XOsiz and YOsiz (ISO/IEC 15444-1 A.5.1). 0: samples stay where pixels of an even number are."""


def decode_halved(codestream: bytes, pixel_format: PixelFormat, halvings: int) -> NDArray[np.uint16] | None:
    """The grey samples after `halvings` levels, [ceil(rows / 2**n), ceil(columns / 2**n)]; None: not so.

    The caller has asked `may_be_halved`, and the header says one-component grey.
    """
    if not _is_as_needed(codestream, pixel_format):
        return None
    try:
        samples = _decoded(codestream, pixel_format, halvings)
    except (ValueError, RuntimeError, OSError, TypeError, NotImplementedError):
        return None  # fewer levels than that, or damaged
    expected = tuple(-(-side >> halvings) for side in (pixel_format.rows, pixel_format.columns))
    if samples.shape != expected or samples.dtype != np.int32:
        return None
    return np.asarray(np.clip(samples, 0, 2**pixel_format.bits_stored - 1), np.uint16)


def may_be_halved(dataset: Dataset, pixel_format: PixelFormat, rendition: Rendition) -> bool:
    """As far as the header says: whether a weighted mean of samples is a sample, in a syntax that gives it.

    It is none through a table, beside padding, or with an overlay in the high bits.
    """
    if pixel_format.transfer_syntax_uid not in HALVED_SYNTAXES or pixel_format.pixel_representation != 0:
        return False
    if not LEAST_BITS <= pixel_format.bits_stored <= MOST_BITS:
        return False
    hidden = any(
        tag.group in _OVERLAY_GROUPS and tag.element == _OVERLAY_BIT_POSITION and dataset[tag].value
        for tag in dataset.keys()  # noqa: SIM118  a dataset's iterator gives elements, not tags
    )
    return rendition.modality_table is None and rendition.padding is None and not hidden


def deliver_halved(
    halved: NDArray[np.uint16],
    buffer: memoryview,
    rendition: Rendition,
    *,
    halvings: int,
    whole_px: tuple[int, int],
) -> FrameHeader:
    """Put the samples where the parent looks for them, and describe them."""
    target = np.frombuffer(buffer, np.uint16, count=halved.size).reshape(halved.shape)
    target[...] = halved
    header = rendition.header(target, from_colour=False)
    spacing_mm = header.spacing_mm
    if spacing_mm is not None:
        spacing_mm = (spacing_mm[0] * 2**halvings, spacing_mm[1] * 2**halvings)
    return dataclasses.replace(header, halvings=halvings, whole_px=whole_px, spacing_mm=spacing_mm)


def _is_as_needed(codestream: bytes, pixel_format: PixelFormat) -> bool:
    if not has_end(codestream) or not codestream.startswith(_START) or any(codestream[_OFFSET_IN_GRID]):
        return False
    told = get_j2k_parameters(codestream)
    return not told.get("is_signed", True) and told.get("precision", 0) >= pixel_format.bits_stored


def _decoded(codestream: bytes, pixel_format: PixelFormat, halvings: int) -> NDArray[Any]:
    """As the decoder gives them, in the codestream's own numbers: int32, not yet clipped."""
    if pixel_format.transfer_syntax_uid != JPEG_2000_LOSSLESS:
        from imagecodecs import htj2k_decode  # noqa: PLC0415  loaded on need: memory of the jail counts

        low_pass = np.asarray(htj2k_decode(codestream, skipres=halvings))
        return low_pass.view(np.int16).astype(np.int32)
    from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile  # noqa: PLC0415  loaded on need

    with Jpeg2KImageFile(io.BytesIO(codestream)) as picture:
        picture.reduce = halvings
        shifted = np.asarray(picture)  # to the upper end of 16 bits, as Pillow's 16-bit pictures are
    return shifted.astype(np.int32) >> (16 - int(get_j2k_parameters(codestream)["precision"]))
