# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""From `storescu` through the appliance into a real archive, and back out of it as files."""

from __future__ import annotations

import json
import shutil
import subprocess
import time  # noqa: TID251  (a test waits for real processes)
from collections import Counter
from pathlib import Path

import pydicom
import pytest

from appliance.conformance.statement import MADE_HERE
from appliance.selftest.phantom_ct import CtPlan, write_ct
from appliance.selftest.phantom_radiograph import write_chest
from tests.orthanc import RunningOrthanc
from tests.running import RunningAppliance

SLICES = 6
LIMIT_S = 120.0
LOOK_INTERVAL_S = 0.2
RADIOGRAPH, CT = "Digital X-Ray Image Storage - For Presentation", "CT Image Storage"
REPORT, CAPTURE = "Comprehensive 3D SR Storage", "Secondary Capture Image Storage"


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed: `make setup-peers` installs it")
    return found


def peer(archive: RunningOrthanc) -> str:
    known = {
        "name": "PACS",
        "host": "127.0.0.1",
        "port": archive.dicom_port,
        "ae_title": archive.ae_title,
    }
    return json.dumps([known])


@pytest.mark.timeout(300)
def test_a_study_sent_with_storescu_comes_back_out_of_the_archive_with_its_results(tmp_path: Path) -> None:
    storescu, validator = program("storescu"), program("dciodvfy")
    sent = tmp_path / "sent"
    sent.mkdir()
    write_chest(sent / "chest.dcm", rows=900, columns=750)
    write_ct(sent / "ct", CtPlan(slices=SLICES))
    expected = Counter({RADIOGRAPH: 1, CT: 2 * SLICES, REPORT: 3, CAPTURE: 3})
    with (
        RunningOrthanc(tmp_path / "orthanc") as archive,
        RunningAppliance(tmp_path / "data", SCANSIDE__SENDER__PEERS=peer(archive)) as appliance,
    ):
        appliance.wait_for_the_door()
        command = [
            storescu,
            "-aet",
            "CONSOLE",
            "-aec",
            "SCANSIDE",
            "+sd",
            "+r",
            "127.0.0.1",
            str(appliance.port),
        ]
        subprocess.run([*command, str(sent)], check=True, timeout=60)
        appliance.wait_for_answers(2, limit_s=LIMIT_S)
        objects = wait_for_objects(archive, tmp_path / "back", expected)
    classes = Counter(file.file_meta.MediaStorageSOPClassUID.name for file in objects.values())
    assert {name: classes[name] for name in expected} == dict(expected)
    assert {file.file_meta.MediaStorageSOPClassUID for file in objects.values()} <= {
        *(uid for uid, _ in MADE_HERE),
        pydicom.dcmread(sent / "chest.dcm").SOPClassUID,
    }
    assert len({file.StudyInstanceUID for file in objects.values()}) == 2, "results join their studies"
    originals = {data_set(path) for path in sent.rglob("*.dcm")}
    assert originals <= {data_set(path) for path in objects}, "originals come back untouched"
    for path in objects:
        said = subprocess.run([validator, str(path)], capture_output=True, text=True, check=False)
        assert [line for line in said.stderr.splitlines() if line.startswith("Error")] == [], path.name


def data_set(path: Path) -> bytes:
    """What the network carries: everything behind group 0002."""
    with path.open("rb") as opened:
        opened.seek(132 + 8)
        length = int.from_bytes(opened.read(4), "little")
        opened.seek(132 + 12 + length)
        return opened.read()


def wait_for_objects(
    archive: RunningOrthanc, folder: Path, expected: Counter[str]
) -> dict[Path, pydicom.FileDataset]:
    """What the archive holds, as files, once there is as much as expected and nothing more comes."""
    folder.mkdir()
    deadline = time.monotonic() + LIMIT_S
    held: list[str] = []
    while time.monotonic() < deadline:
        time.sleep(LOOK_INTERVAL_S)
        before, held = held, archive.instances()
        if len(held) >= expected.total() and len(held) == len(before):
            break
    found = {}
    for number, instance in enumerate(sorted(held)):
        path = folder / f"{number:03}.dcm"
        path.write_bytes(archive.file(instance))
        found[path] = pydicom.dcmread(path)
    return found
