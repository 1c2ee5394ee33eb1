# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Opens a foreign file and parses its header up to the pixels. Runs inside the jail.

Parsing stops in front of the pixel data, so its cost is that of the header whatever the size of the file.
"""

from __future__ import annotations

import io
import os
import stat
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias, cast

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_dataset, read_partial
from pydicom.tag import BaseTag, Tag
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from appliance.errors import InputError
from appliance.intake.header_values import VALUE_FAULTS, uid

PREAMBLE_BYTES: Final = 128
MAGIC: Final = b"DICM"
MAGIC_END: Final = PREAMBLE_BYTES + len(MAGIC)
UNDEFINED_LENGTH: Final = 0xFFFFFFFF
HEADER_BUFFER_BYTES: Final = 65536
"""One read brings in most headers; pixel reads larger than this go round the buffer."""
LARGEST_FIRST_VALUE_BYTES: Final = 1024
"""The first elements of a data set are short: lengths, character sets, dates, UIDs."""
_META_BYTES: Final = 4096
"""Where a file meta group that says "deflated" says it; the next lines must bound what it inflates to."""
LARGEST_HEADER_BYTES: Final = 64 * 1024**2
"""Room for the header beside the pixels of a deflated file."""

PIXEL_KEYWORDS: Final = {
    Tag(0x7FE0, 0x0008): "FloatPixelData",
    Tag(0x7FE0, 0x0009): "DoubleFloatPixelData",
    Tag(0x7FE0, 0x0010): "PixelData",
}
_LONG_HEADER_VRS: Final = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN", "SQ", "UC", "UR", "UT"})
"""Explicit VRs whose length takes four bytes after two reserved ones (PS3.5 table 7.1-1)."""

_ACTIVE_PREAMBLES: Final = (
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a Linux program"),
    (b"#!", "a script"),
    (b"\xca\xfe\xba\xbe", "a macOS or Java program"),
    (b"\xcf\xfa\xed\xfe", "a macOS program"),
    (b"\xce\xfa\xed\xfe", "a macOS program"),
    (b"\xfe\xed\xfa", "a macOS program"),
    (b"PK\x03\x04", "an archive"),
    (b"%PDF", "a PDF document"),
    (b"<", "a web page or XML document"),
    (b"{", "a settings file"),
)
"""The 128 free bytes make one file two things at once (CVE-2019-11687, PS3.10 section 7.5). TIFF, zeros and
the plain words some makers leave there are harmless."""

_OTHER_KINDS: Final = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"BM", "a BMP picture"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a compressed (gzip) file"),
    (b"%PDF", "a PDF document"),
    (b"version https://git-lfs", "a placeholder for a file that was never downloaded"),
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a Linux program"),
)


Stream: TypeAlias = io.BufferedIOBase
"""A file or its inflated content: reads straight into a buffer, seeks, tells."""


class CutShortError(Exception):
    """The header does not end before the file does: unfinished, or cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelElement:
    """Where the pixel data start and how long their element says they are."""

    keyword: str
    value_start: int
    length_bytes: int | None
    """None: undefined length, the value is a sequence of fragments."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DicomFile:
    """A parsed header and the stream that holds its pixels."""

    stream: Stream
    """The file itself, or its inflated content where the transfer syntax is deflated."""
    size_bytes: int
    """Of `stream`."""
    dataset: Dataset
    transfer_syntax_uid: str
    pixel_element: PixelElement | None
    cut_short: bool
    """The last element reaches past the end of the file, or the deflated stream has no end."""


class _ClippedReader(io.BufferedReader):
    """Never asks for more than the file has: reading reserves what is asked for, whatever it finds.

    A header may claim values of gigabytes; a file that ends before them is cut short, not too large.
    """

    def __init__(self, raw: io.FileIO, size_bytes: int) -> None:
        super().__init__(raw, buffer_size=HEADER_BUFFER_BYTES)
        self._size_bytes = size_bytes

    def read(self, size: int | None = -1) -> bytes:
        """As any file's; sizes beyond the end are clipped to it."""
        if size is not None and size > HEADER_BUFFER_BYTES:
            size = max(0, min(size, self._size_bytes - self.tell()))
        return super().read(size)


@contextmanager
def regular_file(path: Path) -> Iterator[Stream]:
    """The file, opened so that a link, a pipe or a device cannot take its place or hold us up."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise InputError(
            f"The file cannot be opened: {error.strerror}.", remedy="Check that it is a file we may read."
        ) from error
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise InputError("This is a pipe, a device or a folder, not a file.", remedy="Put plain files here.")
    with _ClippedReader(io.FileIO(descriptor), found.st_size) as stream:
        yield stream


def parse(stream: Stream, *, largest_inflated_bytes: int) -> DicomFile:
    """Parse the header of an open file up to its pixel data.

    Raises CutShortError where the file ends inside the header, InputError where it is not a DICOM file that
    may be used. Anything else that escapes is a damaged header; the jail's wall names it.
    """
    size_bytes = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    head = stream.read(MAGIC_END)
    with_preamble = _look_at_head(head, size_bytes)
    if DeflatedExplicitVRLittleEndian.encode() not in stream.read(_META_BYTES):
        return _parse_plain(stream, size_bytes)
    stream.seek(MAGIC_END if with_preamble else 0)
    try:
        meta = read_dataset(
            cast(BinaryIO, stream), is_implicit_VR=False, is_little_endian=True, stop_when=_past_meta
        )
    except EOFError as error:
        raise CutShortError from error
    except VALUE_FAULTS:
        meta = Dataset()  # no file meta group in front, or one that read_partial below will judge
    if uid(meta, "TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
        return _parse_deflated(stream, meta, largest_inflated_bytes)
    return _parse_plain(stream, size_bytes)


def _look_at_head(head: bytes, size_bytes: int) -> bool:
    """True: preamble and prefix are there. False: a bare data set. Raises for everything else."""
    if head[PREAMBLE_BYTES:] == MAGIC:
        for magic, kind in _ACTIVE_PREAMBLES:
            if head.startswith(magic):
                raise InputError(
                    f"The first 128 bytes of this DICOM file are {kind}: it could be run or misread as one.",
                    remedy="Do not open it on a computer. Ask the sender for a clean export.",
                )
        return True
    for magic, kind in _OTHER_KINDS:
        if head.startswith(magic):
            raise InputError(f"This is not a DICOM file, it is {kind}.", remedy="Export it as DICOM.")
    if _is_bare_dataset(head):
        return False
    if size_bytes < MAGIC_END and (not head or b"\x00" in head):
        raise CutShortError  # text has no zero bytes; the start of a preamble has little else
    raise InputError(
        "This is not a DICOM file: neither the prefix DICM nor a known first element is there.",
        remedy="Send the image again from the modality, as DICOM.",
    )


def _is_bare_dataset(head: bytes) -> bool:
    """True where the bytes start like a data set without preamble, in any of the three encodings."""
    if len(head) < 8:
        return False
    for order in ("<", ">"):
        group, element = struct.unpack_from(f"{order}HH", head)
        if group not in (0x0002, 0x0008) or element > 0x0070:
            continue
        explicit = head[4:6].isalpha() and head[4:6].isupper()
        (implicit_length,) = struct.unpack_from("<I", head, 4)
        if explicit or (order == "<" and implicit_length <= LARGEST_FIRST_VALUE_BYTES):
            return True
    return False


def _past_meta(tag: BaseTag, vr: str | None, length: int) -> bool:
    del vr, length
    return tag.group != 0x0002


class _PixelStop:
    """Stops the parser in front of the pixel data and remembers what stood there."""

    def __init__(self) -> None:
        self.found: tuple[BaseTag, str | None, int] | None = None

    def __call__(self, tag: BaseTag, vr: str | None, length: int) -> bool:
        if tag not in PIXEL_KEYWORDS:
            return False
        self.found = (tag, vr, length)
        return True

    def element(self, stream: Stream) -> PixelElement | None:
        """Where the value starts; the parser has put the stream back to the start of the element."""
        if self.found is None:
            return None
        tag, vr, length = self.found
        header_bytes = 12 if vr in _LONG_HEADER_VRS else 8
        return PixelElement(
            keyword=PIXEL_KEYWORDS[tag],
            value_start=stream.tell() + header_bytes,
            length_bytes=None if length == UNDEFINED_LENGTH else length,
        )


def _parse_plain(stream: Stream, size_bytes: int) -> DicomFile:
    stream.seek(0)
    stop = _PixelStop()
    try:
        dataset = read_partial(cast(BinaryIO, stream), stop, force=True)
    except InvalidDicomError as error:
        raise CutShortError from error
    except (EOFError, OSError, UnboundLocalError, *VALUE_FAULTS) as error:
        _raise_if_at_end(stream, size_bytes, error)
        raise
    element = stop.element(stream)
    syntax = uid(dataset.file_meta, "TransferSyntaxUID") or _guessed_syntax(dataset)
    return DicomFile(
        stream=stream,
        size_bytes=size_bytes,
        dataset=dataset,
        transfer_syntax_uid=syntax,
        pixel_element=element,
        cut_short=element is None and _ends_inside(dataset, size_bytes),
    )


def _raise_if_at_end(stream: Stream, size_bytes: int, error: Exception) -> None:
    """Tell the end of a file, which pydicom 3.0 reports in many ways, from damage and a failing disk."""
    is_disk = isinstance(error, OSError) and error.errno is not None
    if not is_disk and stream.tell() >= size_bytes:
        raise CutShortError from error


def _guessed_syntax(dataset: Dataset) -> str:
    """What the parser found the encoding to be where nothing says it: a file without meta group is native."""
    implicit, little = dataset.original_encoding
    if implicit or not little:
        return str(ImplicitVRLittleEndian) if implicit else "1.2.840.10008.1.2.2"
    return str(ExplicitVRLittleEndian)


def _parse_deflated(stream: Stream, meta: Dataset, largest_bytes: int) -> DicomFile:
    """Inflate with a limit: a few kilobytes may claim to be gigabytes."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = inflater.decompress(stream.read(), largest_bytes + LARGEST_HEADER_BYTES)
    except zlib.error as error:
        raise InputError(
            f"The deflated data set is damaged ({error}).", remedy="Send it again, uncompressed if possible."
        ) from error
    if inflater.unconsumed_tail:
        raise InputError(
            f"The deflated data set unpacks to more than {largest_bytes + LARGEST_HEADER_BYTES:,} bytes.",
            remedy="Send it uncompressed or with an image compression.",
        )
    if not inflater.eof and not content:
        raise CutShortError
    inflated = io.BytesIO(content)
    stop = _PixelStop()
    try:
        dataset = read_dataset(
            cast(BinaryIO, inflated), is_implicit_VR=False, is_little_endian=True, stop_when=stop
        )
    except (EOFError, OSError, *VALUE_FAULTS) as error:
        _raise_if_at_end(inflated, len(content), error)
        raise
    dataset.file_meta = FileMetaDataset(meta)
    dataset.set_original_encoding(is_implicit_vr=False, is_little_endian=True)
    element = stop.element(inflated)
    return DicomFile(
        stream=inflated,
        size_bytes=len(content),
        dataset=dataset,
        transfer_syntax_uid=str(DeflatedExplicitVRLittleEndian),
        pixel_element=element,
        cut_short=not inflater.eof or (element is None and _ends_inside(dataset, len(content))),
    )


def _ends_inside(dataset: Dataset, size_bytes: int) -> bool:
    """True where the last element that was parsed does not end where the file ends."""
    keys = list(dataset.keys())
    if not keys:
        return True
    last = dataset.get_item(keys[-1])
    length = getattr(last, "length", None)
    position = getattr(last, "value_tell", None)
    if length is None or position is None or length == UNDEFINED_LENGTH:
        return False  # a sequence: it was parsed to its own end
    return bool(position + length != size_bytes)
