# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside binder` on a device that has seen nothing yet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

from appliance.clock import SystemClock
from appliance.errors import ExitCode
from appliance.layout import Layout
from appliance.store.connection import Database
from tests.command_line import json_lines

Say = Callable[..., CompletedProcess[str]]


def test_the_binder_of_a_new_device(layout: Layout, tmp_path: Path, say: Say) -> None:
    with Database.open(layout.database, data=layout.data, clock=SystemClock()):
        pass
    out = tmp_path / "binder"
    parts = {
        part["name"]: part
        for part in json_lines(say("binder", "--out", out, "--data", layout.data, "--json"))
    }
    assert parts["models"]["missing"] is None
    assert parts["trace"]["missing"] is None
    assert "outcome" in parts["performance"]["missing"]
    assert (out / "index.html").is_file()
    assert say("binder", "--out", out, "--data", layout.data).returncode == ExitCode.CONFIG
