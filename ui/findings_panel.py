# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the AI asks a person to look at, or why it gave no answer. Below the verdict, never instead of it."""

from __future__ import annotations

from typing import Final

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from appliance.store.opinions import Stance
from ui import theme
from ui.findings_state import BAND_WORDS, Band, FindingLine, FindingsState
from ui.icons import Icons
from ui.labels import ElidedLabel, PlainLabel
from ui.language import tr
from ui.opinion_row import FirstLookBar, OpinionRow
from ui.reveal_state import Reveal
from ui.theme import Scale
from ui.verdict_panel import empty

_ANSWERED: Final = {
    Stance.AGREE: lambda: tr("you agree"),
    Stance.DISAGREE: lambda: tr("you disagree"),
    Stance.UNSURE: lambda: tr("you are unsure"),
}


class FindingButton(QPushButton):
    """One question with its band; a tap shows or hides its number."""

    turned = pyqtSignal(bool)
    """Whether its number is shown now."""

    def __init__(self, line: FindingLine, scale: Scale, icons: Icons, *, opened: bool = False) -> None:
        super().__init__()
        self.setProperty("role", "finding")
        self.setMinimumHeight(scale.touch_px)
        self._word = tr(BAND_WORDS[line.band])
        self.setAccessibleName(
            tr("{finding} {band}. Tap for the number.", finding=line.question, band=self._word)
        )
        solid = line.band is Band.HIGH
        sign = QLabel()
        sign.setTextFormat(Qt.TextFormat.PlainText)
        shape = "question_solid" if solid else "question_dashed"
        sign.setPixmap(icons.pixmap(shape, theme.CYAN, scale.px(6)))
        self._band = ElidedLabel("dim", self._word)
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
        self._is_open = opened
        self._say()
        self.clicked.connect(self._turn)

    def _turn(self) -> None:
        self._is_open = not self._is_open
        self._say()
        self.turned.emit(self._is_open)

    def _say(self) -> None:
        answer = _ANSWERED[self._line.stance]() if self._line.stance is not None else ""
        parts = (self._word, self._line.number if self._is_open else answer)
        self._band.setText(" · ".join(part for part in parts if part))


class FindingsCard(QFrame):
    """Headline, questions, refusals, the engine that answered, and the fixed reminder."""

    changed = pyqtSignal()
    tapped = pyqtSignal(object)
    """A Command: an opinion, or the first look."""

    def __init__(self, scale: Scale, icons: Icons, *, compact: bool) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self._compact = compact
        self._opened: set[tuple[str, ...]] = set()
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
        if findings.asked is not Reveal.AT_ONCE:
            look = FirstLookBar(findings.exam_id, findings.version, findings.asked, self._scale)
            look.tapped.connect(self.tapped)
            self._layout.addWidget(look)
        for line in findings.lines:
            self._add_line(line, named=len({line.profile for line in findings.lines}) > 1)
        profiles = dict.fromkeys(line.profile for line in findings.lines if line.profile)
        if len(profiles) == 1:
            self._layout.addWidget(PlainLabel("caption", next(iter(profiles)), wrap=True))
        for reason in findings.refusals:
            self._layout.addWidget(PlainLabel("detail", reason, wrap=True))
        if findings.fallback:
            self._layout.addWidget(
                PlainLabel(
                    "caption_amber",
                    tr("AI runs on its second choice: {why}", why=findings.fallback),
                    wrap=True,
                )
            )
        if findings.engine:
            self._layout.addWidget(
                PlainLabel("caption", tr("Computed by {engine}", engine=findings.engine), wrap=True)
            )
        self.changed.emit()

    def _add_line(self, line: FindingLine, *, named: bool) -> None:
        """The question and the three answers to it; on a small panel a tap on the question opens them."""
        key = (line.subject.acquisition_id, line.subject.task, line.code)
        button = FindingButton(line, self._scale, self._icons, opened=key in self._opened)
        row = OpinionRow(line, self._scale, self._icons, compact=self._compact)
        row.tapped.connect(self.tapped)
        button.turned.connect(lambda is_open: self._turn(key, row, is_open=is_open))
        group = QWidget()
        column = QVBoxLayout(group)
        column.setContentsMargins(0, 0, 0, self._scale.px(1))
        column.setSpacing(self._scale.gap_px)
        column.addWidget(button)
        column.addWidget(row)
        row.setVisible(not self._compact or key in self._opened)  # inside a parent: else it is a window
        if named and line.profile:
            column.addWidget(PlainLabel("caption", line.profile, wrap=True))
        self._layout.addWidget(group)

    def _turn(self, key: tuple[str, ...], row: OpinionRow, *, is_open: bool) -> None:
        self._opened = {*self._opened, key} if is_open else self._opened - {key}
        row.setVisible(not self._compact or is_open)
