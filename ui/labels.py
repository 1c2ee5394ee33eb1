# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels that show text as it is: never rich text, never wider than their place."""

from __future__ import annotations

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QPainter, QPaintEvent
from PyQt6.QtWidgets import QLabel, QSizePolicy, QWidget


class PlainLabel(QLabel):
    """A label in plain text. `role` selects its look in the style sheet."""

    def __init__(self, role: str, text: str = "", *, wrap: bool = False) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", role)
        self.setWordWrap(wrap)
        self.setText(text)

    def show_text(self, text: str) -> None:
        """Set the text; an empty one takes no room."""
        if text != self.text():
            self.setText(text)
        self.setVisible(bool(text))


class ElidedLabel(PlainLabel):
    """One line that ends in "…" where its place ends."""

    def __init__(self, role: str, text: str = "") -> None:
        super().__init__(role, text)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def minimumSizeHint(self) -> QSize:
        """No text is too long."""
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, a0: QPaintEvent | None) -> None:
        """The text, shortened to the width that there is."""
        del a0
        painter = QPainter(self)
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(self.rect(), int(self.alignment()), shown)
        painter.end()


def restyle(widget: QWidget, name: str, value: str) -> None:
    """Change a property that the style sheet selects on."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        style = widget.style()
        if style is not None:
            style.unpolish(widget)
            style.polish(widget)
