# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The DICOM door against real senders: DCMTK's, and pynetdicom's for what DCMTK does not propose."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from pydicom import dcmread, uid
from pydicom.dataset import FileDataset, FileMetaDataset
from pynetdicom import AE

from appliance.clock import SystemClock
from appliance.config import GIB, ListenerSettings
from appliance.errors import ConfigError
from appliance.intake.claim import Spool
from appliance.intake.listener import (
    CANNOT_UNDERSTAND,
    SUCCESS,
    Answer,
    AssociationEnded,
    Listener,
    Received,
)
from appliance.intake.step_door import StepReport
from appliance.layout import Layout

PATIENCE_S = 10.0
PRIVATE_SYNTAX = "1.2.826.0.1.3680043.8.498.77"
PRIVATE_CLASS = "1.2.826.0.1.3680043.8.498.78"


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def radiograph(
    path: Path, *, rows: int = 8, sop_class: str = uid.DigitalXRayImageStorageForPresentation
) -> Path:
    dataset = FileDataset(path, {}, preamble=bytes(128), file_meta=FileMetaDataset())
    dataset.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = sop_class
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = uid.generate_uid()
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = uid.generate_uid(), uid.generate_uid()
    dataset.Modality, dataset.PatientID = "DX", "P1"
    dataset.Rows, dataset.Columns = rows, 8
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.SamplesPerPixel, dataset.PixelRepresentation = 1, 0
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PixelData = np.arange(rows * 8, dtype="<u2").tobytes()
    dataset.save_as(path, enforce_file_format=True)
    return path


class Loop:
    """What stands for the intake loop: answers at once, and keeps the messages."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.received: list[Received] = []
        self.ended: list[AssociationEnded] = []
        self.has_ended = Event()

    def deliver(self, message: Received | AssociationEnded | StepReport) -> None:
        if isinstance(message, StepReport):
            message.answer.set_result(SUCCESS)
        elif isinstance(message, Received):
            self.received.append(message)
            message.answer.set_result(self.answer)
        else:
            self.ended.append(message)
            self.has_ended.set()


@contextmanager
def listening(
    layout: Layout,
    port: int,
    *,
    answer: Answer = Answer(status=SUCCESS),  # noqa: B008 - frozen
    spool: Spool | None = None,
    max_bytes: int = 1_000_000,
    **settings: object,
) -> Iterator[Loop]:
    loop = Loop(answer)
    with Listener(
        ListenerSettings.model_validate({"port": port, "ae_title": "SCANSIDE", **settings}),
        max_bytes=max_bytes,
        spool=spool or Spool(layout),
        deliver=loop.deliver,
        clock=SystemClock(),
    ):
        yield loop


def dcmtk(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed (package dcmtk)")
    return subprocess.run([found, *arguments], capture_output=True, text=True, timeout=60, check=False)


def storescu(port: int, *files: Path, called: str = "SCANSIDE", calling: str = "CT1") -> str:
    """What the sender says, with every status."""
    done = dcmtk(
        "storescu",
        "-v",
        "-aet",
        calling,
        "-aec",
        called,
        "-to",
        "10",
        "localhost",
        str(port),
        *map(str, files),
    )
    return done.stdout + done.stderr


def test_echo(layout: Layout, port: int) -> None:
    with listening(layout, port):
        assert dcmtk("echoscu", "-aec", "SCANSIDE", "localhost", str(port)).returncode == 0


def test_what_was_sent_is_written_as_it_was(layout: Layout, port: int, tmp_path: Path) -> None:
    file = radiograph(tmp_path / "a.dcm")
    with listening(layout, port) as loop:
        said = storescu(port, file)
        assert loop.has_ended.wait(PATIENCE_S)
    assert "Received Store Response (Success)" in said
    (received,) = loop.received
    assert received.calling_ae_title == "CT1"
    assert received.source == "CT1@127.0.0.1"
    written = received.part.path.read_bytes()
    assert written[:132] == bytes(128) + b"DICM"
    assert len(written) == received.part.size_bytes
    sent, came = dcmread(file), dcmread(received.part.path)
    assert came == sent
    assert came.file_meta.TransferSyntaxUID == sent.file_meta.TransferSyntaxUID
    (ended,) = loop.ended
    assert ended == AssociationEnded(association=received.association, released=True)


def test_the_same_object_twice_is_the_same_bytes(layout: Layout, port: int, tmp_path: Path) -> None:
    file = radiograph(tmp_path / "a.dcm")
    with listening(layout, port) as loop:
        storescu(port, file)
        storescu(port, file, calling="CT2")
    assert loop.received[0].part.sha256 == loop.received[1].part.sha256


@pytest.mark.parametrize(
    ("sop_class", "syntax"),
    [
        (uid.DigitalXRayImageStorageForPresentation, uid.HTJ2KLossless),
        (uid.CTImageStorage, uid.JPEGLSLossless),
        (uid.CTImageStorage, PRIVATE_SYNTAX),
        (PRIVATE_CLASS, uid.ExplicitVRLittleEndian),
        (uid.ComprehensiveSRStorage, uid.ExplicitVRLittleEndian),
    ],
)
def test_every_storage_class_and_syntax_is_taken(
    layout: Layout, port: int, sop_class: str, syntax: str
) -> None:
    sender = AE(ae_title="ANY")
    sender.add_requested_context(sop_class, syntax)
    with listening(layout, port):
        association = sender.associate("127.0.0.1", port, ae_title="SCANSIDE")
        assert association.is_established
        (context,) = association.accepted_contexts
        assert context.transfer_syntax == [syntax]
        association.release()


def test_other_services_are_not_offered(layout: Layout, port: int) -> None:
    sender = AE()
    sender.add_requested_context("1.2.840.10008.5.1.4.1.2.2.1")  # Study Root Query - FIND
    with listening(layout, port):
        association = sender.associate("127.0.0.1", port, ae_title="SCANSIDE")
        assert not association.is_established


def test_a_called_title_that_is_not_ours_is_rejected(layout: Layout, port: int, tmp_path: Path) -> None:
    with listening(layout, port) as loop:
        assert "Called AE Title Not Recognized" in storescu(port, radiograph(tmp_path / "a"), called="OTHER")
    assert not loop.received


def test_a_caller_that_is_not_listed_is_rejected(layout: Layout, port: int, tmp_path: Path) -> None:
    with listening(layout, port, calling_ae_titles=("CT1",)) as loop:
        assert "Calling AE Title Not Recognized" in storescu(port, radiograph(tmp_path / "a"), calling="CT2")
        assert not loop.received
        storescu(port, radiograph(tmp_path / "b"), calling="CT1")
        assert len(loop.received) == 1


def test_a_full_disk_says_out_of_resources(layout: Layout, port: int, tmp_path: Path) -> None:
    full = Spool(layout, reserve_bytes=1_000_000 * GIB)
    with listening(layout, port, spool=full) as loop:
        said = storescu(port, radiograph(tmp_path / "a.dcm"))
    assert "Refused: OutOfResources" in said
    assert not loop.received
    assert not list(layout.spool.glob("*.part"))


def test_what_cannot_be_used_is_said_in_words(layout: Layout, port: int, tmp_path: Path) -> None:
    answer = Answer(
        status=CANNOT_UNDERSTAND, words="The header declares twice as many ü pixels than there are, " * 3
    )
    with listening(layout, port, answer=answer):
        assert "Error: CannotUnderstand" in storescu(port, radiograph(tmp_path / "a.dcm"))


def test_an_image_without_end_is_cut_off(layout: Layout, port: int, tmp_path: Path) -> None:
    with listening(layout, port, max_bytes=100_000, max_pdu_bytes=16384) as loop:
        said = storescu(port, radiograph(tmp_path / "a.dcm", rows=60_000))
        assert "Success" not in said.split("Sending Store Request")[-1]
        assert not loop.received
        assert "Success" in storescu(port, radiograph(tmp_path / "b.dcm"))


def test_a_sender_that_vanishes_is_no_evidence(layout: Layout, port: int, tmp_path: Path) -> None:
    dataset = dcmread(radiograph(tmp_path / "a.dcm"))
    sender = AE()
    sender.add_requested_context(dataset.SOPClassUID, dataset.file_meta.TransferSyntaxUID)
    with listening(layout, port) as loop:
        association = sender.associate("127.0.0.1", port, ae_title="SCANSIDE")
        association.send_c_store(dataset)
        association.abort()
        assert loop.has_ended.wait(PATIENCE_S)
    assert [ended.released for ended in loop.ended] == [False]


def test_a_port_that_is_taken_is_said(layout: Layout, port: int) -> None:
    words = f"cannot open 127.0.0.1:{port}"
    with (
        listening(layout, port),
        pytest.raises(ConfigError, match=words) as caught,
        listening(layout, port),
    ):
        pytest.fail("opened twice")
    assert "choose another listener.port" in caught.value.remedy
