# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Callable

import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from ui.hold import HOLD_MS, Hold

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def button(qtbot: QtBot) -> QPushButton:
    made = QPushButton("x")
    qtbot.addWidget(made)
    made.resize(80, 80)
    made.show()
    return made


@pytest.fixture
def seen(button: QPushButton) -> list[str]:
    told: list[str] = []
    hold = Hold(button)
    hold.held.connect(lambda on: told.append("down" if on else "up"))
    hold.tapped.connect(lambda: told.append("tap"))
    return told


def test_a_tap_lasts(button: QPushButton, seen: list[str], qtbot: QtBot) -> None:
    qtbot.mouseClick(button, LEFT)
    assert seen == ["down", "up", "tap"]


def test_a_rest_does_not(button: QPushButton, seen: list[str], qtbot: QtBot) -> None:
    qtbot.mousePress(button, LEFT)
    assert seen == ["down"], "at once"
    qtbot.wait(HOLD_MS + 100)
    qtbot.mouseRelease(button, LEFT)
    assert seen == ["down", "up"]


@pytest.mark.parametrize("press", [lambda b: b.click(), lambda b: b.animateClick()])
def test_a_key_or_a_screen_reader_taps(
    button: QPushButton, seen: list[str], qtbot: QtBot, press: Callable[[QPushButton], None]
) -> None:
    press(button)
    qtbot.waitUntil(lambda: seen == ["down", "up", "tap"])


def test_a_finger_that_slides_off_does_nothing_lasting(
    button: QPushButton, seen: list[str], qtbot: QtBot
) -> None:
    qtbot.mousePress(button, LEFT)
    qtbot.mouseMove(button, QPoint(500, 500))
    qtbot.mouseRelease(button, LEFT, pos=QPoint(500, 500))
    assert seen == ["down", "up"]
