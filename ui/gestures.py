# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fingers, mouse and wheel on an area: one finger drags, two pinch. Who inherits says what that does."""

from __future__ import annotations

import math
from typing import Final

from PyQt6.QtCore import QEvent, QPointF, Qt, pyqtSignal
from PyQt6.QtGui import QMouseEvent, QTouchEvent, QWheelEvent
from PyQt6.QtWidgets import QWidget

WHEEL_STEP: Final = 120
"""Eighths of a degree in one notch of a wheel (Qt); finer wheels and touch pads send parts of it."""


class GestureArea(QWidget):
    """Touch and mouse as the same few gestures."""

    touched = pyqtSignal()
    """A finger or the mouse is on the area."""

    def __init__(self) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_AcceptTouchEvents)
        self._last_point: QPointF | None = None
        self._last_pinch: tuple[QPointF, QPointF] | None = None
        self._turned = 0

    # Does nothing here: told by who inherits

    def begin_drag(self, point: QPointF) -> None:
        """A finger came down at `point`."""

    def drag(self, point: QPointF, step: QPointF) -> None:
        """It moved by `step` and is at `point`."""

    def end_drag(self) -> None:
        """No finger is there any more."""

    def pinch(self, factor: float, middle: QPointF, step: QPointF) -> None:
        """Two fingers went apart by `factor`; their `middle` moved by `step`."""

    def turn(self, notches: int, point: QPointF) -> None:
        """The wheel turned, away from the person when positive."""

    # Events

    def event(self, a0: QEvent | None) -> bool:
        """Raw touch points: one moves, two zoom. Taken before Qt turns them into mouse events."""
        if isinstance(a0, QTouchEvent):
            self._touch(a0)
            a0.accept()
            return True
        return super().event(a0)

    def _touch(self, event: QTouchEvent) -> None:
        points = [QPointF(self.mapFromGlobal(point.globalPosition())) for point in event.points()]
        if event.type() in {QEvent.Type.TouchEnd, QEvent.Type.TouchCancel}:
            self._last_point = self._last_pinch = None
            self.end_drag()
            return
        self.touched.emit()
        if len(points) == 1:
            self._last_pinch = None
            if event.type() is QEvent.Type.TouchBegin or self._last_point is None:
                self._begin(points[0])
            else:
                self._move_to(points[0])
        elif len(points) >= 2:
            self._last_point = None
            self._two(points[0], points[1])

    def _two(self, one: QPointF, other: QPointF) -> None:
        before = self._last_pinch
        self._last_pinch = (one, other)
        if before is None:
            return
        apart_before, apart = _distance(*before), _distance(one, other)
        middle_before, middle = (before[0] + before[1]) / 2, (one + other) / 2
        factor = apart / apart_before if apart_before > 0 and apart > 0 else 1.0
        self.pinch(factor, middle, middle - middle_before)

    def _begin(self, point: QPointF) -> None:
        self._last_point = point
        self.begin_drag(point)

    def _move_to(self, point: QPointF) -> None:
        before, self._last_point = self._last_point, point
        if before is not None:
            self.drag(point, point - before)

    def mousePressEvent(self, a0: QMouseEvent | None) -> None:
        """As one finger."""
        if a0 is not None:
            self.touched.emit()
            self._begin(a0.position())

    def mouseMoveEvent(self, a0: QMouseEvent | None) -> None:
        """As one finger."""
        if a0 is not None and a0.buttons() & Qt.MouseButton.LeftButton:
            self._move_to(a0.position())

    def mouseReleaseEvent(self, a0: QMouseEvent | None) -> None:
        """The finger is gone."""
        del a0
        self._last_point = None
        self.end_drag()

    def wheelEvent(self, a0: QWheelEvent | None) -> None:
        """Whole notches; parts of one are kept until they are a whole."""
        if a0 is None:
            return
        self.touched.emit()
        self._turned += a0.angleDelta().y()
        notches = int(self._turned / WHEEL_STEP)
        self._turned -= notches * WHEEL_STEP
        if notches:
            self.turn(notches, a0.position())


def _distance(one: QPointF, other: QPointF) -> float:
    return math.hypot(one.x() - other.x(), one.y() - other.y())
