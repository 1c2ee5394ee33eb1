# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The banner over the card of an urgent exam: tell the physician, and say that it is done."""

from __future__ import annotations

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from appliance.store.opinions import Act
from ui.commands import DeedCommand
from ui.labels import ElidedLabel, PlainLabel, restyle
from ui.language import tr
from ui.opinion_row import answer_button
from ui.theme import Scale
from ui.urgent_state import Telling, UrgentState


class UrgentBanner(QFrame):
    """What to do, for how long nobody did it, and one tap each for "told" and "escalate"."""

    tapped = pyqtSignal(object)
    """A DeedCommand."""

    def __init__(self, scale: Scale, *, compact: bool) -> None:
        super().__init__()
        self._compact = compact
        self.setProperty("role", "urgent")
        self._shown: UrgentState | None = None
        self._title = ElidedLabel("urgent_brief") if compact else PlainLabel("urgent_title", wrap=True)
        self._detail = PlainLabel("urgent_detail", wrap=True)
        self.told = answer_button(tr("Told"), scale)
        self.escalate = answer_button(tr("Escalate"), scale)
        self.told.clicked.connect(lambda: self._did(Act.TOLD))
        self.escalate.clicked.connect(lambda: self._did(Act.ESCALATED))
        buttons = QHBoxLayout()
        buttons.setSpacing(scale.gap_px)
        buttons.addWidget(self.told)
        buttons.addWidget(self.escalate)
        layout = QVBoxLayout(self)
        edge = scale.px(0.9 if compact else 2.4)  # a 7 inch panel shows the two buttons without scrolling
        layout.setContentsMargins(scale.px(2.4), edge, scale.px(2.4), edge)
        layout.setSpacing(scale.px(0.6 if compact else 1.2))
        layout.addWidget(self._title)
        layout.addWidget(self._detail)
        layout.addLayout(buttons)
        self.hide()

    def show_state(self, urgent: UrgentState | None) -> None:
        """Draw it; None: not there."""
        if urgent == self._shown:
            return
        self._shown = urgent
        self.setVisible(urgent is not None)
        if urgent is None:
            return
        for widget in (self, self._title, self._detail):
            restyle(widget, "kind", urgent.kind.value)
        self._title.setText(urgent.brief if self._compact else urgent.title)
        self._detail.setText(urgent.detail)
        self._detail.setVisible(not self._compact)
        self.told.setVisible(urgent.kind is not Telling.TOLD)
        self.escalate.setVisible(urgent.kind in {Telling.TELL, Telling.LATE})
        self.told.setAccessibleName(tr("The physician has been told"))
        self.escalate.setAccessibleName(tr("Escalate: nobody could be told"))
        self.setAccessibleName(f"{urgent.title}. {urgent.detail}")

    def _did(self, act: Act) -> None:
        if self._shown is not None:
            self.tapped.emit(DeedCommand(exam_id=self._shown.exam_id, version=self._shown.version, act=act))
