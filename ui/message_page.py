# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page that stands in for everything else: a sign, what is the case, and what to do."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFrame, QLabel, QVBoxLayout

from ui import theme
from ui.icons import Icons
from ui.labels import PlainLabel
from ui.view_state import Message


class MessagePage(QFrame):
    """Never an empty screen, never a black one."""

    def __init__(self, sign_px: int, icons: Icons, gap_px: int) -> None:
        super().__init__()
        sign = QLabel()
        sign.setTextFormat(Qt.TextFormat.PlainText)
        sign.setPixmap(icons.pixmap("inbox", theme.DIM, sign_px))
        self._labels = (
            PlainLabel("message_title", wrap=True),
            PlainLabel("detail", wrap=True),
            PlainLabel("dim", wrap=True),
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(gap_px * 3, gap_px, gap_px * 3, gap_px * 3)
        layout.setSpacing(gap_px)
        layout.addStretch(1)
        for widget in (sign, *self._labels):
            widget.setAlignment(Qt.AlignmentFlag.AlignCenter)
            layout.addWidget(widget)
        layout.addStretch(1)

    def show_state(self, message: Message) -> None:
        """Draw `message`."""
        for label, text in zip(self._labels, (message.title, message.what, message.remedy), strict=True):
            label.show_text(text)
