# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One line of the device page: a sign, what it is about, its word, its figures, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout

from ui import theme
from ui.device_state import DeviceLine, LineKind
from ui.icons import Icons
from ui.labels import ElidedLabel, PlainLabel, restyle
from ui.theme import Scale

_SIGNS: Final = {
    LineKind.OK: ("tick", theme.GREEN),
    LineKind.ATTENTION: ("bang", theme.AMBER),
    LineKind.DANGER: ("cross", theme.RED),
    LineKind.UNKNOWN: ("dash", theme.GREY),
}


class WrappedLabel(PlainLabel):
    """Words in lines; one that is longer than its place is cut there and makes nothing wider."""

    def __init__(self, role: str, text: str = "") -> None:
        super().__init__(role, text, wrap=True)
        policy = self.sizePolicy()
        policy.setHorizontalPolicy(QSizePolicy.Policy.Ignored)
        self.setSizePolicy(policy)


class LineCard(QFrame):
    """Draws a `DeviceLine`."""

    def __init__(self, scale: Scale, icons: Icons) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self._icons = icons
        self._sign_px = scale.px(5)
        self._sign = QLabel()
        self._sign.setTextFormat(Qt.TextFormat.PlainText)
        self._subject = ElidedLabel("caption")
        self._word = WrappedLabel("health")
        self._detail = WrappedLabel("caption")
        self._advice = WrappedLabel("caption_amber")
        words = QVBoxLayout()
        words.setSpacing(scale.px(0.3))
        for label in (self._subject, self._word, self._detail, self._advice):
            words.addWidget(label)
        words.addStretch(1)
        layout = QHBoxLayout(self)
        edge = scale.px(2)
        layout.setContentsMargins(edge, edge, edge, edge)
        layout.setSpacing(scale.px(2))
        layout.addWidget(self._sign, alignment=Qt.AlignmentFlag.AlignTop)
        layout.addLayout(words, stretch=1)

    def show_line(self, line: DeviceLine) -> None:
        """Draw `line`."""
        sign, colour = _SIGNS[line.kind]
        self._sign.setPixmap(self._icons.pixmap(sign, colour, self._sign_px))
        self._subject.setText(line.subject)
        self._word.setText(line.word)
        restyle(self._word, "kind", line.kind.value)
        self._detail.show_text(line.detail)
        self._advice.show_text(line.advice)
        self.setAccessibleName(line.spoken)


class LineGrid(QFrame):
    """Cards side by side; the same cards are used again as long as there are as many lines."""

    def __init__(self, scale: Scale, icons: Icons, *, columns: int) -> None:
        super().__init__()
        self._scale = scale
        self._icons = icons
        self._columns = columns
        self._cards: list[LineCard] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(scale.px(2))
        for column in range(columns):
            self._grid.setColumnStretch(column, 1)

    def show_lines(self, lines: Sequence[DeviceLine]) -> None:
        """Draw `lines`, row by row."""
        while len(self._cards) > len(lines):
            card = self._cards.pop()
            self._grid.removeWidget(card)
            card.hide()
            card.deleteLater()
        while len(self._cards) < len(lines):
            card = LineCard(self._scale, self._icons)
            self._grid.addWidget(card, len(self._cards) // self._columns, len(self._cards) % self._columns)
            self._cards.append(card)
        for card, line in zip(self._cards, lines, strict=True):
            card.show_line(line)
        self.setVisible(bool(lines))
