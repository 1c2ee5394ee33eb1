# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The expected patients below the worklist: drawn as outlines, so that nobody takes one for an exam."""

from __future__ import annotations

from typing import Final

from PyQt6.QtCore import QRect, Qt
from PyQt6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QSizePolicy, QWidget

from ui import theme
from ui.ghost_state import Ghost, GhostsState
from ui.labels import WHOLE
from ui.language import apart
from ui.theme import Scale

HEAD_MM: Final = 6.0
GHOST_MM: Final = 12.0


class GhostStrip(QWidget):
    """Nothing here can be tapped: there is nothing to open yet."""

    def __init__(self, scale: Scale, parent: QWidget) -> None:
        super().__init__(parent)
        self._scale = scale
        self._state: GhostsState | None = None
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.hide()

    def show_state(self, state: GhostsState | None) -> None:
        """Draw them, or nothing."""
        if state == self._state:
            return
        self._state = state
        self.setVisible(state is not None)
        if state is not None:
            self.setFixedHeight(self._scale.px(HEAD_MM + GHOST_MM * len(state.ghosts) + 1.0))
            spoken = [f"{ghost.at} {ghost.name} {ghost.procedure}".strip() for ghost in state.ghosts]
            self.setAccessibleName(". ".join((state.heading, *spoken)))
        self.update()

    def paintEvent(self, a0: QPaintEvent | None) -> None:
        """The heading, then one dashed outline for each."""
        del a0
        if self._state is None:
            return
        px = self._scale.px
        painter = QPainter(self)
        painter.setLayoutDirection(self.layoutDirection())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        head = QRect(px(3), 0, self.width() - px(6), px(HEAD_MM))
        colour = theme.AMBER if self._state.is_old else theme.DIM
        self._text(painter, head, self._state.heading, 3.2, colour)
        for number, ghost in enumerate(self._state.ghosts):
            top = px(HEAD_MM) + number * px(GHOST_MM)
            self._ghost(painter, QRect(px(1.6), top, self.width() - px(3.2), px(GHOST_MM - 1.2)), ghost)
        painter.end()

    def _ghost(self, painter: QPainter, card: QRect, ghost: Ghost) -> None:
        px = self._scale.px
        painter.setPen(QPen(QColor(theme.now(theme.DIM)), px(0.25), Qt.PenStyle.DashLine))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(card, px(1.6), px(1.6))
        inner = card.adjusted(px(2.6), px(0.8), -px(2.6), -px(0.8))
        half = inner.height() // 2
        first = QRect(inner.left(), inner.top(), inner.width(), half)
        second = QRect(inner.left(), inner.top() + half, inner.width(), half)
        self._text(painter, first, "  ".join(part for part in (ghost.at, apart(ghost.name)) if part), 3.7)
        self._text(painter, second, apart(ghost.procedure), 3.2, theme.DIM)

    def _text(
        self, painter: QPainter, place: QRect, text: str, height_mm: float, colour: str = theme.TEXT
    ) -> None:
        font = QFont(painter.font())
        font.setPixelSize(self._scale.px(height_mm))
        painter.setFont(font)
        painter.setPen(QColor(theme.now(colour)))
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, place.width())
        flags = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter) | WHOLE
        painter.drawText(place, flags, shown)
