# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import ExitCode
from appliance.monitor.heartbeat import read_beat
from ui.self_watch import STATE_FILE, SelfWatch, last_exam


def test_the_screen_beats_and_keeps_the_open_exam(clinic: Any) -> None:
    opened: list[str | None] = [None]
    watch = SelfWatch(clinic.layout.run, clinic.clock, lambda: opened[0])
    watch.beat()
    beat = read_beat(clinic.layout.run, "kiosk", clinic.clock)
    assert beat is not None
    assert beat.age_s == 0
    assert last_exam(clinic.layout.run) is None
    opened[0] = "a"
    watch.beat()
    assert last_exam(clinic.layout.run) == "a"
    clinic.clock.advance(3)
    beat = read_beat(clinic.layout.run, "kiosk", clinic.clock)
    assert beat is not None
    assert beat.age_s == 3


@pytest.mark.parametrize("content", ["", "{", "[]", '{"exam_id": 3}', '{"other": "a"}'])
def test_a_state_file_that_is_not_whole_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / STATE_FILE).write_text(content, encoding="utf-8")
    assert last_exam(tmp_path) is None


def test_without_its_folder_the_screen_goes_on(tmp_path: Path, clinic: Any) -> None:
    SelfWatch(tmp_path / "nowhere", clinic.clock, lambda: "a").beat()
    assert not (tmp_path / "nowhere").exists()


PROGRAM = """
import sys
from pathlib import Path
from PyQt6.QtCore import QTimer
from appliance.clock import SystemClock
from appliance.config import Settings
from appliance.layout import Layout
from appliance.logs import start_logs
from ui.crash_guard import guard_against_faults
from ui.session import KioskSession
from ui.kiosk import KioskWindow
start_logs("kiosk")
guard_against_faults()
session = KioskSession(Layout(data=Path(sys.argv[1])), Settings(), SystemClock(), profile="scanner")
def stumble():
    raise RuntimeError("CANARY^JANE")
def look():
    app = session._application
    window = next(w for w in app.topLevelWidgets() if isinstance(w, KioskWindow))
    if window._exam is not None:
        print("open", window._exam.exam_id, flush=True)
        if sys.argv[2] == "tap":
            window.exam_opened.emit("cut")
            QTimer.singleShot(2500, stumble)
        else:
            QTimer.singleShot(0, session.quit)
    else:
        QTimer.singleShot(50, look)
if sys.argv[2] == "early":
    QTimer.singleShot(0, stumble)
else:
    QTimer.singleShot(0, look)
sys.exit(session.run((1280, 800)))
"""


def kiosk(data: Path, what: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-c", PROGRAM, str(data), what]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)


def test_a_fault_in_a_slot_ends_the_program_and_the_next_one_opens_the_same_exam(busy_clinic: Any) -> None:
    data = busy_clinic.layout.data
    first = kiosk(data, "tap")
    assert first.returncode == ExitCode.SOFTWARE, first.stderr
    assert "fault of the screen" in first.stderr
    assert "RuntimeError" in first.stderr
    assert "CANARY" not in first.stderr
    second = kiosk(data, "look")
    assert second.returncode == 0, second.stderr
    assert second.stdout.splitlines()[-1] == "open cut"
    (busy_clinic.layout.run / STATE_FILE).unlink()


def test_a_fault_before_the_first_picture_ends_the_program_too(busy_clinic: Any) -> None:
    assert kiosk(busy_clinic.layout.data, "early").returncode == ExitCode.SOFTWARE
