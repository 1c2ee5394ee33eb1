# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Seven large buttons, each in its own language: whoever reads no other finds theirs."""

from __future__ import annotations

from typing import Final

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QFrame, QGridLayout, QPushButton, QSizePolicy, QVBoxLayout

from ui.labels import PlainLabel, light_when_checked
from ui.language import LANGUAGES, language, tr
from ui.theme import LARGE_TOUCH_MM, Scale

NOT_REVIEWED: Final = "A native clinician has not reviewed these translations yet."
"""Shown in English too: the translation of this sentence is one of those that nobody has reviewed."""
COLUMNS: Final = 2
COMPACT_COLUMNS: Final = 4


class LanguagePage(QFrame):
    """The page; the language in use is lit."""

    language_wanted = pyqtSignal(str)
    """The code of the language that was tapped."""
    back_wanted = pyqtSignal()

    def __init__(self, scale: Scale, *, compact: bool) -> None:
        super().__init__()
        self.buttons: dict[str, QPushButton] = {}
        columns = COMPACT_COLUMNS if compact else COLUMNS
        grid = QGridLayout()
        grid.setSpacing(scale.gap_px)
        for number, (code, own_name) in enumerate(LANGUAGES.items()):
            button = _button(own_name, scale, compact=compact)
            light_when_checked(button)
            button.setChecked(code == language())
            button.clicked.connect(lambda _checked, code=code: self.language_wanted.emit(code))
            self.buttons[code] = button
            grid.addWidget(button, number // columns, number % columns)
        self.back = _button(tr("Back"), scale, compact=compact)
        self.back.clicked.connect(self.back_wanted)
        grid.addWidget(self.back, len(LANGUAGES) // columns, len(LANGUAGES) % columns)
        layout = QVBoxLayout(self)
        margin, edge = scale.px(8), scale.px(2 if compact else 6)
        layout.setContentsMargins(margin, edge, margin, edge)
        layout.setSpacing(scale.px(1) if compact else scale.gap_px)
        heading = "Language" if language() == "en" else f"{tr('Language')}   ·   Language"
        layout.addWidget(PlainLabel("message_title", heading))
        layout.addWidget(PlainLabel("detail", NOT_REVIEWED, wrap=True))
        if language() != "en":
            said = tr("A native clinician has not reviewed these translations yet.")
            layout.addWidget(PlainLabel("detail", said, wrap=True))
        layout.addStretch(1)
        layout.addLayout(grid)


def _button(text: str, scale: Scale, *, compact: bool) -> QPushButton:
    button = QPushButton(text)
    button.setProperty("role", "keep")
    height = scale.touch_px if compact else -int(-LARGE_TOUCH_MM * scale.px_per_mm // 1)
    button.setMinimumWidth(scale.touch_px)
    button.setFixedHeight(height)
    button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    button.setAccessibleName(text)
    return button
