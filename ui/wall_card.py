# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One card of the fracture wall: small picture, urgency, whom and what, the question, OPEN and SEEN."""

from __future__ import annotations

from typing import Final

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QImage, QPixmap
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout

from ui import theme
from ui.icons import Icons
from ui.labels import ElidedLabel, PlainLabel
from ui.language import tr
from ui.theme import Scale
from ui.wall_state import WallCard
from ui.worklist_panel import LEVEL_COLOURS, LEVEL_SHAPES
from ui.worklist_state import Level

CAP_SHARE: Final = 0.7
"""Height of a capital in the kiosk's fonts, as a share of the font's size (Noto Sans: 0.714)."""
WORD_CAP_MM: Final = 6.0
"""Urgency and waiting time on a wall panel: read from 2 m (3 mm of capital per metre)."""


def sized(label: QLabel, cap_mm: float, scale: Scale, *, colour: str = "", weight: int = 400) -> None:
    """Letters whose capitals are at least `cap_mm` high."""
    size_px = -int(-cap_mm / CAP_SHARE * scale.px_per_mm // 1)
    shade = f"color: {colour};" if colour else ""
    label.setStyleSheet(f"font-size: {size_px}px; font-weight: {weight}; {shade}")


def wall_button(word: str, scale: Scale) -> QPushButton:
    """A button for gloved fingers."""
    button = QPushButton(word)
    button.setProperty("role", "wall")
    button.setMinimumSize(scale.touch_px, scale.touch_px)
    button.setFixedHeight(scale.touch_px)
    button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


class CardWidget(QFrame):
    """Draws one `WallCard`; the same widget is used for another one when the wall changes."""

    opened = pyqtSignal(str)
    seen = pyqtSignal(str)

    def __init__(self, scale: Scale, icons: Icons, *, compact: bool) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self._scale = scale
        self._icons = icons
        self._compact = compact
        self.card: WallCard | None = None
        self._image: QImage | None = None
        side = scale.px(14 if compact else 30)
        self._picture = QLabel()
        self._picture.setTextFormat(Qt.TextFormat.PlainText)
        self._picture.setFixedSize(side, side)
        self._picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._sign = QLabel()
        self._sign.setTextFormat(Qt.TextFormat.PlainText)
        self._word = ElidedLabel("wall")
        self._waiting = PlainLabel("wall")
        self._who = ElidedLabel("wall")
        self._exam = ElidedLabel("wall")
        self._questions = PlainLabel("wall", wrap=True)
        self._questions.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self._questions.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.open = wall_button(tr("OPEN"), scale)
        self.see = wall_button(tr("SEEN"), scale)
        self.open.clicked.connect(self._open)
        self.see.clicked.connect(self._see)
        self._arrange()

    def _arrange(self) -> None:
        px = self._scale.px
        first = QHBoxLayout()
        first.setSpacing(px(1.5))
        first.addWidget(self._sign)
        first.addWidget(self._word, stretch=1)
        first.addWidget(self._waiting)
        words = QVBoxLayout()
        words.setSpacing(px(0.4))
        words.addWidget(self._who)
        words.addWidget(self._exam)
        words.addWidget(self._questions)
        words.addStretch(1)
        middle = QHBoxLayout()
        middle.setSpacing(px(2))
        middle.addWidget(self._picture, alignment=Qt.AlignmentFlag.AlignTop)
        middle.addLayout(words, stretch=1)
        buttons = QHBoxLayout()
        buttons.setSpacing(self._scale.gap_px)
        buttons.addWidget(self.open)
        buttons.addWidget(self.see)
        layout = QVBoxLayout(self)
        edge = px(1.2 if self._compact else 2)
        layout.setContentsMargins(edge, edge, edge, edge)
        layout.setSpacing(px(0.8))
        layout.addLayout(first)
        layout.addLayout(middle)
        layout.addLayout(buttons)

    def show_card(self, card: WallCard, image: QImage | None) -> None:
        """Draw `card`; `image` is its small picture, None while there is none."""
        if image is not self._image or self.card is None:
            self._image = image
            self._show_picture(image)
        if card == self.card:
            return
        self.card = card
        colour = LEVEL_COLOURS[card.level]
        small, scale = self._compact, self._scale
        shape = "inbox" if card.level is Level.ROUTINE else LEVEL_SHAPES.get(card.level, card.shape)
        self._sign.setPixmap(self._icons.pixmap(shape, colour, scale.px(4.4 if small else 8)))
        sized(self._word, 2.8 if small else WORD_CAP_MM, scale, colour=colour, weight=700)
        sized(self._waiting, 2.8 if small else WORD_CAP_MM, scale)
        for label in (self._who, self._exam):
            sized(label, 2.4 if small else 3.6, scale, weight=600)
        sized(self._questions, 2.1 if small else 3.0, scale)
        self._word.setText(card.word)
        self._waiting.setText(card.waiting)
        self._who.setText(card.who)
        self._exam.setText(card.exam)
        self._questions.setText(card.questions)
        self.see.setVisible(not card.seen)
        self.open.setAccessibleName(tr("Open {exam}, {who}", exam=card.exam, who=card.who))
        self.see.setAccessibleName(tr("Seen: {exam}, {who}", exam=card.exam, who=card.who))

    def _open(self) -> None:
        if self.card is not None:
            self.opened.emit(self.card.exam_id)

    def _see(self) -> None:
        if self.card is not None:
            self.seen.emit(self.card.exam_id)

    def _show_picture(self, image: QImage | None) -> None:
        side = self._picture.width()
        if image is None:
            self._picture.setPixmap(self._icons.pixmap("clock", theme.DIM, side // 3))
            return
        self._picture.setPixmap(
            QPixmap.fromImage(image).scaled(
                side,
                side,
                Qt.AspectRatioMode.KeepAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
        )
