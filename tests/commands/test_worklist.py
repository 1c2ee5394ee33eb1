# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside worklist`, and the running appliance beside a worklist server, a good one and one that hangs."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from pydicom import dcmread

from appliance.selftest.phantom_radiograph import Identity, write_chest
from tests.command_line import json_lines
from tests.running import RunningAppliance
from tests.worklist_server import RunningWlmscpfs, worklist_item, write_items

Say = Callable[..., subprocess.CompletedProcess[str]]
FIRST_ANSWER_LIMIT_S = 60.0


def check_of(line: dict[str, Any]) -> dict[str, Any]:
    (check,) = (check for check in line["quality"] if check["criterion"] == "expected_patient")
    return dict(check)


def asking(port: int) -> dict[str, str]:
    return {
        "SCANSIDE__WORKLIST__HOST": "127.0.0.1",
        "SCANSIDE__WORKLIST__PORT": str(port),
        "SCANSIDE__WORKLIST__AE_TITLE": "RIS",
        "SCANSIDE__WORKLIST__POLL_INTERVAL_S": "1",
    }


def test_the_wrong_patient_is_said_before_they_leave(tmp_path: Path, say: Say) -> None:
    chest = write_chest(
        tmp_path / "chest.dcm",
        identity=Identity(patient_id="P1", patient_name="CANARY^JANE"),
        rows=360,
        columns=300,
    ).path
    order = worklist_item(
        StudyInstanceUID=dcmread(chest).StudyInstanceUID,
        PatientName="ORDERED^Someone",
        ScheduledProcedureStepStartDate=f"{datetime.now().astimezone():%Y%m%d}",
        ScheduledProcedureStepDescription="XR Chest 1 view",
    )
    with RunningWlmscpfs(tmp_path / "wl") as server:
        write_items(server.files, order)
        with RunningAppliance(
            tmp_path / "data", SCANSIDE__WORKER__ENGINES='["ort"]', **asking(server.port)
        ) as running:
            data = running.layout.data

            def list_now() -> list[dict[str, Any]]:
                done = say("worklist", "--data", data, "--json", **asking(server.port))
                return json_lines(done) if done.returncode == 0 else []

            running.wait_for(lambda _: len(list_now()) == 2, limit_s=FIRST_ANSWER_LIMIT_S)
            standing, step = list_now()
            assert (standing["state"], standing["standing"]["trouble"]) == ("current", None)
            assert (step["body_part"], step["views"], step["accession_number"]) == ("CHEST", ["PA"], "A1")
            assert "ORDERED" not in str((standing, step))
            assert (
                "1 expected (current, 0 min old)"
                in say("worklist", "--data", data, **asking(server.port)).stdout
            )
            shutil.copyfile(chest, running.layout.inbox / "chest.dcm")
            (line,) = running.wait_for_answers(1)
            assert check_of(line)["verdict"] == "CHECK"
            assert "Not as on the order: name" in check_of(line)["advice"]
            assert "ORDERED" not in str(line)
        assert "ORDERED" not in running.log.read_text(encoding="utf-8")
        found = {each["subject"]: each for each in json_lines(say("doctor", "--json", **asking(server.port)))}
        assert found["worklist"]["found"] == "1 step expected"


def test_a_worklist_that_hangs_delays_no_image(tmp_path: Path) -> None:
    chest = write_chest(tmp_path / "chest.dcm", rows=360, columns=300).path
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        RunningAppliance(
            tmp_path / "data",
            SCANSIDE__WORKER__ENGINES='["ort"]',
            SCANSIDE__WORKLIST__TIMEOUT_S="60",
            **asking(silent.getsockname()[1]),
        ) as running,
    ):
        silent.settimeout(FIRST_ANSWER_LIMIT_S)
        connection, _ = silent.accept()
        with connection:  # it never gets an answer
            shutil.copyfile(chest, running.layout.inbox / "chest.dcm")
            (line,) = running.wait_for_answers(1)
        assert line["status"] == "done"
        assert check_of(line)["verdict"] == "NOT_CHECKED"
        assert "has not answered" in check_of(line)["advice"]
