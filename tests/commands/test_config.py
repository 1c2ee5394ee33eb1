# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside config`: all faults with exit code 78, the settings in force, and the last good ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

from appliance.errors import ExitCode
from tests.command_line import json_lines

Say = Callable[..., CompletedProcess[str]]


def test_the_faults_the_values_and_the_form(tmp_path: Path, say: Say) -> None:
    file = tmp_path / "scanside.toml"
    file.write_text("[listener]\nport = 0\nprot = 1\n", encoding="utf-8")
    done = say("config", "check", file, "--json")
    assert done.returncode == ExitCode.CONFIG
    assert {line["key"] for line in json_lines(done)} == {"listener.port", "listener.prot"}
    assert all(line["where"].startswith(f"{file}, line ") for line in json_lines(done))
    file.write_text("[listener]\nport = 104\n", encoding="utf-8")
    done = say("config", "check", file)
    assert done.returncode == ExitCode.OK
    assert "starts with these settings" in done.stdout
    shown = json_lines(say("config", "show", file, "--changed", "--json"))
    assert {"key": "listener.port", "value": 104, "source": "line 2"} in shown
    assert json_lines(say("config", "migrate", file, "--json")) == [{"form": 1, "done": [], "kept": None}]
    assert say("config", "good", "--data", tmp_path / "data").returncode == ExitCode.FOUND_FAULTS
