# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What a writer may choose makes no other image; everything that a reader can see does."""

from __future__ import annotations

import copy
import os
import shutil
import signal
import struct
import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
)

from appliance.clock import SystemClock
from appliance.config import MIB, ReadingSettings
from appliance.intake.jail import Jail
from appliance.intake.same_content import same_content

Change = Callable[[Dataset], None]
PIXELS = np.arange(9 * 7, dtype=np.uint16).reshape(9, 7)


@pytest.fixture
def radiograph(header: Dataset) -> Dataset:
    """With all that writers write differently: nested and private sequences, texts, numbers, a tail."""
    header.PatientName, header.SpecificCharacterSet = "Müller^Zoë", "ISO_IR 192"
    header.KVP, header.WindowCenter, header.PixelPaddingValue = "70.5", ["100", "200"], 7
    inner = Dataset()
    inner.CodeValue, inner.CodeMeaning = "R-10206", "anterior"
    view = Dataset()
    view.CodeValue, view.ViewModifierCodeSequence = "R-10242", [inner]
    header.ViewCodeSequence = [view, copy.deepcopy(inner)]
    header.add_new(0x00191001, "LO", "private")
    header.private_block(0x0019, "MAKER", create=True).add_new(0x02, "SQ", [copy.deepcopy(inner)])
    header.add_new(0x7FE10010, "LO", "TAIL")
    header.add_new(0x7FE11001, "OB", b"behind the pixels")
    header.Rows, header.Columns = PIXELS.shape
    header.BitsAllocated, header.BitsStored, header.HighBit = 16, 12, 11
    header.SamplesPerPixel, header.PixelRepresentation = 1, 0
    header.PhotometricInterpretation = "MONOCHROME2"
    header.PixelData = PIXELS.tobytes()
    header["PixelData"].VR = "OW"
    return header


def written(path: Path, dataset: Dataset, syntax: str = ExplicitVRLittleEndian) -> Path:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some of these files are wrong on purpose
        pydicom.dcmwrite(
            path,
            dataset,
            implicit_vr=syntax == ImplicitVRLittleEndian,
            little_endian=syntax != ExplicitVRBigEndian,
            enforce_file_format=True,
        )
    return path


def same(one: Path, other: Path) -> bool:
    assert one.read_bytes() != other.read_bytes()  # else the test would show nothing
    answers = {same_content(a, b, max_frame_bytes=MIB) for a, b in ((one, other), (other, one))}
    assert len(answers) == 1
    return answers.pop()


def undefined_lengths(dataset: Dataset) -> None:
    for element in dataset:
        if element.VR == "SQ":
            element.is_undefined_length = True
            for item in element.value:
                item.is_undefined_length_sequence_item = True
                undefined_lengths(item)


def length_to_end(dataset: Dataset) -> None:
    dataset.add_new(0x00080001, "UL", 99999)


def trailing_padding(dataset: Dataset) -> None:
    dataset.add_new(0xFFFCFFFC, "OB", bytes(300))


def text_padding(dataset: Dataset) -> None:
    dataset.PatientID = dataset.PatientID + "   "


def unknown_vrs(dataset: Dataset) -> None:
    """As one who does not know them writes them: bytes as they are, sequences implicitly (PS3.5 6.2.2)."""
    dataset[0x00100020].VR, dataset[0x00100020]._value = "UN", b"PHANTOM "
    dataset[0x00191001].VR, dataset[0x00191001]._value = "UN", b"private "
    code = dataset[0x00191002].value[0]
    values = b"".join(
        struct.pack("<HHI", tag.group, tag.element, len(text)) + text
        for tag, text in ((code["CodeValue"].tag, b"R-10206 "), (code["CodeMeaning"].tag, b"anterior"))
    )
    del dataset[0x00191002]
    dataset.add_new(0x00191002, "UN", struct.pack("<HHI", 0xFFFE, 0xE000, len(values)) + values)


@pytest.mark.parametrize(
    "rewrite", [undefined_lengths, length_to_end, trailing_padding, text_padding, unknown_vrs]
)
def test_what_a_writer_may_choose_is_no_difference(
    radiograph: Dataset, tmp_path: Path, rewrite: Change
) -> None:
    one = written(tmp_path / "one", copy.deepcopy(radiograph))
    rewrite(radiograph)
    assert same(one, written(tmp_path / "other", radiograph))


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_uncompressed_little_endian_is_one_whatever_the_encoding(
    radiograph: Dataset, tmp_path: Path, syntax: str
) -> None:
    one = written(tmp_path / "one", copy.deepcopy(radiograph))
    other = written(tmp_path / "other", copy.deepcopy(radiograph), syntax)
    assert same(one, other)
    radiograph.PatientID = "PHANTOM2"
    assert not same(one, written(tmp_path / "edited", radiograph, syntax))


def test_group_lengths_and_odd_values_are_no_difference(radiograph: Dataset, tmp_path: Path) -> None:
    """Both spliced into the bytes, as the library writes neither."""
    one, other = written(tmp_path / "one", radiograph), tmp_path / "other"
    content = one.read_bytes()
    group_length = struct.pack("<HH2sHI", 0x0008, 0, b"UL", 4, 1234)
    data_set = content.index(struct.pack("<HH", 0x0008, 0x0005))
    other.write_bytes(content[:data_set] + group_length + content[data_set:])
    assert same(one, other)
    assert content.endswith(struct.pack("<I", 18) + b"behind the pixels\0")
    other.write_bytes(content[:-22] + struct.pack("<I", 17) + b"behind the pixels")
    assert same(one, other)


def test_a_last_byte_that_makes_the_pixels_even_is_no_difference(radiograph: Dataset, tmp_path: Path) -> None:
    radiograph.BitsAllocated, radiograph.BitsStored, radiograph.HighBit = 8, 8, 7
    del radiograph[0x7FE10010], radiograph[0x7FE11001]
    radiograph.PixelData = bytes(range(63)) + b"\0"
    padded = written(tmp_path / "padded", radiograph)
    content = padded.read_bytes()
    odd = tmp_path / "odd"
    odd.write_bytes(content[:-68] + struct.pack("<I", 63) + content[-64:-1])
    assert same(padded, odd)
    odd.write_bytes(odd.read_bytes()[:-1] + b"\x07")
    assert not same(padded, odd)


def _nested(dataset: Dataset) -> None:
    dataset.ViewCodeSequence[0].ViewModifierCodeSequence[0].CodeMeaning = "posterior"


def _one_pixel(dataset: Dataset) -> None:
    changed = PIXELS.copy()
    changed[4, 3] ^= 1
    dataset.PixelData = changed.tobytes()


def _set(keyword: str, value: Any) -> Change:
    def change(dataset: Dataset) -> None:
        setattr(dataset, keyword, value)

    return change


def _signed(dataset: Dataset) -> None:
    dataset["PixelPaddingValue"].VR = "SS"  # the same two bytes, another number where it is negative


@pytest.mark.parametrize(
    "edit",
    [
        _set("PatientName", "Müller^Zoe"),
        _set("PatientID", " PHANTOM"),
        _set("PatientID", None),
        _set("SpecificCharacterSet", "ISO_IR 100"),
        _set("KVP", "70.50"),
        _set("WindowCenter", ["200", "100"]),
        _set("Laterality", "L"),
        _set("ViewCodeSequence", []),
        lambda dataset: dataset.ViewCodeSequence.reverse(),
        lambda dataset: dataset.pop("KVP"),
        lambda dataset: dataset.pop(0x00191002),
        lambda dataset: dataset.add_new(0x7FE11001, "OB", b"behind the pixel "),
        lambda dataset: dataset.pop(0x7FE11001),
        _nested,
        _signed,
        _one_pixel,
        lambda dataset: dataset.__setattr__("PixelData", dataset.PixelData + bytes(2)),
    ],
)
def test_whatever_a_reader_can_see_is_a_difference(radiograph: Dataset, tmp_path: Path, edit: Change) -> None:
    one = written(tmp_path / "one", copy.deepcopy(radiograph))
    edit(radiograph)
    assert not same(one, written(tmp_path / "other", radiograph))


def test_compressed_pixels_are_compared_as_they_are(radiograph: Dataset, tmp_path: Path) -> None:
    """Codestreams are not decoded here, so anything in their place will do."""

    def compressed(name: str, frames: list[bytes], syntax: str = JPEG2000Lossless, **table: bool) -> Path:
        radiograph.PixelData = encapsulate(frames, **table)
        radiograph["PixelData"].VR, radiograph["PixelData"].is_undefined_length = "OB", True
        return written(tmp_path / name, radiograph, syntax)

    one = compressed("one", [b"frame one!"])
    undefined_lengths(radiograph)
    assert same(one, compressed("again", [b"frame one!"]))
    assert not same(one, compressed("changed", [b"frame One!"]))
    assert not same(one, compressed("more", [b"frame one!", b"frame two!"]))
    assert not same(one, compressed("table", [b"frame one!"], has_bot=False))
    content = one.read_bytes()
    start = content.index(b"OB\0\0" + b"\xff" * 4) + 8
    size = content.index(struct.pack("<HHI", 0xFFFE, 0xE0DD, 0), start) + 8 - start
    (tmp_path / "length").write_bytes(content[: start - 4] + struct.pack("<I", size) + content[start:])
    assert not same(one, tmp_path / "length")
    assert not same(one, compressed("syntax", [b"frame one!"], JPEGLSLossless))


def test_big_endian_pixels_are_not_taken_for_the_same(radiograph: Dataset, tmp_path: Path) -> None:
    one = written(tmp_path / "one", copy.deepcopy(radiograph))
    assert not same(one, written(tmp_path / "other", radiograph, ExplicitVRBigEndian))


def test_a_tail_that_hides_something_is_a_difference(radiograph: Dataset, tmp_path: Path) -> None:
    one, other = written(tmp_path / "one", radiograph), tmp_path / "other"
    item_end = struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
    other.write_bytes(one.read_bytes() + item_end + struct.pack("<HH2sH", 0x7FE1, 0x10, b"LO", 4) + b"ABCD")
    assert not same(one, other)


@pytest.mark.parametrize("options", [("+te",), ("+ti", "+g"), ("+te", "-e"), ("+td",)])
def test_what_dcmtk_writes_anew_is_the_same(
    radiograph: Dataset, tmp_path: Path, options: tuple[str, ...]
) -> None:
    found = shutil.which("dcmconv")
    if found is None:
        pytest.skip("dcmconv is not installed (package dcmtk)")
    one, other = written(tmp_path / "one", radiograph), tmp_path / "other"
    subprocess.run([found, *options, str(one), str(other)], check=True, timeout=30)
    assert same(one, other)


def test_the_jail_compares_and_a_file_that_cannot_be_read_is_another(
    jail: Jail, radiograph: Dataset, tmp_path: Path
) -> None:
    one = written(tmp_path / "one", copy.deepcopy(radiograph))
    trailing_padding(radiograph)
    other = written(tmp_path / "other", copy.deepcopy(radiograph))
    assert jail.same_content(one, other) is True
    (tmp_path / "damaged").write_bytes(other.read_bytes()[:-315])
    assert jail.same_content(one, tmp_path / "damaged") is False
    assert jail.same_content(one, tmp_path / "gone") is False
    assert jail.same_content(tmp_path / "one", other) is True


def test_a_comparison_that_takes_too_long_is_a_difference(radiograph: Dataset, tmp_path: Path) -> None:
    one = written(tmp_path / "one", copy.deepcopy(radiograph))
    trailing_padding(radiograph)
    other = written(tmp_path / "other", radiograph)
    with Jail(ReadingSettings(decode_timeout_s=0.3), SystemClock()) as jail:
        assert jail.same_content(one, other) is True
        assert jail.child_pid is not None
        hung = jail.child_pid
        os.kill(hung, signal.SIGSTOP)
        assert jail.same_content(one, other) is False
        assert jail.same_content(one, other) is True
        assert jail.child_pid != hung
