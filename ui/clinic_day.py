# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clinic's day above the list, and one score above the picture."""

from __future__ import annotations

from typing import Final

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout

from ui import theme
from ui.day_state import DayState, ScoreKind, ScoreState
from ui.icons import Icons
from ui.labels import ElidedLabel, PlainLabel
from ui.theme import Scale
from ui.wall_card import sized

_COLOURS: Final = {
    ScoreKind.HIGH: theme.AMBER,
    ScoreKind.RAISED: theme.AMBER,
    ScoreKind.BELOW: theme.TEXT,
    ScoreKind.NONE: theme.GREY,
}
_SHAPES: Final = {
    ScoreKind.HIGH: "question_solid",
    ScoreKind.RAISED: "question_dashed",
    ScoreKind.BELOW: "eye",
    ScoreKind.NONE: "dash",
}
"""A score asks a question: amber, never red; below the threshold is not a passed check: never green."""


class DayBar(QFrame):
    """How many are done and wait today, and since when the hospital is not reached."""

    def __init__(self, scale: Scale) -> None:
        super().__init__()
        self._words = ElidedLabel("wall")
        sized(self._words, 3.6, scale, weight=700)
        self._offline = PlainLabel("side_missing", wrap=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(scale.px(3), scale.px(1), scale.px(3), 0)
        layout.setSpacing(0)
        layout.addWidget(self._words)
        layout.addWidget(self._offline)
        self._offline.hide()

    def show_state(self, day: DayState) -> None:
        """Draw the day."""
        self._words.setText(day.words)
        self._offline.show_text(day.offline)


class ScoreBand(QFrame):
    """Sign, number of 100, word, and the threshold that it is held against."""

    def __init__(self, scale: Scale, icons: Icons) -> None:
        super().__init__()
        self._scale = scale
        self._icons = icons
        self.setStyleSheet("background: transparent;")
        self._sign = QLabel()
        self._sign.setTextFormat(Qt.TextFormat.PlainText)
        self._word = PlainLabel("wall")
        self._detail = PlainLabel("detail", wrap=True)
        self._detail.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(scale.px(2))
        layout.addWidget(self._sign)
        layout.addWidget(self._word)
        layout.addWidget(self._detail, stretch=1)

    def show_state(self, score: ScoreState) -> None:
        """Draw the score."""
        colour = _COLOURS[score.kind]
        self._sign.setPixmap(self._icons.pixmap(_SHAPES[score.kind], colour, self._scale.px(8)))
        sized(self._word, 5.0 if score.score else 3.6, self._scale, colour=colour, weight=800)
        self._word.setText(" ".join(part for part in (score.score, score.word) if part))
        self._detail.setText(score.detail)
