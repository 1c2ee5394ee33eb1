# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels that show text as it is: never rich text, never wider than their place."""

from __future__ import annotations

from typing import Final

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PyQt6.QtWidgets import QAbstractButton, QLabel, QSizePolicy, QWidget


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
        painter.setLayoutDirection(self.layoutDirection())
        painter.drawText(self.rect(), int(self.alignment()) | WHOLE, shown)
        painter.end()


WHOLE: Final = int(Qt.TextFlag.TextDontClip)
"""For drawing one line of text: a tall script is not cut at the height of the line."""


class FittedLabel(PlainLabel):
    """One line, as large as wanted or as its place allows: measured, whatever the font or the language."""

    def __init__(self, role: str) -> None:
        super().__init__(role)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._wanted_px = 1
        self._fitted_px = 0

    def show_fitted(self, text: str, wanted_px: int) -> None:
        """Set the text; `wanted_px` is its height where there is room."""
        self._wanted_px = wanted_px
        self.setText(text)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        """No text is too long."""
        return QSize(0, super().minimumSizeHint().height())

    def resizeEvent(self, a0: QResizeEvent | None) -> None:
        """Another place, another size."""
        super().resizeEvent(a0)
        self._fit()

    def _fit(self) -> None:
        self.ensurePolished()
        size_px = largest_size_px(QFont(self.font()), self.text(), self.width(), self._wanted_px)
        if size_px != self._fitted_px:
            self._fitted_px = size_px
            self.setStyleSheet(f"font-size: {size_px}px")


def largest_size_px(font: QFont, text: str, width_px: int, wanted_px: int) -> int:
    """The largest pixel size up to `wanted_px` at which `text` is at most `width_px` wide; at least 1."""
    fits, too_large = 1, wanted_px + 1
    while too_large - fits > 1:
        size_px = (fits + too_large) // 2
        font.setPixelSize(size_px)
        metrics = QFontMetrics(font)
        drawn_px = max(metrics.horizontalAdvance(text), metrics.boundingRect(text).width())
        if drawn_px <= width_px:
            fits = size_px
        else:
            too_large = size_px
    return fits


def restyle(widget: QWidget, name: str, value: str) -> None:
    """Change a property that the style sheet selects on."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        style = widget.style()
        if style is not None:
            style.unpolish(widget)
            style.polish(widget)


def light_when_checked(button: QAbstractButton) -> None:
    """Light `button` as long as it is the chosen one of its row.

    By a property: what a style sheet says of `:checked` is drawn but never reaches the palette, so whoever
    asks the button for its colours would be told those of an unlit one.
    """
    button.setCheckable(True)
    button.toggled.connect(lambda on: restyle(button, "chosen", "yes" if on else "no"))
