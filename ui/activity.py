# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Anything that a person does at the screen, seen in one place before any widget."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PyQt6.QtCore import QEvent, QObject, QPoint, pyqtSignal
from PyQt6.QtGui import QMouseEvent, QTouchEvent

_PRESSES: Final = frozenset(
    {
        QEvent.Type.MouseButtonPress,
        QEvent.Type.MouseButtonDblClick,
        QEvent.Type.TouchBegin,
        QEvent.Type.KeyPress,
        QEvent.Type.Wheel,
        QEvent.Type.TabletPress,
    }
)
_GOING_ON: Final = frozenset({QEvent.Type.MouseMove, QEvent.Type.TouchUpdate, QEvent.Type.TabletMove})
_RELEASES: Final = frozenset(
    {
        QEvent.Type.MouseButtonRelease,
        QEvent.Type.TouchEnd,
        QEvent.Type.TouchCancel,
        QEvent.Type.KeyRelease,
        QEvent.Type.TabletRelease,
    }
)
_ALL: Final = _PRESSES | _GOING_ON | _RELEASES
_RELEASED_BY: Final = {
    QEvent.Type.MouseButtonPress: QEvent.Type.MouseButtonRelease,
    QEvent.Type.MouseButtonDblClick: QEvent.Type.MouseButtonRelease,
    QEvent.Type.TouchBegin: QEvent.Type.TouchEnd,
    QEvent.Type.KeyPress: QEvent.Type.KeyRelease,
    QEvent.Type.TabletPress: QEvent.Type.TabletRelease,
}


class ActivityFilter(QObject):
    """An event filter for the application. A touch that wakes the screen goes to nothing beneath."""

    active = pyqtSignal()
    """Somebody is here."""
    woken = pyqtSignal()
    """A press while `sleeps_at` said that the screen sleeps there."""

    def __init__(self, sleeps_at: Callable[[QPoint | None], bool]) -> None:
        super().__init__()
        self._sleeps_at = sleeps_at
        self._until: QEvent.Type | None = None
        self._mouse_at: QPoint | None = None

    def eventFilter(self, a0: QObject | None, a1: QEvent | None) -> bool:
        """True: the event ends here."""
        del a0
        if a1 is None or a1.type() not in _ALL:
            return False
        kind = a1.type()
        if self._until is not None and (kind not in _PRESSES or kind in _RELEASED_BY):
            self._swallow(kind)
            a1.accept()  # an ignored touch would come again as a mouse
            return True
        if kind in _PRESSES and self._sleeps_at(_place(a1)):
            self._until = _RELEASED_BY.get(kind)
            self.woken.emit()
            a1.accept()
            return True
        if kind is QEvent.Type.MouseMove and not self._has_moved(a1):
            return False
        self.active.emit()
        return False

    def _swallow(self, kind: QEvent.Type) -> None:
        """The rest of the touch that woke the screen; a new press of another kind begins anew."""
        if kind is self._until or kind is QEvent.Type.TouchCancel:
            self._until = None
        elif kind in _PRESSES:
            self._until = _RELEASED_BY.get(kind)

    def _has_moved(self, event: QEvent) -> bool:
        """A window that changes under a resting mouse makes moves, too: those are nobody's."""
        place = _place(event)
        moved = self._mouse_at is not None and place != self._mouse_at
        self._mouse_at = place
        return moved


def _place(event: QEvent) -> QPoint | None:
    if isinstance(event, QMouseEvent):
        return event.globalPosition().toPoint()
    if isinstance(event, QTouchEvent) and event.points():
        return event.points()[0].globalPosition().toPoint()
    return None
