# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A button with a word, 20 mm high where there is room: keypad, service, idle page."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QPushButton, QSizePolicy

from ui.theme import LARGE_TOUCH_MM, TOUCH_MM, Scale


class LargeButton(QPushButton):
    """`name` is what a screen reader says; the word itself where none is given."""

    def __init__(self, text: str, scale: Scale, *, name: str = "", low: bool = False) -> None:
        super().__init__(text)
        side = -int(-(TOUCH_MM if low else LARGE_TOUCH_MM) * scale.px_per_mm // 1)
        self.setProperty("role", "keep")
        self.setAccessibleName(name or text)
        self.setMinimumWidth(side)
        self.setFixedHeight(side)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def say(self, text: str) -> None:
        """Another word."""
        self.setText(text)
        self.setAccessibleName(text)
