# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside backup` and `scanside restore`, as a person runs them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

from appliance.clock import SystemClock
from appliance.errors import ExitCode
from appliance.layout import Layout
from appliance.processes.lock import only_one
from appliance.store.connection import Database
from tests.command_line import json_lines

Say = Callable[..., CompletedProcess[str]]


def test_there_and_back(layout: Layout, tmp_path: Path, say: Say) -> None:
    with Database.open(layout.database, data=layout.data, clock=SystemClock()):
        pass
    (made,) = json_lines(say("backup", tmp_path / "stick", "--data", layout.data, "--json"))
    assert not made["sealed"]
    assert any("PINs" in words for words in made["left_out"])
    backup = Path(made["backup"])
    assert say("restore", backup, "--check").returncode == ExitCode.OK
    assert say("backup", tmp_path / "stick", "--keys", "--data", layout.data).returncode == ExitCode.CONFIG
    layout.database.unlink()
    with only_one(layout.run, "watcher"):
        assert say("restore", backup, "--data", layout.data).returncode == ExitCode.ALREADY_RUNNING
    (done,) = json_lines(say("restore", backup, "--data", layout.data, "--json"))
    assert done["missing_images"] == 0
    assert layout.database.exists()
    (backup / "SIGNATURE").unlink()
    refused = say("restore", backup, "--check")
    assert refused.returncode == ExitCode.FOUND_FAULTS
    assert "no whole backup" in refused.stderr
