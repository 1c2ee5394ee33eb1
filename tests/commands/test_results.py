# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside results` and `scanside run`: the store while the appliance runs, and after it has stopped."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import ExitCode
from appliance.pipeline.report import set_aside_line
from appliance.selftest.phantom_ct import CtPlan, write_ct
from appliance.selftest.phantom_radiograph import Identity, write_chest
from tests.command_line import json_lines
from tests.running import RunningAppliance

Say = Callable[..., subprocess.CompletedProcess[str]]
SLICES = 4


@pytest.fixture(scope="module")
def appliance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningAppliance]:
    folder = tmp_path_factory.mktemp("appliance")
    write_chest(folder / "chest.dcm", identity=Identity(patient_name="CANARY^JANE"), rows=360, columns=300)
    write_ct(folder / "ct", CtPlan(slices=SLICES))
    (folder / "CANARY_letter.txt").write_text("Dear colleague")
    with RunningAppliance(folder / "data", SCANSIDE__WORKER__ENGINES='["ort"]') as running:
        shutil.copytree(folder / "ct", running.layout.inbox / "ct")
        for name in ("chest.dcm", "CANARY_letter.txt"):
            shutil.copyfile(folder / name, running.layout.inbox / name)
        yield running


def is_rendered(line: dict[str, Any]) -> bool:
    """Has the last report been written that there will be?"""
    last = {"projection": "report-triage.dcm", "volume": "report-quality.dcm"}.get(line["kind"])
    return last is None or any(path.endswith(last) for path in line["outputs"])


def test_results_while_it_runs_and_after_it_has_stopped(appliance: RunningAppliance, say: Say) -> None:
    appliance.wait_for_answers(3)
    appliance.wait_for(lambda lines: all(map(is_rendered, lines)), limit_s=20)
    done = say("results", "--data", appliance.layout.data, "--json")
    assert done.returncode == ExitCode.OK
    lines = json_lines(done)
    assert all(list(line) == list(set_aside_line(file="", status="", reason="")) for line in lines)
    assert len(lines) == 3
    series = next(line for line in lines if line["kind"] == "volume")
    assert len(series["files"]) == len(series["derived"]) == SLICES
    assert not set(series["derived"]) & set(series["outputs"])
    assert all(Path(path).is_file() for line in lines for path in (*line["derived"], *line["outputs"]))
    assert {"committed.quality", "committed.triage", "committed.denoise"} <= set(series["timings_ms"])
    doctor = say("doctor", "--data", appliance.layout.data, "--json", SCANSIDE__LISTENER__ENABLED="false")
    health = {line["subject"]: line["health"] for line in json_lines(doctor)}
    assert [health[name] for name in ("watcher", "worker", "sender", "store")] == ["OK"] * 4
    assert appliance.stop() == ExitCode.OK
    after = say("results", "--data", appliance.layout.data, "--json")
    assert sorted(map(str, json_lines(after))) == sorted(map(str, lines))
    table = say("results", "--data", appliance.layout.data)
    assert table.returncode == ExitCode.OK
    assert "3 acquisitions and files" in table.stdout


def test_no_log_line_and_no_result_names_the_patient(appliance: RunningAppliance) -> None:
    appliance.wait_for_answers(3)
    assert "acquisition" in appliance.log.read_text(encoding="utf-8")
    assert "CANARY" not in appliance.log.read_text(encoding="utf-8")


def test_where_there_is_no_store_it_is_said_with_74(tmp_path: Path, say: Say) -> None:
    done = say("results", "--data", tmp_path / "none", "--json")
    assert done.returncode == ExitCode.STORE
    assert "There is no store" in done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "none").exists()


def test_a_data_folder_that_cannot_be_made_ends_run_with_74(tmp_path: Path, say: Say) -> None:
    (tmp_path / "file").touch()
    done = say("run", "--data", tmp_path / "file" / "data")
    assert done.returncode == ExitCode.STORE
    assert "Not a directory" in done.stderr


def test_a_port_that_is_taken_ends_run_with_78(tmp_path: Path, say: Say) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = say("run", "--data", tmp_path / "data", "--json", SCANSIDE__LISTENER__PORT=str(port))
    assert done.returncode == ExitCode.CONFIG
    assert json_lines(done) == [
        {
            "inbox": str(tmp_path / "data" / "inbox"),
            "dicom": f"SCANSIDE on 127.0.0.1:{port}",
            "data": str(tmp_path / "data"),
        }
    ]
    assert str(port) in done.stderr
