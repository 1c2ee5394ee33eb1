# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""An installed device names settings and data folder in the environment; a demonstration keeps off both."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.clock import SystemClock
from appliance.commands.options import DATA_FOLDER_NAME, DEMO_DATA, demo_folder
from appliance.config import SETTINGS_FILE_NAME
from appliance.errors import ExitCode
from appliance.layout import Layout
from appliance.selftest.demonstration import running


def test_a_demonstration_is_never_where_patients_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    patients, named = tmp_path / "patients", tmp_path / "named"
    monkeypatch.setenv(DATA_FOLDER_NAME, str(patients))
    assert demo_folder(patients) == DEMO_DATA
    assert demo_folder(named) == named


def test_a_demonstration_does_not_read_the_settings_of_the_device(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Else drawn patients would leave for its receivers. These settings would end the appliance at once."""
    wrong = tmp_path / "scanside.toml"
    wrong.write_text("no_such_setting = 1\n", encoding="utf-8")
    monkeypatch.setenv(SETTINGS_FILE_NAME, str(wrong))
    layout = Layout(data=tmp_path / "data")
    layout.create()
    log = tmp_path / "log"
    with running(layout, log):
        for _ in range(1200):
            if any(layout.run.iterdir()):  # a lock of a process, or the reason why there is none
                break
            SystemClock().sleep(0.05)
    assert any(layout.run.iterdir())
    assert "no_such_setting" not in log.read_text(encoding="utf-8")


def test_the_environment_names_the_settings(tmp_path: Path) -> None:
    wrong = tmp_path / "scanside.toml"
    wrong.write_text("no_such_setting = 1\n", encoding="utf-8")
    command = [sys.executable, "-m", "appliance", "doctor", "--data", str(tmp_path / "data")]
    done = subprocess.run(
        command,
        env={**os.environ, SETTINGS_FILE_NAME: str(wrong)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == int(ExitCode.CONFIG)
    assert "no_such_setting" in done.stderr
