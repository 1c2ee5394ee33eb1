# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Worklist files as a clinic's would be, and DCMTK's worklist server over them."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time  # noqa: TID251  (a test waits for a real process)
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from typing_extensions import Self

from tests.running import free_port

START_LIMIT_S = 20.0
KEYS = "1.2.276.0.7230010.3.1.0.1"


def worklist_item(**known: Any) -> Dataset:
    """One step. Keywords of the scheduled step go into its sequence."""
    of_step = {
        "ScheduledStationAETitle": "ROOM2",
        "ScheduledProcedureStepStartDate": "20260302",
        "ScheduledProcedureStepStartTime": "0720",
        "Modality": "DX",
        "ScheduledProcedureStepDescription": "XR Wrist - right 2 Views",
        "ScheduledProcedureStepID": "S1",
        "ScheduledStationName": "Room 2",
    }
    step, item = Dataset(), Dataset()
    item.SpecificCharacterSet = "ISO_IR 192"
    whole = {
        "AccessionNumber": "A1",
        "PatientName": "MWANGI^Grace",
        "PatientID": "P1",
        "PatientBirthDate": "19800102",
        "PatientSex": "F",
        "StudyInstanceUID": "1.2.3",
        "RequestedProcedureID": "R1",
        "RequestedProcedureDescription": "X-ray",
    }
    for keyword, value in known.items():
        (of_step if keyword in of_step or keyword.startswith("Scheduled") else whole)[keyword] = value
    for target, values in ((item, whole), (step, of_step)):
        for keyword, value in values.items():
            setattr(target, keyword, value)
    item.ScheduledProcedureStepSequence = [step]
    return item


def write_items(folder: Path, *items: Dataset) -> None:
    """The files that DCMTK's server and Orthanc's plugin read."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "lockfile").touch()
    for old in folder.glob("*.wl"):
        old.unlink()
    for number, item in enumerate(items):
        item.file_meta = FileMetaDataset()
        item.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        item.file_meta.MediaStorageSOPClassUID = KEYS
        item.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        item.save_as(folder / f"{number}.wl", enforce_file_format=True)


class RunningWlmscpfs:
    """DCMTK's server. A context manager; ended by its own pid."""

    ae_title = "RIS"

    def __init__(self, folder: Path, *options: str) -> None:
        found = shutil.which("wlmscpfs")
        if found is None:
            pytest.skip("wlmscpfs is not installed (package dcmtk)")
        self.files = folder / self.ae_title
        write_items(self.files)
        self.port = free_port()
        self._command = [found, "-dfp", str(folder), *options, str(self.port)]

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        limit = time.monotonic() + START_LIMIT_S
        while time.monotonic() < limit:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.05)
        self.__exit__(None, None, None)
        pytest.fail("wlmscpfs did not start")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
