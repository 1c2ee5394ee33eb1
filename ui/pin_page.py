# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keypad before the pages that are not for everybody. It keeps digits, never a text of them."""

from __future__ import annotations

from typing import Final

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from appliance.pins import LONGEST_PIN
from ui.labels import PlainLabel
from ui.language import tr, tr_n
from ui.large_button import LargeButton
from ui.theme import LARGE_TOUCH_MM, Scale

_DIGITS: Final = b"1234567890"


class PinPage(QFrame):
    """Ten digits, Delete, OK. `entered` hands the digits over, and the page forgets them."""

    entered = pyqtSignal(bytes)
    back_wanted = pyqtSignal()

    def __init__(self, scale: Scale, *, compact: bool) -> None:
        super().__init__()
        self._digits = bytearray()
        self._title = PlainLabel("message_title")
        self._dots = PlainLabel("idle_dots")
        self._words = PlainLabel("detail", wrap=True)
        back = LargeButton(tr("Back"), scale, low=True)
        back.setMaximumWidth(scale.px(2 * LARGE_TOUCH_MM))
        back.clicked.connect(self.back_wanted)
        head = QHBoxLayout()
        head.setSpacing(scale.gap_px)
        head.addWidget(back)
        head.addWidget(self._title, stretch=1)
        self.keypad = QWidget()
        keys = QGridLayout(self.keypad)
        keys.setContentsMargins(0, 0, 0, 0)
        keys.setSpacing(scale.gap_px)
        columns = 5 if compact else 3
        self._keys: list[LargeButton] = []
        for index, code in enumerate(_DIGITS):
            key = self._key(chr(code), chr(code), scale)
            key.clicked.connect(lambda _checked, code=code: self._press(code))
            is_zero_alone = chr(code) == "0" and not compact
            keys.addWidget(key, index // columns, 1 if is_zero_alone else index % columns)
        delete = self._key(tr("Delete"), tr("Delete one digit"), scale)
        delete.clicked.connect(self._delete)
        confirm = self._key(tr("OK"), tr("OK"), scale)
        confirm.clicked.connect(self._enter)
        keys.addWidget(delete, 0 if compact else 3, 5 if compact else 0)
        keys.addWidget(confirm, 1 if compact else 3, 5 if compact else 2)
        layout = QVBoxLayout(self)
        edge = scale.px(3)
        layout.setContentsMargins(edge, edge, edge, edge)
        layout.setSpacing(scale.px(1.5))
        layout.addLayout(head)
        layout.addStretch(1)
        for label in (self._dots, self._words):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            layout.addWidget(label)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.keypad)
        row.addStretch(1)
        layout.addLayout(row)
        layout.addStretch(1)

    def ask(self, title: str) -> None:
        """Begin anew, for `title`."""
        self._title.setText(title)
        self.say("")
        self.forget()
        self.allow(True)
        self.keypad.setVisible(True)

    def refuse(self, title: str, words: str) -> None:
        """There is no PIN that could be entered: say why and what to do."""
        self._title.setText(title)
        self.forget()
        self.keypad.setVisible(False)
        self.say(words)

    def say(self, words: str) -> None:
        """One line above the keys."""
        self._words.setText(words)

    def allow(self, allowed: bool) -> None:
        """Keys can be pressed, or wait."""
        if self.keypad.isEnabled() != allowed:
            self.keypad.setEnabled(allowed)

    def forget(self) -> None:
        """Overwrite and drop the digits."""
        for index in range(len(self._digits)):
            self._digits[index] = 0
        self._digits.clear()
        self._draw()

    def _key(self, text: str, name: str, scale: Scale) -> LargeButton:
        key = LargeButton(text, scale, name=name)
        key.setFixedWidth(key.height())
        self._keys.append(key)
        return key

    def _press(self, code: int) -> None:
        if len(self._digits) < LONGEST_PIN:
            self._digits.append(code)
        self._draw()

    def _delete(self) -> None:
        if self._digits:
            self._digits[-1] = 0
            del self._digits[-1]
        self._draw()

    def _enter(self) -> None:
        if self._digits:
            pin = bytes(self._digits)
            self.forget()
            self.entered.emit(pin)

    def _draw(self) -> None:
        count = len(self._digits)
        self._dots.setText("●" * count or "-")
        self._dots.setAccessibleName(tr_n("{count} digit", "{count} digits", count))
