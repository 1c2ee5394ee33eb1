# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Does a file carry the pixel bytes that its header declares? Counts and seeks; decodes nothing.

"Its size has not changed for a while" and "it was closed" are both wrong for a writer that pauses. The only
thing that is right is to compare what is declared with what is there.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from pydicom.uid import UID

from appliance.domain.acquisition import PixelFormat
from appliance.errors import InputError
from appliance.intake.opening import DicomFile, PixelElement, Stream

_ITEM: Final = 0xFFFEE000
_SEQUENCE_END: Final = 0xFFFEE0DD
_RESEND: Final = "Send the image again from the modality."


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragments:
    """The items of encapsulated pixel data, the offset table left out: (start, length) in the stream."""

    places: tuple[tuple[int, int], ...]
    closed: bool
    """The sequence delimiter is there: the writer had finished."""
    end: int
    """How far the walk came, in bytes from the start of the stream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much of the pixel data is there."""

    whole: bool
    present_bytes: int
    expected_bytes: int | None
    """None: compressed data without an end."""


_NATIVE: Final = frozenset(
    {
        "1.2.840.10008.1.2",
        "1.2.840.10008.1.2.1",
        "1.2.840.10008.1.2.2",
        "1.2.840.10008.1.2.1.99",
        "1.2.840.113619.5.2",
    }
)
"""PS3.5 annex A.1 to A.3 and A.5, and GE's private mix of implicit VR with big-endian pixels."""


def is_encapsulated(transfer_syntax_uid: str) -> bool:
    """True where pixel data come as fragments: every syntax but the few native ones (PS3.5 section A.4)."""
    return transfer_syntax_uid not in _NATIVE


def frame_bytes(pixel_format: PixelFormat) -> int:
    """Bytes of one frame when native (PS3.5 section 8.1.1); 4:2:2 colour shares chroma between neighbours."""
    samples = pixel_format.samples_per_pixel
    if pixel_format.photometric_interpretation == "YBR_FULL_422":
        samples = 2
    bits = pixel_format.rows * pixel_format.columns * samples * pixel_format.bits_allocated
    return (bits + 7) // 8


def declared_bytes(pixel_format: PixelFormat) -> int:
    """Bytes of all frames when native. One-bit frames follow each other without a gap."""
    if pixel_format.bits_allocated == 1:
        return pixel_format.bytes_native
    return frame_bytes(pixel_format) * pixel_format.number_of_frames


def walk_fragments(stream: Stream, element: PixelElement, size_bytes: int) -> Fragments:
    """Follow the items from one to the next. Raises InputError where something else stands there."""
    position = element.value_start
    places: list[tuple[int, int]] = []
    while True:
        stream.seek(position)
        header = stream.read(8)
        if len(header) < 8:
            return Fragments(places=tuple(places[1:]), closed=False, end=size_bytes)
        group, number, length = struct.unpack("<HHI", header)
        tag = group << 16 | number
        if tag == _SEQUENCE_END:
            return Fragments(places=tuple(places[1:]), closed=True, end=position + 8)
        if tag != _ITEM:
            raise InputError(
                f"The compressed pixel data are damaged: ({group:04X},{number:04X}) stands where fragment "
                f"{len(places)} should start.",
                remedy=_RESEND,
            )
        if position + 8 + length > size_bytes:
            return Fragments(places=tuple(places[1:]), closed=False, end=size_bytes)
        places.append((position + 8, length))
        position += 8 + length


def measure(file: DicomFile, pixel_format: PixelFormat) -> Extent:
    """Compare what the header declares with what the file holds.

    Raises InputError where they cannot agree, however many bytes may still come.
    """
    element = file.pixel_element
    assert element is not None  # asked only of files that have one
    if is_encapsulated(file.transfer_syntax_uid):
        return _measure_encapsulated(file, element, pixel_format)
    expected = declared_bytes(pixel_format)
    if element.length_bytes is None:
        raise InputError(
            "The pixel data have no length although they are uncompressed, which DICOM does not allow.",
            remedy="Ask the sender to export with a standard transfer syntax.",
        )
    if element.length_bytes < expected:
        raise InputError(
            f"The header declares {pixel_format.number_of_frames} frame(s) of {pixel_format.rows} x "
            f"{pixel_format.columns} = {expected:,} bytes, but its pixel data are {element.length_bytes:,} "
            "bytes long.",
            remedy=_RESEND,
        )
    if pixel_format.bits_allocated % 8 and element.length_bytes > expected + 1:
        raise InputError(
            f"The header declares {pixel_format.bits_allocated} bits per pixel packed into {expected:,} "
            f"bytes, but its pixel data are {element.length_bytes:,} bytes long.",
            remedy=_RESEND,
        )
    present = max(0, min(file.size_bytes - element.value_start, element.length_bytes))
    return Extent(
        whole=present == element.length_bytes, present_bytes=present, expected_bytes=element.length_bytes
    )


def _measure_encapsulated(file: DicomFile, element: PixelElement, pixel_format: PixelFormat) -> Extent:
    if element.length_bytes is not None:
        raise InputError(
            f"The header says that the pixels are compressed ({UID(file.transfer_syntax_uid).name}), but "
            f"they are stored as {element.length_bytes:,} plain bytes.",
            remedy="Ask the sender to export again: the transfer syntax in the file is wrong.",
        )
    fragments = walk_fragments(file.stream, element, file.size_bytes)
    if fragments.closed and len(fragments.places) < pixel_format.number_of_frames:
        raise InputError(
            f"The header declares {pixel_format.number_of_frames} frame(s), but the file holds "
            f"{len(fragments.places)} compressed fragment(s).",
            remedy=_RESEND,
        )
    return Extent(
        whole=fragments.closed, present_bytes=fragments.end - element.value_start, expected_bytes=None
    )
