# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""An Orthanc on this machine to send to: an archive that shares no code with us."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import requests

from appliance.clock import NS_PER_S, Clock
from benchmarks.appliance_run import MeasuringError, free_port

BINARY: Final = Path("/usr/sbin/Orthanc")
AE_TITLE: Final = "ORTHANC"
START_LIMIT_S: Final = 60.0
ANSWER_LIMIT_S: Final = 30.0
LOOK_S: Final = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """One that runs."""

    dicom_port: int
    url: str

    def count(self) -> int:
        """How many objects it holds."""
        return int(self._get("statistics")["CountInstances"])

    def modalities(self) -> dict[str, int]:
        """How many objects of each Modality it holds."""
        query: Any = {"Level": "Series", "Query": {}, "Expand": True}
        answer = requests.post(f"{self.url}/tools/find", json=query, timeout=ANSWER_LIMIT_S)
        answer.raise_for_status()
        found: dict[str, int] = {}
        for series in answer.json():
            modality = series["MainDicomTags"].get("Modality", "")
            found[modality] = found.get(modality, 0) + len(series["Instances"])
        return found

    def _get(self, path: str) -> Any:
        answer = requests.get(f"{self.url}/{path}", timeout=ANSWER_LIMIT_S)
        answer.raise_for_status()
        return answer.json()


@contextmanager
def running_archive(folder: Path, clock: Clock) -> Iterator[Archive]:
    """Start it in `folder`; stop it at the end. Raises MeasuringError where there is none."""
    if not BINARY.is_file():
        raise MeasuringError(f"There is no Orthanc at {BINARY}: install Debian's package orthanc.")
    folder.mkdir(parents=True)
    archive = Archive(dicom_port=free_port(), url=f"http://127.0.0.1:{(web := free_port())}")
    configuration = folder / "orthanc.json"
    known = {
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "DicomAet": AE_TITLE,
        "DicomPort": archive.dicom_port,
        "HttpPort": web,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomAlwaysAllowStore": True,
    }
    configuration.write_text(json.dumps(known), encoding="utf-8")
    with (folder / "orthanc.log").open("wb") as log:
        process = subprocess.Popen([str(BINARY), str(configuration)], stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait_until_it_answers(archive, clock)
            yield archive
        finally:
            process.terminate()
            process.wait(ANSWER_LIMIT_S)


def _wait_until_it_answers(archive: Archive, clock: Clock) -> None:
    limit_ns = clock.monotonic_ns() + round(START_LIMIT_S * NS_PER_S)
    while clock.monotonic_ns() < limit_ns:
        try:
            archive.count()
        except requests.RequestException:
            clock.sleep(LOOK_S)
        else:
            return
    raise MeasuringError(f"Orthanc did not answer within {START_LIMIT_S:g} s.")
