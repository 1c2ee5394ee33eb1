# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is on the screen (left) and how the device is (right): always there, always in the same place."""

from __future__ import annotations

from typing import Final

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout

from ui import theme
from ui.health_state import HealthKind, HealthState
from ui.icons import Icons
from ui.labels import ElidedLabel, FittedLabel, PlainLabel, restyle
from ui.language import apart, tr
from ui.patient_state import PatientState
from ui.theme import Scale

WORD_HEIGHT_MM: Final = 4.4
BRIEF_WORD_WIDTH_MM: Final = 22.0
"""Of the word about the device, on a small panel."""


class PatientBar(QFrame):
    """Name, exam, side, age, birth date and ID: two lines, and on a small panel three."""

    def __init__(self, scale: Scale, *, brief: bool) -> None:
        super().__init__()
        self._brief = brief
        self._name = ElidedLabel("name")
        self._exam = ElidedLabel("detail" if brief else "title")
        self._side = PlainLabel("side")
        self._details = ElidedLabel("caption" if brief else "detail")
        first = QHBoxLayout()
        first.setSpacing(scale.px(4))
        first.addWidget(self._name, stretch=5)
        if not brief:
            first.addWidget(self._exam, stretch=3)
        layout = QVBoxLayout(self)
        edge = 0 if brief else scale.px(1.6)
        layout.setContentsMargins(0, edge, 0, edge)
        layout.setSpacing(0 if brief else scale.px(0.4))
        layout.addLayout(first)
        second = QHBoxLayout()
        second.setSpacing(scale.px(4))
        if brief:  # the name has a line of its own: cut short, two patients would read alike
            second.addWidget(self._exam, stretch=1)
            second.addWidget(self._side)
            layout.addLayout(second)
            layout.addWidget(self._details)
            return
        second.addWidget(self._details, stretch=1)
        first.addWidget(self._side)
        layout.addLayout(second)

    def show_state(self, patient: PatientState | None) -> None:
        """Draw who it is; None clears the line."""
        if patient is None:
            for label in (self._name, self._exam, self._side, self._details):
                label.setText("")
            return
        self._name.setText(apart(patient.name))
        self._exam.setText(apart(patient.exam))
        self._side.setText(patient.side)
        restyle(self._side, "role", "side" if patient.side_given else "side_missing")
        parts = (patient.sex_age, patient.birth_date, apart(patient.patient_id))
        self._details.setText(" · ".join(parts) if self._brief else "   ·   ".join(parts))


class HealthBar(QPushButton):
    """One word with a sign, one line of advice or of figures, and the clock. A tap opens the device page."""

    def __init__(self, scale: Scale, icons: Icons, *, brief: bool) -> None:
        super().__init__()
        self.setProperty("role", "health_bar")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMinimumSize(scale.touch_px, scale.touch_px)
        self._scale = scale
        self._icons = icons
        self._brief = brief
        self._sign = QLabel()
        self._sign.setTextFormat(Qt.TextFormat.PlainText)
        self._word = FittedLabel("health") if brief else PlainLabel("health")
        self._clock = PlainLabel("title")
        self._line = ElidedLabel("caption")
        self._line.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._line.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        first = QHBoxLayout()
        first.setSpacing(scale.px(2))
        first.addStretch()
        first.addWidget(self._sign)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(scale.px(0.4))
        layout.addLayout(first)
        if brief:  # the same width whatever the word: a long one takes nothing from the patient's name
            self._word.setFixedWidth(scale.px(BRIEF_WORD_WIDTH_MM))
            self._word.setAlignment(self._line.alignment())
            first.addWidget(self._clock)
            layout.addWidget(self._word)
        else:
            first.addWidget(self._word)
            first.addSpacing(scale.px(2))
            first.addWidget(self._clock)
        layout.addWidget(self._line)
        self._line.setVisible(not brief)
        for label in (self._sign, self._word, self._clock, self._line):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)

    def sizeHint(self) -> QSize:
        """As large as what it shows, and never smaller than a finger."""
        layout = self.layout()
        return super().sizeHint() if layout is None else layout.sizeHint().expandedTo(self.minimumSize())

    def minimumSizeHint(self) -> QSize:
        """As its layout."""
        return self.sizeHint()

    def show_state(self, health: HealthState | None, clock: str) -> None:
        """Draw the device's state; `clock` is the time of day."""
        self._clock.setText(clock)
        if health is None:
            restyle(self._word, "kind", "attention")
            self._say(tr("STARTING"))
            self._line.setText("")
            self._sign.clear()
            return
        colours = {
            HealthKind.OK: theme.GREEN,
            HealthKind.ATTENTION: theme.AMBER,
            HealthKind.DANGER: theme.RED,
        }
        shape = "tick" if health.kind is HealthKind.OK else "wrench"
        stale = bool(health.stale)
        colour = theme.DIM if stale and health.kind is HealthKind.OK else colours[health.kind]
        self._sign.setPixmap(self._icons.pixmap(shape, colour, self._scale.px(5)))
        restyle(self._word, "kind", "stale" if stale and health.kind is HealthKind.OK else health.kind.value)
        self._say(health.word)
        parts = (health.queue, health.proof, health.last_result, health.engine, health.disk)
        figures = "  ·  ".join(part for part in parts if part)
        words = "  ·  ".join(part for part in (health.stale, health.advice or figures) if part)
        self._line.setText(words)
        role = "caption" if health.kind is HealthKind.OK and not stale else "caption_amber"
        restyle(self._line, "role", role)
        self.setAccessibleName(
            tr("Device: {state}. {details}. {figures}", state=health.word, details=words, figures=figures)
        )

    def _say(self, word: str) -> None:
        if isinstance(self._word, FittedLabel):
            self._word.show_fitted(word, self._scale.px(WORD_HEIGHT_MM))
        else:
            self._word.setText(word)


class TopBar(QFrame):
    """Patient and device side by side."""

    def __init__(self, scale: Scale, icons: Icons, *, brief: bool) -> None:
        super().__init__()
        self.setProperty("role", "bar")
        self.patient = PatientBar(scale, brief=brief)
        self.health = HealthBar(scale, icons, brief=brief)
        self.layout_row = QHBoxLayout(self)
        self.layout_row.setContentsMargins(
            scale.px(3), 0, scale.px(3), 0
        )  # the health area is the whole height
        self.layout_row.setSpacing(scale.px(4))
        self.layout_row.addWidget(self.patient, stretch=3)
        self.layout_row.addWidget(self.health, stretch=0 if brief else 2)
