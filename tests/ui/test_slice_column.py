# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from PyQt6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from ui.icons import Icons
from ui.slice_column import SliceColumn
from ui.theme import Scale


def column(qtbot: QtBot, index: int) -> tuple[SliceColumn, list[int]]:
    made = SliceColumn(Scale(px_per_mm=5.0), Icons())
    qtbot.addWidget(made)
    made.resize(made.width(), 600)
    made.show()
    wanted: list[int] = []
    made.slice_wanted.connect(wanted.append)
    made.show_state(200, index, ())
    return made, wanted


def test_the_ends_step_by_one(qtbot: QtBot) -> None:
    made, wanted = column(qtbot, 50)
    qtbot.mouseClick(made.earlier, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(made.later, Qt.MouseButton.LeftButton)
    assert wanted == [49, 51]
    assert min(made.earlier.width(), made.earlier.height()) >= 75, "15 mm"


def test_nothing_lies_beyond_the_ends(qtbot: QtBot) -> None:
    first, _ = column(qtbot, 0)
    assert (first.earlier.isEnabled(), first.later.isEnabled()) == (False, True)
    last, _ = column(qtbot, 199)
    assert (last.earlier.isEnabled(), last.later.isEnabled()) == (True, False)


def test_the_strip_goes_anywhere_and_a_projection_has_none(qtbot: QtBot) -> None:
    made, wanted = column(qtbot, 50)
    strip = made.strip
    qtbot.mouseClick(strip, Qt.MouseButton.LeftButton, pos=QPoint(30, strip.height() - 1))
    assert wanted == [199]
    made.show_state(1, 0, ())
    assert not made.isVisible()
