# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""In the heading of the worklist: the exam that has waited longest without anybody opening it."""

from __future__ import annotations

from typing import Final

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QPushButton

from ui.language import tr
from ui.theme import Scale
from ui.worklist_state import OldestUnread

WIDTH_MM: Final = 29.0


class UnreadButton(QPushButton):
    """Always there; a tap opens that exam. There is none for "all read": seen is seen one by one."""

    opened = pyqtSignal(str)

    def __init__(self, scale: Scale) -> None:
        super().__init__()
        self.setProperty("role", "unread")
        self.setAccessibleName(tr("Oldest unread"))  # until the first state says more
        self.setFixedHeight(scale.touch_px)
        self.setMinimumWidth(scale.px(WIDTH_MM))
        self._oldest: OldestUnread | None = None
        self.clicked.connect(self._open)

    def show_state(self, oldest: OldestUnread | None) -> None:
        """Draw it. None: everything has been opened."""
        self._oldest = oldest
        words = tr("Oldest unread") if oldest is not None else tr("None unread")
        self.setText(f"{words}\n{oldest.waiting}" if oldest is not None else words)
        self.setAccessibleName(self.text().replace("\n", ": "))
        self.setEnabled(oldest is not None)

    def _open(self) -> None:
        if self._oldest is not None:
            self.opened.emit(self._oldest.exam_id)
