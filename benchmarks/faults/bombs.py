# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Files that are small and mean much, names that lead elsewhere, and what must become of each."""

from __future__ import annotations

import gzip
import os
import struct
import zlib
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import imagecodecs
import numpy as np
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from appliance.config import MIB
from benchmarks.faults.fuzz_seeds import encoded, radiograph

QUARANTINED: Final = "quarantined"
ACCEPTED: Final = "accepted"
EITHER: Final = ""
"""As fast as the machine is: what takes its jail longer than its limit is quarantined."""
RLE: Final = "1.2.840.10008.1.2.5"
JPEG_2000: Final = "1.2.840.10008.1.2.4.90"
JPEG_LS: Final = "1.2.840.10008.1.2.4.80"
_PIXELS: Final = b"\xe0\x7f\x10\x00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hostile:
    """A file that somebody drops."""

    name: bytes
    """In the inbox; may hold slashes."""
    content: bytes
    fate: str
    """What must become of it: QUARANTINED, or ACCEPTED where only its frames (or nothing) can be refused."""
    frames_refused: bool = False


def bombs(folder: Path, *, inflated_bytes: int | None = 700 * MIB) -> Iterator[Hostile]:
    """Every bomb; `inflated_bytes`: what the deflated one becomes. None: without those that take long."""
    chest = radiograph(folder)
    whole = encoded(chest)

    def bomb(name: str, content: bytes, fate: str = QUARANTINED, *, frames_refused: bool = False) -> Hostile:
        return Hostile(name=name.encode(), content=content, fate=fate, frames_refused=frames_refused)

    if inflated_bytes is not None:
        yield bomb("deflated.dcm", _deflated(chest, inflated_bytes))
        components = _long(b"\x08\0\x60\0", b"UC", b"\\" * 20_000_000)
        yield bomb("components.dcm", _with(whole, components), EITHER)
        items = _long(b"\x09\0\x10\x10", b"SQ", b"\xfe\xff\x00\xe0\0\0\0\0" * 1_000_000)
        yield bomb("items.dcm", _with(whole, items), EITHER)
    levels = b"\x09\0\x10\x10SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" * 16_000
    yield bomb("nested.dcm", _with(whole, levels))
    yield bomb("frames.dcm", encoded(chest, Rows=65535, Columns=65535, NumberOfFrames=1000))
    runs = struct.pack("<16I", 2, 64, 70, *[0] * 13) + b"\x81\0" * 6
    yield bomb("rle.dcm", encoded(chest, RLE, Rows=40000, Columns=40000, PixelData=encapsulate([runs])))
    yield bomb("length.dcm", whole.replace(_PIXELS + b"OW\0\0\0\2\0\0", _PIXELS + b"OW\0\0\xfe\xff\xff\xff"))
    yield bomb("program.dcm", b"MZ\x90\0" + whole[4:])
    yield bomb("binary.dcm", b"\x7fELF" + whole[4:])
    yield bomb("script.dcm", b"#!/bin/sh\nid\n" + whole[13:])
    yield bomb("picture.dcm", b"\x89PNG\r\n\x1a\n" + bytes(500))
    yield bomb("archive.dcm", b"PK\x03\x04" + bytes(500))
    yield bomb("paper.dcm", b"%PDF-1.7\n" + bytes(500))
    large = np.zeros((6000, 6000), np.uint16)
    for name, syntax, codestream in (
        ("jpeg2000.dcm", JPEG_2000, imagecodecs.jpeg2k_encode(large, codecformat="j2k", level=0)),
        ("jpegls.dcm", JPEG_LS, imagecodecs.jpegls_encode(large)),
    ):
        content = encoded(chest, syntax, PixelData=encapsulate([bytes(codestream)]))
        yield bomb(name, content, ACCEPTED, frames_refused=True)
    claimed = bytearray(imagecodecs.jpeg2k_encode(large[:16, :16], codecformat="j2k", level=0))
    size = claimed.index(b"\xff\x51") + 6
    claimed[size : size + 8] = struct.pack(">II", 60_000, 60_000)
    content = encoded(chest, JPEG_2000, PixelData=encapsulate([bytes(claimed)]))
    yield bomb("claimed.dcm", content, ACCEPTED, frames_refused=True)


def volume_bombs(*, inflated_bytes: int = 700 * MIB) -> Iterator[Hostile]:
    """NIfTI only comes from a command: these go to the jail by their names, not through the inbox."""
    import nibabel  # noqa: PLC0415  (only these need it)

    header: Any = cast(Any, nibabel).Nifti1Header()
    header.set_data_dtype(np.float32)
    header.set_data_shape((1024, 1024, max(2, inflated_bytes // (4 * MIB))))
    head = bytes(header.binaryblock) + bytes(4)
    packed = gzip.compress(head) + gzip.compress(bytes(MIB)) * (inflated_bytes // MIB)
    yield Hostile(name=b"packed.nii.gz", content=packed, fate=QUARANTINED)
    header.set_data_shape((32000, 32000, 32000))
    yield Hostile(name=b"huge.nii", content=bytes(header.binaryblock) + bytes(4), fate=QUARANTINED)
    header.set_data_shape((1000, 1000, 32000))
    yield Hostile(name=b"long.nii", content=bytes(header.binaryblock) + bytes(4), fate=QUARANTINED)


LEADING_OUT: Final = (
    "../../../../../../etc/cron.d/scanside",
    "/etc/cron.d/scanside",
    "..\\..\\windows\\system32",
    "a\0b",
    "a\nb",
    "\u202egpj.exe",
    "<img src=/etc/passwd>",
    "$(id)",
    "`id`;id|id",
    "x" * 4096,
    "../" * 1300,
)


def hostile_values(folder: Path) -> Iterator[Hostile]:
    """Images of which an identifier leads elsewhere. Where it names the image itself, it is refused."""
    chest = radiograph(folder)
    for number, text in enumerate(LEADING_OUT):
        for keyword in ("PatientID", "PatientName", "AccessionNumber", "SeriesDescription", "StationName"):
            yield _value(chest, keyword, text, number, ACCEPTED)
        for keyword in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "SOPClassUID"):
            yield _value(chest, keyword, text, number, QUARANTINED)


def _value(chest: Dataset, keyword: str, text: str, number: int, fate: str) -> Hostile:
    changed = {"SOPInstanceUID": f"2.25.1{number}{len(keyword)}", "SpecificCharacterSet": "ISO_IR 192"}
    content = encoded(chest, **{**changed, keyword: "HERE" if fate == ACCEPTED else "1.1"})
    element = b"HERE" if fate == ACCEPTED else b"1.1\0"
    place = content.rindex(element) if fate == ACCEPTED else content.rindex(b"\x04\0" + element) + 2
    value = text.encode()
    value += b" " * (len(value) % 2)
    content = content[: place - 2] + struct.pack("<H", len(value)) + value + content[place + 4 :]
    return Hostile(name=f"{keyword}-{number}.dcm".encode(), content=content, fate=fate)


def hostile_names(folder: Path) -> Iterator[Hostile]:
    """Sound images under names that a file system allows and a program may stumble over."""
    chest = radiograph(folder)
    deep = b"/".join([b"d" * 250] * 12)
    for number, name in enumerate(
        (
            b"x..%2f..%2fetc%2fpasswd.dcm",
            b"-rf",
            b"a\nb.dcm",
            b"\xff\xfe\xff.dcm",
            "\u202egpj.mcd".encode(),
            b"$(touch outside).dcm",
            b"`touch outside`.dcm",
            b"'; DROP TABLE file; --.dcm",
            b"%s%n%x.dcm",
            b"\x1b[2J.dcm",
            b"x" * 251 + b".dcm",
            b"con",
            deep + b"/deep.dcm",
        )
    ):
        content = encoded(chest, SOPInstanceUID=f"2.25.99{number}")
        yield Hostile(name=name, content=content, fate=ACCEPTED)


def no_files(inbox: Path) -> int:
    """What lies in an inbox and is no file: a pipe, links out of it and to themselves. How many there are."""
    os.mkfifo(inbox / "pipe.dcm")
    (inbox / "link.dcm").symlink_to("/etc/passwd")
    (inbox / "loop.dcm").symlink_to("loop.dcm")
    (inbox / "out").symlink_to("/etc")
    (inbox / "device.dcm").symlink_to("/dev/zero")
    return len(list(inbox.iterdir()))


def _with(whole: bytes, element: bytes) -> bytes:
    """The element put in front of the group of the pixels' description."""
    place = whole.index(b"\x28\0\x02\0US")
    return whole[:place] + element + whole[place:]


def _long(tag: bytes, vr: bytes, value: bytes) -> bytes:
    return tag + vr + b"\0\0" + struct.pack("<I", len(value)) + value


def _deflated(chest: Dataset, inflated_bytes: int) -> bytes:
    """A file whose data set inflates to this."""
    small = encoded(deepcopy(chest), DeflatedExplicitVRLittleEndian)
    meta_end = 144 + struct.unpack_from("<I", small, 140)[0]
    plain = encoded(chest, ExplicitVRLittleEndian)
    dataset = plain[144 + struct.unpack_from("<I", plain, 140)[0] :]
    packer: Any = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    pieces = [packer.compress(dataset[: dataset.index(_PIXELS)])]
    pieces.append(packer.compress(_PIXELS + b"OW\0\0" + struct.pack("<I", inflated_bytes)))
    pieces += [packer.compress(bytes(MIB)) for _ in range(inflated_bytes // MIB)]
    return small[:meta_end] + b"".join([*pieces, packer.flush()])
