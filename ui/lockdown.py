# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""There is no way out of the kiosk for who stands before it: only a signal ends it."""

from __future__ import annotations

from typing import Final

from PyQt6.QtCore import QEvent, QObject, Qt
from PyQt6.QtGui import QKeyEvent

_KEY_EVENTS: Final = frozenset({QEvent.Type.KeyPress, QEvent.Type.ShortcutOverride, QEvent.Type.Shortcut})
_REFUSED: Final = frozenset(
    {
        QEvent.Type.Close,
        QEvent.Type.ContextMenu,
        QEvent.Type.DragEnter,
        QEvent.Type.DragMove,
        QEvent.Type.Drop,
        QEvent.Type.Shortcut,
        QEvent.Type.WhatsThis,
        QEvent.Type.ToolTip,
    }
)
_COMMANDS: Final = (
    Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
)
_KEYS: Final = frozenset(
    {
        Qt.Key.Key_Tab,
        Qt.Key.Key_Backtab,
        Qt.Key.Key_Space,
        Qt.Key.Key_Return,
        Qt.Key.Key_Enter,
        Qt.Key.Key_Left,
        Qt.Key.Key_Right,
        Qt.Key.Key_Up,
        Qt.Key.Key_Down,
        Qt.Key.Key_Home,
        Qt.Key.Key_End,
        Qt.Key.Key_PageUp,
        Qt.Key.Key_PageDown,
    }
)
"""What reaches the widgets: enough to use every control, none that means something to a desktop."""


class Lockdown(QObject):
    """An event filter for the application; refuses from `engage` to `release`."""

    def __init__(self) -> None:
        super().__init__()
        self._engaged = False

    def engage(self) -> None:
        """Refuse closing, menus, drops and shortcuts from now on."""
        self._engaged = True

    def release(self) -> None:
        """The kiosk ends: windows may close."""
        self._engaged = False

    def eventFilter(self, a0: QObject | None, a1: QEvent | None) -> bool:
        """True: the event ends here."""
        del a0
        if a1 is None or not self._engaged:
            return False
        kind = a1.type()
        if kind in _KEY_EVENTS and isinstance(a1, QKeyEvent):
            refused = bool(a1.modifiers() & _COMMANDS) or a1.key() not in _KEYS
        else:
            refused = kind in _REFUSED
        if refused:
            a1.ignore()
        return refused
