# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Do two files of different bytes say the same? Runs inside the jail.

Whoever sends an image may write it anew: another file header, other lengths of sequences, implicit for
explicit VRs, padding. What is left aside here is only what PS3.5 and PS3.10 leave to the writer; every
value of the data set and every byte of the pixels must be equal. Doubt is a difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias, cast

from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag, Tag
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pydicom.valuerep import STR_VR
from pydicom.values import convert_SQ

from appliance.intake.extent import walk_fragments
from appliance.intake.opening import DicomFile, Stream, parse, regular_file

_SAME_BYTES_SYNTAXES: Final = frozenset(
    {ImplicitVRLittleEndian, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian}
)
"""Values and pixels are the same bytes in these (PS3.5 annexes A.1, A.2 and A.5), so they compare as one."""
_OF_THE_WRITER: Final = frozenset({Tag(0x0008, 0x0001), Tag(0xFFFC, 0xFFFC)})
"""LengthToEnd and DataSetTrailingPadding; like group lengths, they speak of the encoding alone."""
_UNTOLD_VRS: Final = frozenset({None, "UN"})
"""Implicit VR writes none, and "unknown" is for what a writer does not know (PS3.5 section 6.2.2)."""
_BYTE_VRS: Final = frozenset({"OB", "OW"})
"""Writers choose between these by the depth of what is inside; in one byte order it is the same."""
_CHUNK_BYTES: Final = 1 << 20

_Element: TypeAlias = DataElement | RawDataElement


def same_content(one: Path, other: Path, *, max_frame_bytes: int) -> bool:
    """Whether two whole images are one, differently written. True only where all of both was compared.

    Raises whatever a damaged file makes its reader raise: then they are not known to be the same.
    """
    with regular_file(one) as first, regular_file(other) as second:
        a = parse(first, largest_inflated_bytes=max_frame_bytes)
        b = parse(second, largest_inflated_bytes=max_frame_bytes)
        return (
            _same_encoding(a, b)
            and _same_dataset(a.dataset, b.dataset)
            and _same_pixels(a, b)
            and _same_rest(a, b)
        )


def _same_encoding(a: DicomFile, b: DicomFile) -> bool:
    syntaxes = {a.transfer_syntax_uid, b.transfer_syntax_uid}
    return len(syntaxes) == 1 or syntaxes <= _SAME_BYTES_SYNTAXES


def _same_dataset(a: Dataset, b: Dataset) -> bool:
    tags = _tags(a)
    return tags == _tags(b) and all(_same_element(tag, _get(a, tag), _get(b, tag)) for tag in tags)


def _tags(dataset: Dataset) -> set[BaseTag]:
    """All but group lengths (gggg,0000) and the like."""
    return {tag for tag in dataset.keys() if tag.element != 0 and tag not in _OF_THE_WRITER}  # noqa: SIM118  iterating a data set converts its elements


def _get(dataset: Dataset, tag: BaseTag) -> _Element:
    """As it was read: bytes, or a sequence. Nothing is decoded, as decoding forgives."""
    return cast(_Element, dataset.get_item(tag, keep_deferred=True))


def _same_element(tag: BaseTag, a: _Element, b: _Element) -> bool:
    vrs = {a.VR, b.VR} - _UNTOLD_VRS
    if not vrs and dictionary_has_tag(tag):
        vrs = {dictionary_VR(tag)}
    if vrs == {"SQ"}:
        ours, theirs = _items(a), _items(b)
        return len(ours) == len(theirs) and all(map(_same_dataset, ours, theirs))
    if len(vrs) > 1 and not vrs <= _BYTE_VRS:
        return False
    is_text = bool(vrs & STR_VR)
    return _unpadded(_bytes(a), is_text=is_text) == _unpadded(_bytes(b), is_text=is_text)


def _items(element: _Element) -> Sequence[Dataset]:
    if not isinstance(element, RawDataElement):
        return cast(Sequence[Dataset], element.value)
    implicit = element.is_implicit_VR or element.VR == "UN"  # what is unknown is written implicitly
    return convert_SQ(element.value or b"", implicit, element.is_little_endian)


def _bytes(element: _Element) -> bytes:
    value = element.value or b""
    if isinstance(value, bytes):
        return value
    texts = [value] if isinstance(value, str) else value  # SpecificCharacterSet, which the reader needed
    return "\\".join(texts).encode()


def _unpadded(value: bytes, *, is_text: bool) -> bytes:
    """Without the spaces and zeros behind a text, or with the byte that makes other values even."""
    return value.rstrip(b" \0") if is_text else value + bytes(len(value) % 2)


def _same_pixels(a: DicomFile, b: DicomFile) -> bool:
    """Native: the same bytes, but for one that makes their number even. Compressed: the same items."""
    ours, theirs = a.pixel_element, b.pixel_element
    if ours is None or theirs is None or ours.keyword != theirs.keyword:
        return False
    if (ours.length_bytes is None) != (theirs.length_bytes is None):
        return False
    our_bytes, their_bytes = _pixels_end(a) - ours.value_start, _pixels_end(b) - theirs.value_start
    if our_bytes + our_bytes % 2 != their_bytes + their_bytes % 2:
        return False
    a.stream.seek(ours.value_start)
    b.stream.seek(theirs.value_start)
    return _same_bytes(a.stream, b.stream, min(our_bytes, their_bytes))


def _pixels_end(file: DicomFile) -> int:
    element = file.pixel_element
    assert element is not None  # the caller has looked
    if element.length_bytes is None:
        return walk_fragments(file.stream, element, file.size_bytes).end
    return element.value_start + element.length_bytes


def _same_bytes(a: Stream, b: Stream, count: int) -> bool:
    while count > 0:
        ours, theirs = a.read(min(count, _CHUNK_BYTES)), b.read(min(count, _CHUNK_BYTES))
        if ours != theirs or not ours:
            return False
        count -= len(ours)
    return True


def _same_rest(a: DicomFile, b: DicomFile) -> bool:
    """What stands behind the pixels: padding, signatures, private groups."""
    ours, theirs = _rest(a), _rest(b)
    return ours is not None and theirs is not None and _same_dataset(ours, theirs)


def _rest(file: DicomFile) -> Dataset | None:
    """None where the reader did not come to the end of the file."""
    file.stream.seek(_pixels_end(file))
    implicit, little = file.dataset.original_encoding
    rest = read_dataset(cast(BinaryIO, file.stream), bool(implicit), bool(little))
    return rest if file.stream.tell() >= file.size_bytes else None
