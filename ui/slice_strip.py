# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The slices of a volume as a strip for a thumb; ranges that a check points at are marked on it."""

from __future__ import annotations

from PyQt6.QtCore import QRect, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PyQt6.QtWidgets import QSizePolicy, QWidget

from ui import theme
from ui.language import tr
from ui.theme import Scale


class SliceStrip(QWidget):
    """Top is the first slice."""

    slice_wanted = pyqtSignal(int)

    def __init__(self, scale: Scale) -> None:
        super().__init__()
        self._scale = scale
        self._count = 1
        self._index = 0
        self._doubtful: tuple[tuple[int, int, str], ...] = ()
        self.setFixedWidth(scale.touch_px)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(tr("Slices"))

    def show_state(self, count: int, index: int, doubtful: tuple[tuple[int, int, str], ...]) -> None:
        """`index` of `count` slices is shown."""
        self._count, self._index, self._doubtful = max(1, count), index, doubtful
        self.setVisible(count > 1)
        self.update()

    def mousePressEvent(self, a0: QMouseEvent | None) -> None:
        """Go to the slice under the finger."""
        if a0 is not None:
            self._go(a0.position().y())

    def mouseMoveEvent(self, a0: QMouseEvent | None) -> None:
        """Follow the finger."""
        if a0 is not None:
            self._go(a0.position().y())

    def _go(self, y: float) -> None:
        top, height = self._track()
        share = min(max((y - top) / max(1, height), 0.0), 1.0)
        self.slice_wanted.emit(round(share * (self._count - 1)))

    def _track(self) -> tuple[int, int]:
        margin = self._scale.px(4)
        return margin, max(1, self.height() - 2 * margin)

    def paintEvent(self, a0: QPaintEvent | None) -> None:
        """Track, doubtful ranges, thumb with its number."""
        del a0
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(theme.BLACK))
        top, height = self._track()
        px = self._scale.px
        middle = self.width() // 2
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.LINE))
        painter.drawRoundedRect(QRect(middle - px(0.8), top, px(1.6), height), px(0.8), px(0.8))
        steps = max(1, self._count - 1)
        painter.setBrush(QColor(theme.AMBER))
        for first, last, _ in self._doubtful:
            start = top + round(height * first / steps)
            length = max(px(1.5), round(height * (last - first) / steps))
            painter.drawRect(QRect(middle - px(2), start, px(4), length))
        y = top + round(height * self._index / steps)
        thumb = QRect(px(1.5), y - px(4), self.width() - 2 * px(1.5), px(8))
        painter.setBrush(QColor(theme.RAISED))
        painter.setPen(QColor(theme.TEXT))
        painter.drawRoundedRect(thumb, px(1.6), px(1.6))
        font = painter.font()
        font.setPixelSize(px(3.6))
        painter.setFont(font)
        painter.drawText(thumb, int(Qt.AlignmentFlag.AlignCenter), str(self._index + 1))
        painter.end()
