# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside doctor`: one answer a subject, exit code 1 when something fails, nothing changed."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

from appliance.errors import ExitCode
from tests.command_line import json_lines
from tests.running import free_port

Say = Callable[..., CompletedProcess[str]]


def test_a_machine_that_is_ready_ends_with_0_and_nothing_is_made(tmp_path: Path, say: Say) -> None:
    data = tmp_path / "data"
    done = say("doctor", "--data", data, "--json", SCANSIDE__LISTENER__PORT=str(free_port()))
    lines = json_lines(done)
    assert [line for line in lines if line["health"] == "FAIL"] == []
    assert done.returncode == ExitCode.OK
    assert all(set(line) == {"subject", "health", "found", "remedy"} for line in lines)
    assert all(line["remedy"] for line in lines if line["health"] != "OK")
    subjects = {line["subject"] for line in lines}
    assert {"python", "engine ort", "disk", "sqlite", "store", "clock", "appliance", "kiosk"} <= subjects
    assert not data.exists()


def test_a_taken_port_fails_with_its_remedy(tmp_path: Path, say: Say) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = say("doctor", "--data", tmp_path / "data", SCANSIDE__LISTENER__PORT=port)
    assert done.returncode == ExitCode.FOUND_FAULTS
    assert f"127.0.0.1:{port}" in done.stdout
    assert "listener.port" in done.stdout
