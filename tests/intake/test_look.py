# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Whole, unfinished, left alone or unusable: on growing, cut, wrong and dangerous files."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from appliance.config import MIB
from appliance.errors import InputError
from appliance.intake.description import Description, FileState
from appliance.intake.jail import Jail
from appliance.intake.look import describe

WriteDicom = Callable[..., Path]
LIMIT = 64 * MIB
NOISE = np.random.default_rng(9).integers(0, 4096, (120, 100), dtype=np.uint16)
JPEG_LS = "1.2.840.10008.1.2.4.80"


def look(path: Path) -> Description:
    return describe(path, max_frame_bytes=LIMIT)


def cuts(size: int) -> Iterator[int]:
    """Every 4 KB, and around the places where something begins or ends."""
    yield from range(0, size, 4096)
    yield from range(1, min(size, 1500), 37)
    yield from (size - 1, size - 2, size - 9)


# Trace: REQ-004
@pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom names what it misses at the cut
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, JPEG_LS, DeflatedExplicitVRLittleEndian])
def test_a_cut_file_is_never_whole(write_dicom: WriteDicom, tmp_path: Path, syntax: str) -> None:
    frames = [imagecodecs.jpegls_encode(NOISE)] if syntax == JPEG_LS else None
    content = write_dicom(NOISE, syntax=syntax, frames=frames).read_bytes()
    part = tmp_path / "part.dcm"
    for size in cuts(len(content)):
        part.write_bytes(content[:size])
        found = look(part)
        assert found.state is FileState.UNFINISHED, (size, found.reason)
        assert found.present_bytes is not None
        assert found.reason
        assert found.remedy
    part.write_bytes(content)
    assert look(part).state is FileState.WHOLE


def test_a_growing_file_says_how_much_is_there(write_dicom: WriteDicom) -> None:
    path = write_dicom(NOISE)
    content = path.read_bytes()
    path.write_bytes(content[:-10_000])
    found = look(path)
    assert found.state is FileState.UNFINISHED
    assert (found.present_bytes, found.expected_bytes) == (14_000, 24_000)
    assert found.reason == "14,000 of 24,000 bytes of the pixel data are there."
    assert found.instance is not None
    assert found.instance.patient.patient_id == "PHANTOM"
    with path.open("ab") as stream:
        stream.write(content[-10_000:])
    assert look(path).state is FileState.WHOLE


def test_what_follows_the_pixels_is_no_reason_to_wait(write_dicom: WriteDicom) -> None:
    path = write_dicom(NOISE)
    with path.open("ab") as stream:
        stream.write(b"\xfc\xff\xfc\xffOB\0\0\x10\0\0\0" + bytes(16))
    assert look(path).state is FileState.WHOLE


# Trace: REQ-017
@pytest.mark.parametrize(
    ("preamble", "words"),
    [
        (b"MZ\x90\0", "a Windows program"),
        (b"\x7fELF", "a Linux program"),
        (b"#!/bin/sh\n", "a script"),
        (b"PK\x03\x04", "an archive"),
        (b'{"a": 1}', "a settings file"),
    ],
)
def test_a_preamble_that_could_run_is_refused(write_dicom: WriteDicom, preamble: bytes, words: str) -> None:
    path = write_dicom(NOISE)
    content = path.read_bytes()
    path.write_bytes(preamble + content[len(preamble) :])
    found = look(path)
    assert found.state is FileState.UNUSABLE
    assert words in (found.reason or "")


@pytest.mark.parametrize("preamble", [b"II*\0", b"MM\0*", b"II+\0", b"R_1F7AAEBA"])
def test_harmless_preambles_are_read(write_dicom: WriteDicom, preamble: bytes) -> None:
    path = write_dicom(NOISE)
    content = path.read_bytes()
    path.write_bytes(preamble + content[len(preamble) :])
    assert look(path).state is FileState.WHOLE


def test_a_data_set_without_preamble_is_read(write_dicom: WriteDicom) -> None:
    path = write_dicom(NOISE)
    path.write_bytes(path.read_bytes()[132:])
    assert look(path).state is FileState.WHOLE


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(200), "a PNG picture"),
        (b"PK\x03\x04" + bytes(200), "a ZIP archive"),
        (b"Dear colleague, please find attached " * 9, "not a DICOM file"),
        (b"version https://git-lfs.github.com/spec/v1\n", "never downloaded"),
        (bytes(range(256)) * 4, "not a DICOM file"),
    ],
)
def test_what_is_not_dicom_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "x.dcm"
    path.write_bytes(content)
    found = look(path)
    assert found.state is FileState.UNUSABLE
    assert words in (found.reason or "")


def test_only_plain_files_are_opened(tmp_path: Path, write_dicom: WriteDicom) -> None:
    """A pipe must not hold us up, a link must not lead us elsewhere."""
    pipe, link, folder, door = (tmp_path / name for name in ("pipe", "link", "folder", "door"))
    os.mkfifo(pipe)
    link.symlink_to(write_dicom(NOISE))
    folder.mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(door))
        for path in (pipe, link, folder, door, Path("/dev/zero"), tmp_path / "absent"):
            with pytest.raises(InputError):
                look(path)


@pytest.mark.parametrize(
    ("sop_class_uid", "words"),
    [
        ("1.2.840.10008.5.1.4.1.1.88.33", "Comprehensive SR"),
        ("1.2.840.10008.5.1.4.1.1.104.1", "Encapsulated PDF"),
        ("1.2.840.10008.5.1.4.1.1.11.1", "Presentation State"),
        ("1.2.840.10008.5.1.4.1.1.481.5", "RT Plan"),
    ],
)
def test_objects_without_pixels_are_left_alone(
    write_dicom: WriteDicom, sop_class_uid: str, words: str
) -> None:
    found = look(write_dicom(SOPClassUID=sop_class_uid))
    assert found.state is FileState.LEFT_ALONE
    assert found.instance is not None
    assert found.instance.pixels is None
    assert words in (found.reason or "")


def test_a_segmentation_is_left_alone_when_whole(write_dicom: WriteDicom) -> None:
    path = write_dicom(NOISE, SOPClassUID="1.2.840.10008.5.1.4.1.1.66.4")
    assert look(path).state is FileState.LEFT_ALONE
    path.write_bytes(path.read_bytes()[:-100])
    assert look(path).state is FileState.UNFINISHED


@pytest.mark.parametrize(
    ("element", "value", "words"),
    [
        ("SOPInstanceUID", "../../../etc/passwd", "not a DICOM identifier"),
        ("SOPInstanceUID", "1" * 65, "not a DICOM identifier"),
        ("StudyInstanceUID", "", "Study Instance UID is missing"),
        ("Rows", 0, "Rows is 0"),
        ("NumberOfFrames", "999999", "999999 frame"),
        ("PhotometricInterpretation", "FOO", "'FOO'"),
        ("BitsStored", 32, "Impossible pixel layout"),
        ("SamplesPerPixel", 3, "contradicts itself"),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom objects to the values, too
def test_headers_that_cannot_be_true(
    write_dicom: WriteDicom, element: str, value: object, words: str
) -> None:
    found = look(write_dicom(NOISE, **{element: value}))
    assert found.state is FileState.UNUSABLE
    assert words in (found.reason or "")
    assert found.remedy


def test_frames_larger_than_the_limit_are_refused_before_anything_is_reserved(
    write_dicom: WriteDicom,
) -> None:
    found = look(write_dicom(NOISE, Rows=65535, Columns=65535))
    assert found.state is FileState.UNUSABLE
    assert f"{LIMIT:,}" in (found.reason or "")


def test_compressed_headers_over_plain_pixels_and_unknown_syntaxes(
    write_dicom: WriteDicom, header: Dataset
) -> None:
    path = write_dicom(NOISE)
    wrong = path.read_bytes().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0")
    path.write_bytes(wrong)
    assert "plain bytes" in (look(path).reason or "")
    video = write_dicom(NOISE, syntax="1.2.840.10008.1.2.4.102", frames=[b"\0\0"])
    assert "does not read" in (look(video).reason or "")
    assert header.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.4.102"


def test_compressed_files_must_hold_as_many_fragments_as_frames(write_dicom: WriteDicom) -> None:
    codestream = imagecodecs.jpegls_encode(NOISE)
    path = write_dicom(NOISE, syntax=JPEG_LS, frames=[codestream], NumberOfFrames="3")
    found = look(path)
    assert found.state is FileState.UNUSABLE
    assert "1 compressed fragment" in (found.reason or "")


# Trace: REQ-014
def test_a_deflated_bomb_is_stopped(write_dicom: WriteDicom, header: Dataset) -> None:
    """A private element that inflates to more than any image may take."""
    header.add_new(0x00091010, "OB", bytes(70 * MIB))
    path = write_dicom(NOISE, syntax=DeflatedExplicitVRLittleEndian)
    assert path.stat().st_size < MIB
    found = describe(path, max_frame_bytes=MIB)
    assert found.state is FileState.UNUSABLE
    assert "unpacks to more than" in (found.reason or "")


def test_a_value_that_claims_gigabytes_is_cut_short_and_costs_nothing(
    jail: Jail, write_dicom: WriteDicom, header: Dataset
) -> None:
    header.add_new(0x00091010, "OB", b"private!")
    path = write_dicom(NOISE)
    content = path.read_bytes()
    place = content.index(b"OB\0\0\x08\0\0\0private!")
    path.write_bytes(content[: place + 4] + b"\xf0\xff\xff\xff" + content[place + 8 :])
    jail.describe(path)
    before = jail.child_pid
    found = jail.describe(path)
    assert found.state is FileState.UNFINISHED
    assert "inside its header" in (found.reason or "")
    assert jail.child_pid == before


def test_the_jail_turns_what_cannot_be_opened_into_an_answer(jail: Jail, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    found = jail.describe(pipe)
    assert found.state is FileState.UNUSABLE
    assert "pipe" in (found.reason or "")


STATES = {
    "truncated-pixels-50pct.dcm": (FileState.UNFINISHED, "16,222 of 32,768"),
    "truncated-in-header.dcm": (FileState.UNFINISHED, "inside its header"),
    "zero-byte.dcm": (FileState.UNFINISHED, "after 0 bytes"),
    "131-bytes.dcm": (FileState.UNFINISHED, "after 131 bytes"),
    "no-pixeldata.dcm": (FileState.UNFINISHED, "before its pixel data"),
    "nested-sequence-5000.dcm": (FileState.UNUSABLE, "nested deeper"),
    "nested-sequence-64.dcm": (FileState.WHOLE, ""),
    "bits-allocated-12.dcm": (FileState.UNUSABLE, "packed into"),
    "palette-no-lut.dcm": (FileState.WHOLE, ""),
    "ts-unknown.dcm": (FileState.UNUSABLE, "9.9.9.9"),
    "pixeldata-undefined-uncompressed.dcm": (FileState.UNUSABLE, "no length"),
    "pixeldata-length-FFFFFFFE.dcm": (FileState.UNFINISHED, "4,294,967,294"),
    "rows-wrong-VR-LO.dcm": (FileState.UNUSABLE, "Rows is missing or not a number"),
    "deflate-bomb-64MiB.dcm": (FileState.WHOLE, ""),
    "trailing-garbage.dcm": (FileState.WHOLE, ""),
    "uid-path-traversal.dcm": (FileState.UNUSABLE, "SOP Instance UID"),
    "ext/fo-dicom_DICOMDIR": (FileState.LEFT_ALONE, "DICOMDIR"),
    "ext/pydicom_no_meta_group_length.dcm": (FileState.UNFINISHED, "inside its header"),
    "ext/fo-dicom_GH340.dcm": (FileState.UNUSABLE, "missing"),
}


def test_hostile_files_get_the_state_that_fits(jail: Jail, real_data: Path) -> None:
    for name, (state, words) in STATES.items():
        found = jail.describe(real_data / "ct" / "dicom-hostile" / name)
        assert found.state is state, (name, found.reason)
        assert words in (found.reason or ""), (name, found.reason)
