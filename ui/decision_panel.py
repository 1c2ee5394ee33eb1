# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Repeat or keep: two large buttons, undo for a while, and pages of reasons for what needs one."""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout

from appliance.store.decisions import Choice
from ui.decision_state import DecisionState
from ui.labels import ElidedLabel, PlainLabel, restyle
from ui.language import apart, tr
from ui.repeat_reasons import Reason
from ui.theme import LARGE_TOUCH_MM, Scale


class DecisionBar(QFrame):
    """The foot of the card: what has been decided, and the two buttons."""

    repeat_wanted = pyqtSignal()
    keep_wanted = pyqtSignal()
    undo_wanted = pyqtSignal()

    def __init__(self, scale: Scale, *, compact: bool) -> None:
        super().__init__()
        self._compact = compact
        self._decided = ElidedLabel("caption") if compact else PlainLabel("caption", wrap=True)
        self.repeat = _large_button(tr("Repeat"), "repeat", scale, compact=compact)
        self.keep = _large_button(tr("Keep"), "keep", scale, compact=compact)
        self.repeat.clicked.connect(self.repeat_wanted)
        self.keep.clicked.connect(self.keep_wanted)
        buttons = QHBoxLayout()
        buttons.setSpacing(scale.gap_px)
        buttons.addWidget(self.repeat)
        buttons.addWidget(self.keep)
        self.undo = _large_button(tr("Undo"), "undo", scale, compact=compact)
        self.undo.setAccessibleName(tr("Undo"))
        self.undo.clicked.connect(self.undo_wanted)
        self.undo.hide()
        self._buttons = buttons
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(scale.px(1))
        layout.addWidget(self._decided)
        layout.addLayout(buttons)

    def show_state(self, state: DecisionState, *, notice: str) -> None:
        """Draw the decision. `notice` says that one is being saved, or could not be."""
        self._decided.show_text(notice or state.decided or ("" if self._compact else state.cost))
        anyway = tr("Keep…") if self._compact else tr("Keep anyway…")
        words = anyway if state.keep_needs_reason else tr("Keep")
        self.keep.setText(words)
        restyle(self.repeat, "advised", "yes" if state.repeat_advised and not state.decided else "no")
        self.repeat.setAccessibleName(tr("Repeat this view"))
        self.keep.setAccessibleName(words)
        self._show_undo(state.undo)

    def _show_undo(self, chosen: Choice | None) -> None:
        """Undo takes the place of the button that was not tapped; the one that was takes no second tap.

        So nothing moves under the finger, and a trembling finger does not take back what it has just decided.
        """
        for button, choice, place in ((self.repeat, Choice.REPEAT, 0), (self.keep, Choice.KEEP, 1)):
            replaced = chosen is not None and chosen is not choice
            button.setVisible(not replaced)
            button.setEnabled(chosen is None)
            if replaced and self._buttons.indexOf(self.undo) != place:
                self._buttons.insertWidget(place, self.undo)
        self.undo.setVisible(chosen is not None)


class ReasonPage(QFrame):
    """Four to six reasons and the way back. Nothing is written before a reason is tapped."""

    reason_given = pyqtSignal(str)
    back_wanted = pyqtSignal()

    def __init__(self, question: str, scale: Scale, *, compact: bool, columns: int) -> None:
        super().__init__()
        self._scale = scale
        self._columns = columns
        self._shown: tuple[Reason, ...] = ()
        self._who = ElidedLabel("name")
        self._why = PlainLabel("detail", wrap=True)
        self._why.setMinimumWidth(1)  # a word without an end must not widen the screen
        self._grid = QGridLayout()
        self._grid.setSpacing(scale.gap_px)
        back = _large_button(tr("Back"), "", scale, compact=True)
        back.clicked.connect(self.back_wanted)
        layout = QVBoxLayout(self)
        margin = scale.px(8)
        edge = scale.px(2 if compact else 4)
        layout.setContentsMargins(margin, edge, margin, edge)
        layout.setSpacing(scale.gap_px if not compact else scale.px(1))
        for label in (self._who, PlainLabel("message_title", question, wrap=True), self._why):
            layout.addWidget(label)
        layout.addStretch(1)
        layout.addLayout(self._grid)
        layout.addStretch(1)
        layout.addSpacing(scale.gap_px - layout.spacing())
        layout.addWidget(back)

    def about(self, name: str, cause: str) -> None:
        """Whose image this is, and what the check says of it."""
        self._who.setText(apart(name))
        self._why.show_text(cause)

    def offer(self, reasons: tuple[Reason, ...]) -> None:
        """One button for each; the likely one first."""
        if reasons == self._shown:
            return
        self._shown = reasons
        while self._grid.count():
            item = self._grid.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for index, reason in enumerate(reasons):
            button = _large_button(reason.shown, "keep", self._scale, compact=False)
            button.setAccessibleName(reason.shown)
            button.clicked.connect(lambda _checked, kept=reason.kept: self.reason_given.emit(kept))
            self._grid.addWidget(button, index // self._columns, index % self._columns)


def _large_button(text: str, role: str, scale: Scale, *, compact: bool) -> QPushButton:
    button = QPushButton(text)
    button.setProperty("role", role)
    height = scale.touch_px if compact else -int(-LARGE_TOUCH_MM * scale.px_per_mm // 1)
    button.setMinimumSize(scale.touch_px, height)
    button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    button.setFixedHeight(height)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
