# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keyboard on the screen: for addresses, AE titles and folders at the first run, and nowhere else.

A kiosk session has no other one (its compositor knows no input methods), and a new device often no keys.
"""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from ui.keyboard_state import (
    WIDE_MM,
    Letters,
    begins_with_capitals,
    first_page,
    last_row,
    page_names,
    rows_of,
    takes_blank,
    takes_case,
)
from ui.labels import ElidedLabel, PlainLabel, light_when_checked
from ui.language import tr
from ui.large_button import LargeButton
from ui.theme import Scale

MOST_CHARACTERS = 200
CURSOR = "▏"


class KeyboardPage(QFrame):
    """A line of text over its keys. `entered` tells what stands there; it may be refused with `say`."""

    entered = pyqtSignal(str)
    back_wanted = pyqtSignal()

    def __init__(self, scale: Scale, size_px: tuple[int, int]) -> None:
        super().__init__()
        self._scale = scale
        self._wide = all(
            side >= needed * scale.px_per_mm for side, needed in zip(size_px, WIDE_MM, strict=True)
        )
        self._letters = Letters.SMALL
        self._capitals = False
        self._page = 0
        self.text = ""
        self._title = ElidedLabel("dim")
        self._line = PlainLabel("name")
        self._line.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # what is entered is ASCII
        self._line.setMinimumWidth(1)
        self._words = PlainLabel("caption_amber", wrap=True)
        back = LargeButton(tr("Back"), scale, low=True)
        back.clicked.connect(self.back_wanted)
        confirm = LargeButton(tr("Done"), scale, low=True)
        confirm.clicked.connect(lambda: self.entered.emit(self.text))
        texts = QVBoxLayout()
        texts.setSpacing(0)
        for label in (self._title, self._line, self._words):
            texts.addWidget(label)
        head = QHBoxLayout()
        head.setSpacing(scale.gap_px)
        head.addWidget(back, stretch=1)
        head.addLayout(texts, stretch=5)
        head.addWidget(confirm, stretch=1)
        self._keys = QWidget()
        self._layout = QVBoxLayout(self)
        edge = scale.px(3)
        self._layout.setContentsMargins(edge, edge, edge, edge)
        self._layout.setSpacing(scale.gap_px)
        self._layout.addLayout(head)
        self._layout.addStretch(1)
        self._layout.addWidget(self._keys)

    def ask(self, title: str, text: str, letters: Letters) -> None:
        """Begin with `text`."""
        self._title.setText(title)
        self.text = text
        self._letters = letters
        self._capitals = begins_with_capitals(letters, text)
        self._page = first_page(letters, text) if page_names(letters, wide=self._wide) else 0
        self.say("")
        self._draw()
        self._lay_keys()

    def say(self, words: str) -> None:
        """Why it is refused."""
        self._words.show_text(words)

    def _lay_keys(self) -> None:
        self._layout.removeWidget(self._keys)
        self._keys.hide()
        self._keys.deleteLater()
        self._keys = QWidget()
        grid = QVBoxLayout(self._keys)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(self._scale.gap_px)
        rows = rows_of(self._letters, wide=self._wide, page=self._page, capitals=self._capitals)
        keys = QGridLayout()
        keys.setSpacing(self._scale.gap_px)
        for at, row in enumerate(rows):
            for column, character in enumerate(row):
                keys.addWidget(self._key(character, character), at, column)
        grid.addLayout(keys)
        grid.addLayout(self._last_row())
        # Letters stand where they stand on every keyboard, in every language.
        self._keys.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        self._layout.addWidget(self._keys)
        self._keys.show()

    def _last_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(self._scale.gap_px)
        for page, name in enumerate(page_names(self._letters, wide=self._wide)):
            turn = self._button(name, name)
            light_when_checked(turn)
            turn.setChecked(page == self._page)
            turn.clicked.connect(lambda _checked, page=page: self._turn(page))
            row.addWidget(turn, stretch=1)
        if takes_case(self._letters):
            case = self._button("⇧", tr("Capital letters"))
            light_when_checked(case)
            case.setChecked(self._capitals)
            case.clicked.connect(self._change_case)
            row.addWidget(case, stretch=1)
        for character in last_row(self._letters, wide=self._wide):
            row.addWidget(self._key(character, character), stretch=1)
        if takes_blank(self._letters):
            row.addWidget(self._key("␣", tr("Space"), " "), stretch=2)
        delete = self._button(tr("Delete"), tr("Delete"))
        delete.clicked.connect(self._delete)
        row.addWidget(delete, stretch=2)
        return row

    def _key(self, text: str, name: str, character: str = "") -> LargeButton:
        key = self._button(text, name)
        key.clicked.connect(lambda _checked, one=character or text: self._press(one))
        return key

    def _button(self, text: str, name: str) -> LargeButton:
        return LargeButton(text, self._scale, name=name, low=True)

    def _press(self, character: str) -> None:
        if len(self.text) < MOST_CHARACTERS:
            self.text += character
        self._after_change()

    def _delete(self) -> None:
        self.text = self.text[:-1]
        self._after_change()

    def _after_change(self) -> None:
        self.say("")
        self._draw()
        if self._letters is Letters.WORDS and self._capitals != begins_with_capitals(
            self._letters, self.text
        ):
            self._change_case()

    def _change_case(self) -> None:
        self._capitals = not self._capitals
        self._lay_keys()

    def _turn(self, page: int) -> None:
        self._page = page
        self._lay_keys()

    def _draw(self) -> None:
        """The end of it, where it is longer than its place: that is where somebody types."""
        self._line.setText(self.text + CURSOR)
        self._line.setAccessibleName(f"{self._title.text()}: {self.text}")
        self._line.setAlignment(
            Qt.AlignmentFlag.AlignRight
            if self._line.sizeHint().width() > self._line.width() > 1
            else Qt.AlignmentFlag.AlignLeft
        )
