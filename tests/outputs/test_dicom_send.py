# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Sending to real receivers on this machine; what they answer, in words."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import ImplicitVRLittleEndian, JPEGLSLossless
from pynetdicom.sop_class import MRImageStorage

from appliance.clock import SystemClock
from appliance.config import Settings
from appliance.errors import DeliveryError
from appliance.outputs.dicom_send import DicomPeer, echo
from appliance.receivers import PeerSettings
from tests.receiver import receiver
from tests.running import free_port

MakeFile = Callable[..., Path]


NOBODY_LISTENS = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""pynetdicom drops the socket of a refused connection without closing it; Python closes it at once."""


def peer(port: int, ae_title: str = "ARCHIVE") -> DicomPeer:
    return DicomPeer(name="archive", host="127.0.0.1", port=port, ae_title=ae_title, own_ae_title="SCANSIDE")


def deliver(port: int, *paths: Path, ae_title: str = "ARCHIVE") -> None:
    with closing(peer(port, ae_title)) as opened:
        for path in paths:
            opened.deliver(path)


def body(path: Path) -> bytes:
    """The dataset's bytes as they lie in the file, after preamble and group 0002."""
    dataset = pydicom.dcmread(path)
    length = dataset.file_meta.FileMetaInformationGroupLength
    return path.read_bytes()[128 + 4 + 12 + length :]


def test_a_file_arrives_as_it_is_and_may_come_twice(ct_file: MakeFile) -> None:
    path = ct_file(0)
    with receiver() as (port, received):
        deliver(port, path)
        deliver(port, path)
    assert [content for content, _ in received] == [body(path)] * 2


def test_a_receiver_that_knows_only_implicit_gets_implicit(ct_file: MakeFile) -> None:
    with receiver(syntaxes=ImplicitVRLittleEndian) as (port, received):
        deliver(port, ct_file(0))
    assert [syntax for _, syntax in received] == [ImplicitVRLittleEndian]


@pytest.mark.parametrize("status", [0xB000, 0xB006, 0xB007])
def test_stored_with_a_warning_is_stored(ct_file: MakeFile, status: int) -> None:
    with receiver(status=status) as (port, received):
        deliver(port, ct_file(0))
    assert len(received) == 1


@pytest.mark.parametrize(
    ("status", "permanent", "words"),
    [
        (0xA700, False, "no room"),
        (0xA900, True, "refuses 0.dcm .*0xA900"),
        (0xC123, True, "refuses"),
        (0x0122, True, "refuses"),
        (0x0124, True, "refuses"),
        (0x0110, False, "refuses"),
    ],
)
def test_a_refused_file_is_said(ct_file: MakeFile, status: int, permanent: bool, words: str) -> None:
    with receiver(status=status) as (port, _), pytest.raises(DeliveryError, match=words) as error:
        deliver(port, ct_file(0))
    assert error.value.permanent is permanent


# Trace: REQ-031
@NOBODY_LISTENS
def test_nobody_there_is_worth_waiting_for(ct_file: MakeFile) -> None:
    with pytest.raises(DeliveryError, match=r"archive \(ARCHIVE at .* does not answer") as error:
        deliver(free_port(), ct_file(0))
    assert not error.value.permanent


def test_a_receiver_that_does_not_know_us_is_named(ct_file: MakeFile) -> None:
    with (
        receiver(require_calling_aet=["OTHER"]) as (port, _),
        pytest.raises(DeliveryError, match="does not know the AE title SCANSIDE") as error,
    ):
        deliver(port, ct_file(0))
    assert error.value.permanent
    assert "Enter SCANSIDE" in error.value.remedy


def test_a_receiver_with_another_name_is_named(ct_file: MakeFile) -> None:
    with (
        receiver(require_called_aet=True) as (port, _),
        pytest.raises(DeliveryError, match="is not called PACS") as error,
    ):
        deliver(port, ct_file(0), ae_title="PACS")
    assert error.value.permanent
    assert "sender.peers.ae_title" in error.value.remedy


def test_a_kind_that_is_not_taken_is_named(ct_file: MakeFile) -> None:
    with (
        receiver(takes=MRImageStorage) as (port, _),
        pytest.raises(DeliveryError, match="does not take CT Image Storage in Explicit VR") as error,
    ):
        deliver(port, ct_file(0))
    assert error.value.permanent


def test_a_compression_that_is_not_taken_is_named(ct_file: MakeFile) -> None:
    path = ct_file(0)
    dataset = pydicom.dcmread(path)
    dataset.compress(JPEGLSLossless, encoding_plugin="pyjpegls" if _has_pyjpegls() else "gdcm")
    dataset.save_as(path)
    with receiver() as (port, _), pytest.raises(DeliveryError, match="JPEG-LS Lossless"):
        deliver(port, path)
    with receiver(syntaxes=JPEGLSLossless) as (port, received):
        deliver(port, path)
    assert [content for content, _ in received] == [body(path)]


def _has_pyjpegls() -> bool:
    try:
        import jpeg_ls  # noqa: F401, PLC0415  (asked for, not needed)
    except ImportError:
        return False
    return True


@pytest.mark.parametrize("content", [b"", b"no DICOM file at all" * 20])
def test_a_file_that_is_damaged_is_said(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.dcm"
    path.write_bytes(content)
    with pytest.raises(DeliveryError, match=r"x\.dcm cannot be read"):
        deliver(1, path)
    with pytest.raises(DeliveryError, match=r"y\.dcm cannot be read"):
        deliver(1, tmp_path / "y.dcm")


@NOBODY_LISTENS
def test_echo_reaches_a_peer_of_the_settings() -> None:
    with receiver() as (port, _):
        echo(
            PeerSettings(name="archive", host="127.0.0.1", port=port, ae_title="ARCHIVE"),
            Settings(),
        )
    with pytest.raises(DeliveryError, match="does not answer"):
        echo(
            PeerSettings(name="archive", host="127.0.0.1", port=free_port(), ae_title="ARCHIVE"),
            Settings(),
        )


@NOBODY_LISTENS
def test_dcmtk_takes_our_files(ct_file: MakeFile, tmp_path: Path) -> None:
    """A receiver that shares no code with us."""
    program = shutil.which("storescp")
    if program is None:
        pytest.skip("storescp is not installed (Debian package dcmtk)")
    inbox, port, clock = tmp_path / "pacs", free_port(), SystemClock()
    inbox.mkdir()
    with subprocess.Popen(
        [program, "-od", str(inbox), "-aet", "ARCHIVE", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            for _ in range(50):
                try:
                    peer(port).echo()
                    break
                except DeliveryError:
                    clock.sleep(0.1)
            paths = [ct_file(number) for number in range(3)]
            for path in paths:
                deliver(port, path)
        finally:
            server.terminate()
    arrived = {pydicom.dcmread(path).SOPInstanceUID: path for path in inbox.iterdir()}
    for path in paths:
        original = pydicom.dcmread(path)
        assert pydicom.dcmread(arrived[original.SOPInstanceUID]).PixelData == original.PixelData
