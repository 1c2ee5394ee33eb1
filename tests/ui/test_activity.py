# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PyQt6.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt6.QtGui import QEventPoint, QPointingDevice, QTouchEvent
from PyQt6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from ui.activity import ActivityFilter


class Sleeper:
    def __init__(self) -> None:
        self.asleep = False
        self.filter = ActivityFilter(lambda _place: self.asleep)
        self.active = self.woken = 0
        self.filter.active.connect(self._count)
        self.filter.woken.connect(self._wake)

    def _count(self) -> None:
        self.active += 1

    def _wake(self) -> None:
        self.woken += 1
        self.asleep = False


@pytest.fixture
def sleeper(qapp: QApplication) -> Iterator[Sleeper]:
    made = Sleeper()
    qapp.installEventFilter(made.filter)
    yield made
    qapp.removeEventFilter(made.filter)


@pytest.fixture
def button(qtbot: QtBot) -> QPushButton:
    made = QPushButton("x")
    made.resize(200, 100)
    made.setAttribute(Qt.WidgetAttribute.WA_AcceptTouchEvents)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitExposed(made)
    return made


def clicks(button: QPushButton) -> list[int]:
    found: list[int] = []
    button.clicked.connect(lambda: found.append(1))
    return found


def test_mouse_and_key_are_somebody(sleeper: Sleeper, button: QPushButton, qtbot: QtBot) -> None:
    found = clicks(button)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    by_mouse = sleeper.active
    assert by_mouse > 0
    qtbot.keyClick(button, Qt.Key.Key_Space)
    assert sleeper.active > by_mouse
    assert found == [1, 1]


def test_the_touch_that_wakes_is_swallowed_whole(sleeper: Sleeper, button: QPushButton, qtbot: QtBot) -> None:
    found = clicks(button)
    sleeper.asleep = True
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert (found, sleeper.woken) == ([], 1)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert (found, sleeper.woken) == ([1], 1)


def test_a_key_wakes_and_presses_nothing(sleeper: Sleeper, button: QPushButton, qtbot: QtBot) -> None:
    found = clicks(button)
    sleeper.asleep = True
    qtbot.keyClick(button, Qt.Key.Key_Space)
    assert (found, sleeper.woken) == ([], 1)
    qtbot.keyClick(button, Qt.Key.Key_Space)
    assert found == [1]


def test_a_window_that_changes_under_a_resting_mouse_is_nobody(
    sleeper: Sleeper, button: QPushButton, qtbot: QtBot
) -> None:
    qtbot.mouseMove(button, QPoint(50, 50))
    before = sleeper.active
    qtbot.mouseMove(button, QPoint(50, 50))
    assert sleeper.active == before
    qtbot.mouseMove(button, QPoint(60, 50))
    assert sleeper.active > before


def test_a_touch_that_wakes_ends_with_its_own_release(sleeper: Sleeper, button: QPushButton) -> None:
    sleeper.asleep = True
    assert touch(button, QEvent.Type.TouchBegin), "taken, so that it does not come again as a mouse"
    assert (sleeper.woken, sleeper.active) == (1, 0)
    touch(button, QEvent.Type.TouchUpdate)
    touch(button, QEvent.Type.TouchEnd)
    assert sleeper.active == 0
    touch(button, QEvent.Type.TouchBegin)
    assert sleeper.active == 1


def touch(button: QPushButton, kind: QEvent.Type) -> bool:
    states = {
        QEvent.Type.TouchBegin: QEventPoint.State.Pressed,
        QEvent.Type.TouchUpdate: QEventPoint.State.Updated,
        QEvent.Type.TouchEnd: QEventPoint.State.Released,
    }
    place = QPointF(50, 50)
    point = QEventPoint(1, states[kind], place, place)
    device = QPointingDevice.primaryPointingDevice()
    event = QTouchEvent(kind, device, Qt.KeyboardModifier.NoModifier, [point])
    event.ignore()
    QApplication.sendEvent(button, event)
    return event.isAccepted()
