# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an empty room sees: the clock, how the device is, how much waits. Nothing of a patient."""

from __future__ import annotations

from typing import Final

from PyQt6.QtCore import QPoint, Qt, pyqtSignal
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout

from ui import theme
from ui.health_state import HealthKind
from ui.icons import Icons
from ui.labels import PlainLabel, restyle
from ui.language import tr
from ui.large_button import LargeButton
from ui.presence_state import IdleState
from ui.theme import Scale

WORD_MM: Final = 8.0
"""Height of the health word: read while walking past."""


class IdlePage(QFrame):
    """A touch anywhere wakes; the buttons at the foot are for who is not here for a patient."""

    language_wanted = pyqtSignal()
    night_wanted = pyqtSignal()
    service_wanted = pyqtSignal()
    lead_wanted = pyqtSignal()

    def __init__(self, scale: Scale, icons: Icons) -> None:
        super().__init__()
        self._scale = scale
        self._icons = icons
        self.clock = PlainLabel("idle_clock")
        self._sign = QLabel()
        self._sign.setTextFormat(Qt.TextFormat.PlainText)
        self.word = PlainLabel("health")
        self.word.setStyleSheet(f"font-size: {scale.px(WORD_MM)}px")
        self._counts = PlainLabel("message_title")
        self.night = LargeButton(tr("Night"), scale, low=True)
        self.service = LargeButton(tr("Service"), scale, low=True)
        self.lead = LargeButton(tr("Reject figures"), scale, low=True)
        self.language = LargeButton(tr("Language"), scale, low=True)
        self.buttons = (self.language, self.night, self.service, self.lead)
        self.language.clicked.connect(self.language_wanted)
        self.night.clicked.connect(self.night_wanted)
        self.service.clicked.connect(self.service_wanted)
        self.lead.clicked.connect(self.lead_wanted)
        health = QHBoxLayout()
        health.setSpacing(scale.px(2))
        health.addStretch(1)
        health.addWidget(self._sign)
        health.addWidget(self.word)
        health.addStretch(1)
        foot = QHBoxLayout()
        foot.setSpacing(scale.gap_px)
        foot.addStretch(1)
        for button in self.buttons:
            foot.addWidget(button, stretch=2)
        foot.addStretch(1)
        layout = QVBoxLayout(self)
        edge = scale.px(4)
        layout.setContentsMargins(edge, edge, edge, edge)
        layout.setSpacing(scale.gap_px)
        layout.addStretch(2)
        centred = Qt.AlignmentFlag.AlignCenter
        layout.addWidget(self.clock, alignment=centred)
        layout.addLayout(health)
        layout.addWidget(self._counts, alignment=centred)
        layout.addStretch(1)
        layout.addWidget(PlainLabel("dim", tr("Touch to wake")), alignment=centred)
        layout.addStretch(2)
        layout.addLayout(foot)

    def show_state(self, idle: IdleState, clock: str) -> None:
        """Draw `idle`; `clock` is the time of day."""
        colours = {
            HealthKind.OK: theme.GREEN,
            HealthKind.ATTENTION: theme.AMBER,
            HealthKind.DANGER: theme.RED,
        }
        shape = "tick" if idle.kind is HealthKind.OK else "wrench"
        self._sign.setPixmap(self._icons.pixmap(shape, colours[idle.kind], self._scale.px(WORD_MM)))
        restyle(self.word, "kind", idle.kind.value)
        self.clock.setText(clock)
        self.word.setText(idle.word)
        self._counts.setText(f"{idle.urgent}   ·   {idle.waiting}")
        self.night.say(tr("Day") if theme.is_night() else tr("Night"))
        self.setAccessibleName(f"{clock}. {idle.word}. {idle.urgent}. {idle.waiting}.")

    def has_button_at(self, place: QPoint) -> bool:
        """Whether a button lies under this place on the screen."""
        return any(button.rect().contains(button.mapFromGlobal(place)) for button in self.buttons)
