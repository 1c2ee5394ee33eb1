# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A button that can be tapped or held: holding lasts as long as the finger, a tap stays.

Held begins with the finger, not after a wait: nobody has to know how long "long" is to look and let go.
"""

from __future__ import annotations

from typing import Final

from PyQt6.QtCore import QObject, QTimer, pyqtSignal
from PyQt6.QtWidgets import QPushButton

HOLD_MS: Final = 400
"""A finger that rests longer was holding: letting go changes nothing (as on Android)."""


class Hold(QObject):
    """Watches one button."""

    held = pyqtSignal(bool)
    """A finger came, and went."""
    tapped = pyqtSignal()
    """It went soon."""

    def __init__(self, button: QPushButton) -> None:
        super().__init__(button)
        self._was_long = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(HOLD_MS)
        button.pressed.connect(self._begin)
        button.released.connect(self._end)
        button.clicked.connect(self._click)

    def _begin(self) -> None:
        self._timer.start()
        self.held.emit(True)

    def _end(self) -> None:
        self._was_long = not self._timer.isActive()
        self._timer.stop()
        self.held.emit(False)

    def _click(self) -> None:
        if not self._was_long:
            self.tapped.emit()
