# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The whole appliance on synthetic studies: every door, every lane, every answer."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time  # noqa: TID251  (a slow writer is slow in real time)
from pathlib import Path

import pytest
from pydicom import dcmread
from pynetdicom import AE

from appliance.errors import ExitCode
from appliance.selftest.phantom_ct import CtPlan, write_ct
from appliance.selftest.phantom_radiograph import write_chest, write_limb
from tests.running import RunningAppliance

SMALL = {"rows": 900, "columns": 750}


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studies")
    write_chest(folder / "chest.dcm", **SMALL)
    write_limb(folder / "hand.dcm", **SMALL)
    write_ct(folder / "ct", CtPlan(slices=8))
    return folder


def test_what_comes_through_either_door_is_answered(studies: Path, tmp_path: Path) -> None:
    with RunningAppliance(tmp_path / "data") as appliance:
        inbox = appliance.layout.inbox
        content = (studies / "chest.dcm").read_bytes()
        with (inbox / "slow.dcm").open("wb") as slow:
            for start in range(0, len(content), len(content) // 4):
                slow.write(content[start : start + len(content) // 4])
                slow.flush()
                time.sleep(0.2)
        shutil.copytree(studies / "ct", inbox / "ct")
        (inbox / "letter.dcm").write_text("Dear colleague, please find attached.")
        appliance.wait_for_the_door()
        send(studies / "hand.dcm", appliance.port)
        lines = appliance.wait_for_answers(4)
        by_name = {Path(line["files"][0]).name: line for line in lines}
        chest, letter = by_name["slow.dcm"], by_name["letter.dcm"]
        series = next(line for line in lines if line["kind"] == "volume")
        hand = next(line for line in lines if line["modality"] == "DX" and line is not chest)
        assert chest["status"] == hand["status"] == series["status"] == "done"
        assert chest["quality"]
        assert hand["quality"]
        assert {finding["task"] for finding in chest["findings"]} == {"chest_triage"}
        assert {finding["task"] for finding in hand["findings"]} == {"fracture_triage"}
        assert len(series["files"]) == len(series["derived"]) == 8
        assert letter["status"] == "quarantined"
        assert "DICOM" in letter["reason"]
        assert (inbox / "slow.dcm").read_bytes() == content
        spooled = appliance.layout.spool.rglob(hashlib.sha256(content).hexdigest())
        assert next(spooled).read_bytes() == content
        for path in series["derived"]:
            derived = dcmread(appliance.layout.data / path)
            assert derived.ImageType[0] == "DERIVED"
            assert derived.pixel_array.shape == (512, 512)
        assert appliance.stop() == ExitCode.OK


def send(file: Path, port: int) -> None:
    """C-STORE as a modality would."""
    dataset = dcmread(file)
    sender = AE(ae_title="ROOM1")
    sender.add_requested_context(dataset.SOPClassUID, dataset.file_meta.TransferSyntaxUID)
    association = sender.associate("127.0.0.1", port, ae_title="SCANSIDE")
    assert association.is_established
    status = association.send_c_store(dataset)
    association.release()
    assert status.Status == 0x0000


def test_a_second_appliance_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    with RunningAppliance(tmp_path / "data") as appliance:
        appliance.wait_for(lambda _: (appliance.layout.run / "run.lock").exists(), limit_s=20)
        second = subprocess.run(
            [sys.executable, "-m", "appliance", "run", "--data", str(appliance.layout.data)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert second.returncode == ExitCode.ALREADY_RUNNING
        assert "already" in second.stderr


@pytest.mark.parametrize("command", ["run", "process"])
def test_wrong_settings_end_with_78_and_say_what_is_allowed(tmp_path: Path, command: str) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[listener]\nport = 'eleven'\n", encoding="utf-8")
    where = ["--data", str(tmp_path / "data")] if command == "run" else [str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "appliance", command, *where, "--config", str(config)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ},
    )
    assert done.returncode == ExitCode.CONFIG
    assert str(config) in done.stderr
    assert "listener.port = 'eleven'" in done.stderr
