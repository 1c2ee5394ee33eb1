# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Repeat or keep: two large buttons, and one page of four reasons where keeping goes against the check."""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout

from ui.decision_state import KEEP_REASONS, DecisionState
from ui.labels import ElidedLabel, PlainLabel, restyle
from ui.theme import LARGE_TOUCH_MM, Scale


class DecisionBar(QFrame):
    """The foot of the card: what has been decided, and the two buttons."""

    repeat_wanted = pyqtSignal()
    keep_wanted = pyqtSignal()

    def __init__(self, scale: Scale, *, compact: bool) -> None:
        super().__init__()
        self._compact = compact
        self._decided = ElidedLabel("caption") if compact else PlainLabel("caption", wrap=True)
        self.repeat = _large_button("Repeat", "repeat", scale, compact=compact)
        self.keep = _large_button("Keep", "keep", scale, compact=compact)
        self.repeat.clicked.connect(self.repeat_wanted)
        self.keep.clicked.connect(self.keep_wanted)
        buttons = QHBoxLayout()
        buttons.setSpacing(scale.gap_px)
        buttons.addWidget(self.repeat)
        buttons.addWidget(self.keep)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(scale.px(1))
        layout.addWidget(self._decided)
        layout.addLayout(buttons)

    def show_state(self, state: DecisionState, *, notice: str) -> None:
        """Draw the decision. `notice` says that one is being saved, or could not be."""
        self._decided.show_text(notice or state.decided)
        anyway = "Keep…" if self._compact else "Keep anyway…"
        words = anyway if state.keep_needs_reason else "Keep"
        self.keep.setText(words)
        restyle(self.repeat, "advised", "yes" if state.repeat_advised and not state.decided else "no")
        self.repeat.setAccessibleName("Repeat this view")
        self.keep.setAccessibleName(words)


class KeepReasonPage(QFrame):
    """Four reasons and the way back. Nothing is written before a reason is tapped."""

    reason_given = pyqtSignal(str)
    back_wanted = pyqtSignal()

    def __init__(self, scale: Scale, *, compact: bool) -> None:
        super().__init__()
        self._who = ElidedLabel("name")
        self._why = PlainLabel("detail", wrap=True)
        self._why.setMinimumWidth(1)  # a word without an end must not widen the screen
        grid = QGridLayout()
        grid.setSpacing(scale.gap_px)
        for index, reason in enumerate(KEEP_REASONS):
            button = _large_button(reason, "keep", scale, compact=False)
            button.clicked.connect(lambda _checked, reason=reason: self.reason_given.emit(reason))
            grid.addWidget(button, index // 2, index % 2)
        back = _large_button("Back", "", scale, compact=True)
        back.clicked.connect(self.back_wanted)
        layout = QVBoxLayout(self)
        margin = scale.px(8)
        edge = scale.px(2 if compact else 4)
        layout.setContentsMargins(margin, edge, margin, edge)
        layout.setSpacing(scale.gap_px if not compact else scale.px(1))
        for label in (
            self._who,
            PlainLabel("message_title", "Why is this image kept?", wrap=True),
            self._why,
        ):
            layout.addWidget(label)
        layout.addStretch(1)
        layout.addLayout(grid)
        layout.addStretch(1)
        layout.addSpacing(scale.gap_px - layout.spacing())
        layout.addWidget(back)

    def ask(self, name: str, cause: str) -> None:
        """For this patient, against this advice."""
        self._who.setText(name)
        self._why.show_text(cause)


def _large_button(text: str, role: str, scale: Scale, *, compact: bool) -> QPushButton:
    button = QPushButton(text)
    button.setProperty("role", role)
    height = scale.touch_px if compact else -int(-LARGE_TOUCH_MM * scale.px_per_mm // 1)
    button.setMinimumSize(scale.touch_px, height)
    button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    button.setFixedHeight(height)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
