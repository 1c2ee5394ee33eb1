# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from click.testing import Result
from PyQt6.QtGui import QImage
from pytestqt.qtbot import QtBot
from typer.testing import CliRunner

from ui.__main__ import main


@pytest.fixture
def call(qtbot: QtBot) -> Any:
    del qtbot  # its application is the one that is used
    app = typer.Typer()
    app.command()(main)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments))

    return invoke


def test_the_program_draws_a_picture(full_clinic: Any, tmp_path: Path) -> None:
    file = tmp_path / "kiosk.png"
    data = os.path.relpath(full_clinic.layout.data)  # as a person types it
    command = [sys.executable, "-m", "ui", "--data", data, "--size", "1024x600"]
    done = subprocess.run([*command, "--screenshot", str(file), "--profile", "rural"], check=False)
    assert done.returncode == 0
    assert QImage(str(file)).width() == 1024


@pytest.mark.parametrize("size", ["1920", "x", "1920x", "-1x5", "axb", "0x5", "1x99999999"])
def test_a_size_that_is_none(call: Any, tmp_path: Path, size: str) -> None:
    done = call("--data", str(tmp_path), "--screenshot", str(tmp_path / "x.png"), f"--size={size}")
    assert done.exit_code == 2
    assert "WIDTHxHEIGHT" in done.output


def test_an_exam_that_is_not_there_ends_in_words(full_clinic: Any, call: Any, tmp_path: Path) -> None:
    data = str(full_clinic.layout.data)
    done = call("--data", data, "--screenshot", str(tmp_path / "x.png"), "--exam", "nobody")
    assert done.exit_code == 78
    assert "There is no exam nobody" in done.output
