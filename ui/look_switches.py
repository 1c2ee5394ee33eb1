# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two buttons at the end of every bar: the other look, and away with everything at once."""

from __future__ import annotations

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout

from ui import theme
from ui.icons import Icons
from ui.language import tr
from ui.theme import Scale
from ui.toolbar import ToolButton


class LookSwitches(QFrame):
    """Night or Day, and Hide."""

    night_wanted = pyqtSignal()
    hide_wanted = pyqtSignal()

    def __init__(self, scale: Scale, icons: Icons) -> None:
        super().__init__()
        self._night = ToolButton("night", "moon", tr("Night"), scale, icons)
        hide = ToolButton("hide", "eye_off", tr("Hide"), scale, icons)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(scale.gap_px)
        for button in (self._night, hide):
            button.setFixedWidth(scale.touch_px)
            row.addWidget(button)
        self._night.clicked.connect(self.night_wanted)
        hide.clicked.connect(self.hide_wanted)

    def show_look(self) -> None:
        """Name the look that a tap brings."""
        if theme.is_night():
            self._night.say("sun", tr("Day"))
        else:
            self._night.say("moon", tr("Night"))


class SwitchBoard(QObject):
    """The buttons of all bars as one."""

    night_wanted = pyqtSignal()
    """The other of the two looks."""
    hide_wanted = pyqtSignal()
    """Somebody leaves: the idle page, now."""

    def __init__(self, scale: Scale, icons: Icons) -> None:
        super().__init__()
        self._scale = scale
        self._icons = icons
        self._all: list[LookSwitches] = []

    def add_to(self, row: QBoxLayout) -> None:
        """A pair of buttons at the end of `row`."""
        switches = LookSwitches(self._scale, self._icons)
        switches.night_wanted.connect(self.night_wanted)
        switches.hide_wanted.connect(self.hide_wanted)
        row.addWidget(switches)
        self._all.append(switches)

    def show_look(self) -> None:
        """Name the look that a tap brings."""
        for switches in self._all:
            switches.show_look()
