# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A table of stages with a bar each: bright to p50, dim to p99, a tick at the worst."""

from __future__ import annotations

from typing import Final

from PyQt6.QtCore import QRect, QSize, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent
from PyQt6.QtWidgets import QSizePolicy, QWidget

from ui import theme
from ui.language import tr
from ui.latency_state import LatencyRow, LatencyTarget
from ui.theme import Scale

_NAME_SHARE: Final = 0.26
_BAR_SHARE: Final = 0.30
"""Of the width; the four numbers share the rest."""
_NUMBERS: Final = 4


class LatencyTable(QWidget):
    """Draws a `LatencyTarget`; the numbers stand in its accessible description, too."""

    def __init__(self, target: LatencyTarget, scale: Scale) -> None:
        super().__init__()
        self._target = target
        self._row_px = scale.px(5.2)
        self._font_px = scale.px(3.2)
        self._gap_px = scale.px(1.2)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(self._row_px * (len(target.rows) + 1))
        self.setAccessibleName(tr("Latency of {name}", name=target.name))
        self.setAccessibleDescription("; ".join(_spoken(row) for row in target.rows))

    def sizeHint(self) -> QSize:
        """A row per stage and the head."""
        return QSize(self._row_px * 12, self.height())

    def paintEvent(self, a0: QPaintEvent | None) -> None:
        """Head, then rows."""
        del a0
        painter = QPainter(self)
        font = painter.font()
        font.setPixelSize(self._font_px)
        painter.setFont(font)
        head = (tr("p50 ms"), tr("p95 ms"), tr("p99 ms"), tr("max ms"))
        self._texts(painter, 0, tr("Stage"), head, QColor(theme.DIM))
        for at, row in enumerate(self._target.rows, start=1):
            numbers = tuple(_number(ms) for ms in (row.p50_ms, row.p95_ms, row.p99_ms, row.max_ms))
            font.setBold(row.is_whole)
            painter.setFont(font)
            self._texts(painter, at, row.name, numbers, QColor(theme.TEXT if row.is_whole else theme.DIM))
            self._bar(painter, at, row)
        painter.end()

    def _texts(self, painter: QPainter, at: int, name: str, numbers: tuple[str, ...], colour: QColor) -> None:
        painter.setPen(colour)
        top, width = at * self._row_px, self.width()
        name_px, bar_px = round(width * _NAME_SHARE), round(width * _BAR_SHARE)
        each = (width - name_px - bar_px) // _NUMBERS
        middle = Qt.AlignmentFlag.AlignVCenter
        shown = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, name_px - self._gap_px)
        painter.drawText(
            QRect(0, top, name_px, self._row_px), int(middle | Qt.AlignmentFlag.AlignLeft), shown
        )
        for column, text in enumerate(numbers):
            place = QRect(name_px + bar_px + column * each, top, each, self._row_px)
            painter.drawText(place, int(middle | Qt.AlignmentFlag.AlignRight), text)

    def _bar(self, painter: QPainter, at: int, row: LatencyRow) -> None:
        left = round(self.width() * _NAME_SHARE)
        full = round(self.width() * _BAR_SHARE) - self._gap_px
        top, height = at * self._row_px + self._gap_px, self._row_px - 2 * self._gap_px
        per_ms = full / (self._target.most_ms or 1.0)
        painter.fillRect(left, top, round(row.p99_ms * per_ms), height, QColor(theme.LINE))
        bright = theme.BLUE if row.is_whole else theme.CYAN
        painter.fillRect(left, top, max(1, round(row.p50_ms * per_ms)), height, QColor(bright))
        painter.fillRect(left + round(row.max_ms * per_ms), top, 2, height, QColor(theme.DIM))


def _number(value_ms: float) -> str:
    return f"{value_ms:.0f}" if value_ms >= 10 else f"{value_ms:.1f}"


def _spoken(row: LatencyRow) -> str:
    numbers = (row.p50_ms, row.p95_ms, row.p99_ms, row.max_ms)
    return f"{row.name} {' / '.join(_number(value) for value in numbers)} ms"
