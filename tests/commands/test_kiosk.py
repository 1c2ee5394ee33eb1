# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside kiosk`: a picture of the screen, and its exit code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import cv2
import pytest

from appliance.errors import ExitCode
from tests.command_line import json_lines

Say = Callable[..., CompletedProcess[str]]


def test_a_picture_of_the_screen_has_the_size_that_was_asked_for(tmp_path: Path, say: Say) -> None:
    pytest.importorskip("PyQt6.QtWidgets", reason="the kiosk extra is not installed")
    picture = tmp_path / "kiosk.png"
    done = say("kiosk", "--data", tmp_path, "--screenshot", picture, "--size", "1280x720", "--json")
    assert done.returncode == ExitCode.OK, done.stderr
    assert json_lines(done) == [{"screenshot": str(picture), "exit_code": 0}]
    assert cv2.imread(str(picture)).shape == (720, 1280, 3)


def test_a_wrong_size_is_wrong_usage(tmp_path: Path, say: Say) -> None:
    pytest.importorskip("PyQt6.QtWidgets", reason="the kiosk extra is not installed")
    done = say("kiosk", "--data", tmp_path, "--screenshot", tmp_path / "k.png", "--size", "large")
    assert done.returncode == ExitCode.USAGE
    assert not (tmp_path / "k.png").exists()
