# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The line over the whole screen, and the grey over everything that is not current."""

from __future__ import annotations

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QFrame, QGraphicsColorizeEffect, QHBoxLayout, QPushButton, QWidget

from ui import theme
from ui.labels import ElidedLabel, restyle
from ui.language import tr
from ui.notice_state import Notice
from ui.theme import Scale

BUTTON_MM = 44.0


class NoticeStrip(QFrame):
    """Out of the way while all is well."""

    gap_wanted = pyqtSignal()

    def __init__(self, scale: Scale) -> None:
        super().__init__()
        self.setProperty("role", "notice")
        self._words = ElidedLabel("notice_words")
        self.button = QPushButton()
        self._name_button("")
        self.button.setFixedSize(scale.px(BUTTON_MM), scale.touch_px)
        self.button.clicked.connect(self.gap_wanted)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(scale.px(3), scale.px(0.6), scale.px(3), scale.px(0.6))
        layout.setSpacing(scale.gap_px)
        layout.addWidget(self._words, stretch=1)
        layout.addWidget(self.button)
        self._has_button = self._slim = False
        self._place_button()
        self.hide()

    def show_state(self, notice: Notice | None) -> None:
        """Draw the line; None hides it."""
        self.setVisible(notice is not None)
        if notice is None:
            return
        self._words.setText(notice.text)
        self.setAccessibleName(notice.text)
        restyle(self, "kind", "danger" if notice.is_danger else "attention")
        self._has_button = bool(notice.gap)
        self._name_button(notice.gap)
        self._place_button()

    def set_slim(self, *, slim: bool) -> None:
        """Without its button, where the picture needs the room."""
        self._slim = slim
        self._place_button()

    def _name_button(self, text: str) -> None:
        self.button.setText(text)
        # A screen reader also walks over hidden buttons: without a number, this one has the name of its page.
        self.button.setAccessibleName(text or tr("Read these exams without AI"))

    def _place_button(self) -> None:
        self.button.setVisible(self._has_button and not self._slim)


class Greying:
    """Takes the colour out of widgets while what they show is old: green of an hour ago is no green."""

    def __init__(self, *widgets: QWidget) -> None:
        self._effects: list[QGraphicsColorizeEffect] = []
        for widget in widgets:
            effect = QGraphicsColorizeEffect(widget)
            effect.setColor(QColor(theme.BLACK))  # greys as light as their colours were
            effect.setEnabled(False)
            widget.setGraphicsEffect(effect)
            self._effects.append(effect)

    @property
    def is_grey(self) -> bool:
        """Whether the colour is out."""
        return any(effect.isEnabled() for effect in self._effects)

    def grey(self, *, old: bool) -> None:
        """Take the colour out, or let it be."""
        for effect in self._effects:
            if effect.isEnabled() != old:
                effect.setEnabled(old)
