# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from appliance.cli import app
from appliance.errors import ExitCode
from appliance.layout import Layout
from appliance.monitor.boots import SAFE_AFTER, BootCounter


def test_it_is_shown_and_ended(tmp_path: Path) -> None:
    counter = BootCounter(Layout(data=tmp_path).boots)
    for _ in range(SAFE_AFTER + 1):
        counter.begin()
    shown = CliRunner().invoke(app, ["safe-mode", "--data", str(tmp_path), "--json"])
    assert json.loads(shown.stdout) == {"level": "safe", "bad_starts": SAFE_AFTER + 1}
    ended = CliRunner().invoke(app, ["safe-mode", "off", "--data", str(tmp_path)])
    assert ended.exit_code == ExitCode.OK
    assert ended.stdout.startswith("normal")
    assert counter.read().bad_starts == 0


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["safe-mode", "--data", str(tmp_path / "none")])
    assert done.exit_code == ExitCode.CONFIG
    assert "no data folder" in done.output
