# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answer to "Can the patient leave?", its causes, and what was checked."""

from __future__ import annotations

from typing import Final

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QPaintEvent
from PyQt6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ui import theme
from ui.deadline_ring import DeadlineRing
from ui.deadline_state import DeadlineState
from ui.icons import Icons
from ui.labels import ElidedLabel, FittedLabel, PlainLabel, restyle
from ui.language import apart, noted, tr
from ui.theme import VERDICT_COLOURS, Scale
from ui.verdict_state import SHAPES, CheckLine, VerdictKind, VerdictState

QUESTION: Final = noted("Can the patient leave?")
_FILLED: Final = frozenset({VerdictKind.YES, VerdictKind.CHECK, VerdictKind.REPEAT})
"""Kinds whose band is filled with their colour and carries dark text."""
QUESTION_MM: Final = 3.7
WORD_MM: Final = 11.0
LONG_WORD_MM: Final = 7.4
"""Wanted height of the word, less where its place is narrow; NOT CHECKED is longer and less urgent."""
RING_MM: Final = 11.5
"""Across; the seconds inside are as high as a name."""
SHORT_MEASURE: Final = 16
"""Characters of a measurement that stand beside the name of a criterion."""
COMPACT_SHARE: Final = 0.75
"""On a small panel the word is this much smaller: it is read from an arm's length."""


class VerdictBand(QFrame):
    """The word with its sign, readable from three metres."""

    painted = pyqtSignal()
    """A verdict, not the wait for one, has just been drawn on the screen. Direct: its time is now."""

    def __init__(self, scale: Scale, icons: Icons, *, compact: bool) -> None:
        super().__init__()
        self.setProperty("role", "verdict")
        self._scale = scale
        self._icons = icons
        self._share = COMPACT_SHARE if compact else 1.0
        self._question = FittedLabel("question")
        self._question.show_fitted(tr(QUESTION), scale.px(QUESTION_MM))
        self._word = FittedLabel("verdict_word")
        self._sign = QLabel()
        self._sign.setTextFormat(Qt.TextFormat.PlainText)
        self.ring = DeadlineRing()
        self.ring.hide()
        self.receipt = ElidedLabel("receipt")
        self._is_verdict = False
        row = QHBoxLayout()
        row.setSpacing(scale.px(3 * self._share))
        row.addWidget(self._sign)
        row.addWidget(self.ring)
        row.addWidget(self._word, stretch=1)
        layout = QVBoxLayout(self)
        margin = scale.px(3.2 * self._share)
        layout.setContentsMargins(margin, scale.px(2.2 * self._share), margin, scale.px(2.6 * self._share))
        layout.setSpacing(scale.px(0.6))
        layout.addWidget(self._question)
        layout.addLayout(row)
        layout.addWidget(self.receipt)

    @property
    def word(self) -> QLabel:
        """The largest text on the screen."""
        return self._word

    def show_state(
        self, verdict: VerdictState, *, deadline: DeadlineState | None = None, receipt: str = ""
    ) -> None:
        """Draw the word of `verdict`, with the ring of `deadline` in place of its sign where one runs."""
        kind = "late" if verdict.is_late else verdict.kind.value
        restyle(self, "kind", kind)
        for label in (self._question, self._word, self.receipt):
            restyle(label, "kind", kind)
        is_short = len(verdict.word) <= len("REPEAT")
        height_mm = (WORD_MM if is_short else LONG_WORD_MM) * self._share
        colour = theme.BACKGROUND if verdict.kind in _FILLED else VERDICT_COLOURS[verdict.kind]
        size = self._scale.px(height_mm if is_short else height_mm * 1.15)
        self._sign.setPixmap(self._icons.pixmap(verdict.shape.value, colour, size))
        self._sign.setVisible(deadline is None)
        self.ring.show_size(self._scale.px(RING_MM * self._share))
        self.ring.setVisible(deadline is not None)
        self._word.show_fitted(verdict.word, self._scale.px(height_mm))
        self.receipt.show_text(receipt)
        self.setAccessibleName(f"{tr(QUESTION)} {verdict.word}. {verdict.cause} {receipt}".strip())
        self._is_verdict = verdict.kind is not VerdictKind.CHECKING

    def paintEvent(self, a0: QPaintEvent | None) -> None:
        """As any frame, and told."""
        super().paintEvent(a0)
        if self._is_verdict:
            self.painted.emit()


class _CheckRow(QWidget):
    """One criterion, or several of one kind: sign, name, measurement, and what to do."""

    def __init__(self, line: CheckLine, scale: Scale, icons: Icons, *, with_advice: bool) -> None:
        super().__init__()
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setHorizontalSpacing(scale.px(2))
        layout.setVerticalSpacing(scale.px(0.4))
        sign = QLabel()
        sign.setTextFormat(Qt.TextFormat.PlainText)
        colour = VERDICT_COLOURS[line.kind]
        sign.setPixmap(icons.pixmap(SHAPES[line.kind].value, colour, scale.px(4.6)))
        layout.addWidget(sign, 0, 0, Qt.AlignmentFlag.AlignVCenter)
        layout.addWidget(PlainLabel("title", line.title, wrap=True), 0, 1)
        if line.measured and len(line.measured) <= SHORT_MEASURE and with_advice:
            layout.addWidget(PlainLabel("measured", line.measured), 0, 2)
        elif line.measured and line.kind is VerdictKind.YES:
            layout.addWidget(ElidedLabel("measured", line.measured), 1, 1, 1, 2)  # good news may end in "…"
        elif line.measured:
            layout.addWidget(PlainLabel("measured", line.measured, wrap=True), 1, 1, 1, 2)
        if with_advice:
            layout.addWidget(PlainLabel("detail", line.advice, wrap=True), 2, 1, 1, 2)
            if line.original:
                layout.addWidget(PlainLabel("measured", apart(line.original), wrap=True), 3, 1, 1, 2)
        layout.setColumnStretch(1, 1)


class ChecksCard(QFrame):
    """The cause in one sentence, every criterion that needs a person, and the rest in one line each."""

    def __init__(self, scale: Scale, icons: Icons) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self._scale = scale
        self._icons = icons
        self._shown: VerdictState | None = None
        self._layout = QVBoxLayout(self)
        margin = scale.px(3)
        self._layout.setContentsMargins(margin, scale.px(2.6), margin, scale.px(2.6))
        self._layout.setSpacing(scale.px(1.7))

    def forget(self) -> None:
        """Have the next state drawn anew, even if it is the same."""
        self._shown = None

    def show_state(self, verdict: VerdictState) -> None:
        """Draw the checks of `verdict`."""
        if verdict == self._shown:
            return
        self._shown = verdict
        empty(self._layout)
        by_kind = {kind: [c for c in verdict.checks if c.kind is kind] for kind in VerdictKind}
        problems = by_kind[VerdictKind.REPEAT] + by_kind[VerdictKind.CHECK]
        if not problems or verdict.cause != problems[0].advice:
            self._layout.addWidget(PlainLabel("detail", verdict.cause, wrap=True))
        for line in problems:
            self._layout.addWidget(_CheckRow(line, self._scale, self._icons, with_advice=True))
        self._add_group(VerdictKind.NOT_CHECKED, tr("Not checked"), by_kind[VerdictKind.NOT_CHECKED])
        self._add_group(VerdictKind.YES, tr("Passed"), by_kind[VerdictKind.YES])

    def _add_group(self, kind: VerdictKind, title: str, lines: list[CheckLine]) -> None:
        if lines:
            names = ", ".join(line.title.lower() for line in lines)
            group = CheckLine(kind=kind, title=f"{title} ({len(lines)})", measured=names, advice="")
            self._layout.addWidget(_CheckRow(group, self._scale, self._icons, with_advice=False))


def empty(layout: QVBoxLayout) -> None:
    """Take every widget out of `layout` and have it deleted, which its parent does, not the collector."""
    while layout.count():
        item = layout.takeAt(0)
        widget = item.widget() if item is not None else None
        if widget is not None:
            widget.hide()
            widget.deleteLater()
