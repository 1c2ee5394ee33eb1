# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the AI asks a person to look at, or why it gave no answer. Below the verdict, never instead of it."""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout

from ui import theme
from ui.findings_state import Band, FindingLine, FindingsState
from ui.icons import Icons
from ui.labels import ElidedLabel, PlainLabel
from ui.theme import Scale
from ui.verdict_panel import empty


class FindingButton(QPushButton):
    """One question with its band; a tap shows or hides its number."""

    def __init__(self, line: FindingLine, scale: Scale, icons: Icons) -> None:
        super().__init__()
        self.setProperty("role", "finding")
        self.setMinimumHeight(scale.touch_px)
        self.setAccessibleName(f"{line.question} {line.band.value}. Tap for the number.")
        solid = line.band is Band.HIGH
        sign = QLabel()
        sign.setTextFormat(Qt.TextFormat.PlainText)
        shape = "question_solid" if solid else "question_dashed"
        sign.setPixmap(icons.pixmap(shape, theme.CYAN, scale.px(6)))
        self._band = ElidedLabel("dim", line.band.value)
        self._line = line
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addStretch()
        words.addWidget(ElidedLabel("title", line.question))
        words.addWidget(self._band)
        words.addStretch()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(scale.px(3), scale.px(1), scale.px(3), scale.px(1))
        layout.setSpacing(scale.px(3))
        layout.addWidget(sign)
        layout.addLayout(words, stretch=1)
        for label in (sign, self._band):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.clicked.connect(self._turn)

    def _turn(self) -> None:
        number = f"{self._line.band.value} · {self._line.number}"
        self._band.setText(self._line.band.value if self._band.text() == number else number)


class FindingsCard(QFrame):
    """Headline, questions, refusals, the engine that answered, and the fixed reminder."""

    changed = pyqtSignal()

    def __init__(self, scale: Scale, icons: Icons) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self._scale = scale
        self._icons = icons
        self._shown: FindingsState | None = None
        self._layout = QVBoxLayout(self)
        margin = scale.px(3)
        self._layout.setContentsMargins(margin, scale.px(2.6), margin, scale.px(2.6))
        self._layout.setSpacing(scale.px(1.8))

    def forget(self) -> None:
        """Have the next state drawn anew, even if it is the same."""
        self._shown = None

    def show_state(self, findings: FindingsState) -> None:
        """Draw the AI's answer."""
        if findings == self._shown:
            return
        self._shown = findings
        empty(self._layout)
        self._layout.addWidget(PlainLabel("title", findings.headline, wrap=True))
        for line in findings.lines:
            self._layout.addWidget(FindingButton(line, self._scale, self._icons))
        for reason in findings.refusals:
            self._layout.addWidget(PlainLabel("detail", reason, wrap=True))
        if findings.fallback:
            self._layout.addWidget(
                PlainLabel("caption_amber", f"AI runs on its second choice: {findings.fallback}", wrap=True)
            )
        if findings.engine:
            self._layout.addWidget(PlainLabel("caption", f"Computed by {findings.engine}", wrap=True))
        self.changed.emit()
