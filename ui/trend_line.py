# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small line of the last values, from zero up, with the newest one dotted."""

from __future__ import annotations

from PyQt6.QtCore import QPointF, QSize
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PyQt6.QtWidgets import QSizePolicy, QWidget

from ui import theme
from ui.stage_trends import Trend
from ui.theme import Scale


class TrendLine(QWidget):
    """Draws a `Trend`; says it in words to those who cannot see it."""

    def __init__(self, trend: Trend, scale: Scale) -> None:
        super().__init__()
        self._values = trend.seconds
        self._size = QSize(scale.px(16), scale.px(5))
        self._dot_px = max(1.5, scale.px_per_mm * 0.6)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(f"{trend.name}: {trend.words}")

    def sizeHint(self) -> QSize:
        """Small; the row stretches it."""
        return self._size

    def points(self) -> list[QPointF]:
        """Where each value lies; one value lies at the right end."""
        edge, top = self._dot_px, max(self._values, default=0.0) or 1.0
        across, up = self.width() - 2 * edge, self.height() - 2 * edge
        steps = max(1, len(self._values) - 1)
        first = steps - len(self._values) + 1
        return [
            QPointF(edge + across * (first + at) / steps, edge + up * (1 - value / top))
            for at, value in enumerate(self._values)
        ]

    def paintEvent(self, a0: QPaintEvent | None) -> None:
        """Base line, line, dot."""
        del a0
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(theme.LINE), 1))
        painter.drawLine(0, self.height() - 1, self.width(), self.height() - 1)
        points = self.points()
        painter.setPen(QPen(QColor(theme.CYAN), self._dot_px / 2))
        painter.drawPolyline(QPolygonF(points))
        painter.setBrush(QColor(theme.CYAN))
        for last in points[-1:]:
            painter.drawEllipse(last, self._dot_px, self._dot_px)
        painter.end()
