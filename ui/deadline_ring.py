# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A ring that empties: how much of the time in which a check is of use is left."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from PyQt6.QtCore import QObject, QRectF, Qt, QTimer
from PyQt6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QWidget

from appliance.clock import Clock
from ui import theme
from ui.deadline_state import DeadlineState

REPAINT_MS: Final = 100
"""Ten times a second: smooth at this size, and cheap."""
_FULL_TURN: Final = 360 * 16
"""Qt counts sixteenths of a degree."""
_TOP: Final = 90 * 16
_STROKE_SHARE: Final = 0.14
_TEXT_SHARE: Final = 0.46


class DeadlineRing(QWidget):
    """Full at landing, empty at the deadline; whole seconds inside, "!" when they are over."""

    def __init__(self) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.fraction = 0.0
        self.text = ""

    def show_size(self, size_px: int) -> None:
        """How large it is."""
        self.setFixedSize(size_px, size_px)

    def show_left(self, deadline: DeadlineState, now_ns: int) -> None:
        """Draw what is left of `deadline`."""
        over = deadline.is_over(now_ns)
        self.fraction = deadline.fraction_left(now_ns)
        self.text = "!" if over else str(math.ceil(deadline.left_s(now_ns)))
        self.update()

    def paintEvent(self, a0: QPaintEvent | None) -> None:
        """The track, the part that is left, and the seconds."""
        del a0
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        stroke = max(2.0, self.width() * _STROKE_SHARE)
        half = stroke / 2
        circle = QRectF(self.rect()).adjusted(half, half, -half, -half)
        colour = QColor(theme.AMBER if self.fraction <= 0 else theme.TEXT)
        painter.setPen(QPen(QColor(theme.AMBER if self.fraction <= 0 else theme.LINE), stroke / 2))
        painter.drawEllipse(circle)
        if self.fraction > 0:
            painter.setPen(QPen(colour, stroke, cap=Qt.PenCapStyle.FlatCap))
            painter.drawArc(circle, _TOP, round(self.fraction * _FULL_TURN))
        font = QFont(self.font())
        font.setPixelSize(max(1, round(self.height() * _TEXT_SHARE)))
        font.setWeight(QFont.Weight.Bold)
        painter.setFont(font)
        painter.setPen(colour)
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.text)
        painter.end()


class RingTimer(QObject):
    """Moves the ring, and only while one is on the screen. `stop` before it is dropped."""

    def __init__(self, ring: DeadlineRing, clock: Clock, when_over: Callable[[], None]) -> None:
        super().__init__()
        self._ring = ring
        self._clock = clock
        self._when_over = when_over
        self._deadline: DeadlineState | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(REPAINT_MS)
        self._timer.timeout.connect(self._move)

    @property
    def is_running(self) -> bool:
        """Whether it moves anything."""
        return self._timer.isActive()

    def follow(self, deadline: DeadlineState | None) -> None:
        """This is the clock of the exam on the screen; None: it has none."""
        self._deadline = deadline
        if deadline is None or not self._ring.isVisible():
            self._timer.stop()
            return
        now_ns = self._clock.monotonic_ns()
        self._ring.show_left(deadline, now_ns)
        if deadline.is_over(now_ns):
            self._timer.stop()
        elif not self._timer.isActive():
            self._timer.start()

    def stop(self) -> None:
        """Nothing moves from now on."""
        self._timer.stop()

    def _move(self) -> None:
        deadline = self._deadline
        self.follow(deadline)
        if deadline is not None and deadline.is_over(self._clock.monotonic_ns()):
            self._when_over()  # the word changes with the last of the ring
