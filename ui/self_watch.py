# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The screen's own signs of life, and what it must know after a restart: the open exam, no more."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

from PyQt6.QtCore import QObject, QTimer

from appliance.clock import Clock
from appliance.durable import write_whole
from appliance.monitor.heartbeat import Heartbeat

NAME: Final = "kiosk"
STATE_FILE: Final = "kiosk.state"
BEAT_MS: Final = 1000
BUDGET_S: Final = 10.0
"""A screen that has not drawn for this long is frozen, and is started again (processes/supervisor.py)."""


class SelfWatch(QObject):
    """Beats from the thread that draws: a beat proves that the screen is not frozen."""

    def __init__(self, run: Path, clock: Clock, exam_id: Callable[[], str | None]) -> None:
        """`exam_id`: asks which exam is open."""
        super().__init__()
        self._file = run / STATE_FILE
        self._beat = Heartbeat(run, NAME, clock)
        self._exam_id = exam_id
        self._kept = last_exam(run)
        self._timer = QTimer(self)
        self._timer.setInterval(BEAT_MS)
        self._timer.timeout.connect(self.beat)

    def start(self) -> None:
        """Begin."""
        self.beat()
        self._timer.start()

    def stop(self) -> None:
        """End."""
        self._timer.stop()

    def beat(self) -> None:
        """A sign of life, and the open exam where it has changed. Never raises."""
        self._beat.beat("drawing", budget_s=BUDGET_S)
        exam_id = self._exam_id()
        if exam_id is None or exam_id == self._kept:
            return
        try:
            write_whole(self._file, json.dumps({"exam_id": exam_id}).encode("utf-8"))
        except OSError:
            return  # no folder, or a full disk: the screen goes on without
        self._kept = exam_id


def last_exam(run: Path) -> str | None:
    """The exam that was open; None when that is not known."""
    try:
        exam_id = json.loads((run / STATE_FILE).read_text(encoding="utf-8"))["exam_id"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return exam_id if isinstance(exam_id, str) else None
