# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt
from PyQt6.QtGui import QContextMenuEvent, QDragEnterEvent, QDropEvent, QKeyEvent
from PyQt6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from ui.lockdown import Lockdown


class Ear(QWidget):
    """Notes every event that reaches it."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[QEvent.Type] = []
        self.setAcceptDrops(True)

    def event(self, a0: QEvent | None) -> bool:
        if a0 is not None:
            self.heard.append(a0.type())
        return super().event(a0)


@pytest.fixture
def lockdown(qapp: QApplication) -> Iterator[Lockdown]:
    made = Lockdown()
    qapp.installEventFilter(made)
    yield made
    qapp.removeEventFilter(made)


@pytest.fixture
def ear(qtbot: QtBot) -> Ear:
    widget = Ear()
    qtbot.addWidget(widget)
    widget.show()
    qtbot.waitExposed(widget)
    return widget


def unwanted() -> list[QEvent]:
    data = QMimeData()
    data.setText("file:///etc/passwd")
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    copy = Qt.DropAction.CopyAction
    keys = [
        (Qt.Key.Key_F4, Qt.KeyboardModifier.AltModifier),
        (Qt.Key.Key_Q, Qt.KeyboardModifier.ControlModifier),
        (Qt.Key.Key_Tab, Qt.KeyboardModifier.AltModifier),
        (Qt.Key.Key_F1, none),
        (Qt.Key.Key_F11, none),
        (Qt.Key.Key_Menu, none),
        (Qt.Key.Key_Escape, none),
        (Qt.Key.Key_Space, Qt.KeyboardModifier.MetaModifier),
    ]
    events: list[QEvent] = [QKeyEvent(QEvent.Type.KeyPress, key, modifiers) for key, modifiers in keys]
    events += [
        QContextMenuEvent(QContextMenuEvent.Reason.Mouse, QPoint(1, 1), QPoint(1, 1)),
        QDragEnterEvent(QPoint(1, 1), copy, data, left, none),
        QDropEvent(QPointF(1, 1), copy, data, left, none),
    ]
    return events


def test_nothing_that_leads_out_reaches_a_widget(lockdown: Lockdown, ear: Ear) -> None:
    lockdown.engage()
    for event in unwanted():
        kind = event.type()
        ear.heard.clear()
        QApplication.sendEvent(ear, event)
        assert kind not in ear.heard, kind
        assert not event.isAccepted(), kind
    lockdown.release()
    for event in unwanted():
        kind = event.type()
        ear.heard.clear()
        QApplication.sendEvent(ear, event)
        if kind is not QEvent.Type.Drop:  # Qt itself gives it to nobody that was not entered before
            assert kind in ear.heard, (kind, "the guard is what kept it away")


def test_what_is_needed_to_use_it_still_works(lockdown: Lockdown, ear: Ear, qtbot: QtBot) -> None:
    lockdown.engage()
    for key in (Qt.Key.Key_Tab, Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Down):
        ear.heard.clear()
        qtbot.keyClick(ear, key)
        assert QEvent.Type.KeyPress in ear.heard, key


def test_a_window_stays_until_the_lockdown_ends(lockdown: Lockdown, ear: Ear) -> None:
    lockdown.engage()
    assert not ear.close()
    assert ear.isVisible()
    lockdown.release()
    assert ear.close()


PROGRAM = """
import os, signal, sys
from pathlib import Path
from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QApplication
from appliance.config import Settings
from ui.main import run_kiosk

application = QApplication(["scanside"])

def try_to_close():
    for window in application.topLevelWidgets():
        if window.isVisible():
            window.close()
            print("full screen" if window.isVisible() and window.isFullScreen() else "gone", flush=True)
    os.kill(os.getpid(), signal.SIGTERM)

QTimer.singleShot(500, try_to_close)
print("ended with", int(run_kiosk(Path(sys.argv[1]), Settings())))
"""


def test_the_whole_kiosk_ends_by_its_signal_alone(tmp_path: Path) -> None:
    # In a process of its own: an application that has quit once lets no later test wait for anything.
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )
    assert done.stdout.split("\n")[:2] == ["full screen", "ended with 0"], done.stderr
