# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""By name, the exams that came while the AI could not be trusted: a person reads them without it."""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QScrollArea, QScroller, QVBoxLayout, QWidget

from ui.labels import ElidedLabel, PlainLabel
from ui.language import tr
from ui.proof_state import GapRow
from ui.theme import Scale
from ui.verdict_panel import empty


class GapPage(QFrame):
    """A list to work off: a tap opens the exam."""

    exam_wanted = pyqtSignal(str)
    back_wanted = pyqtSignal()

    def __init__(self, scale: Scale) -> None:
        super().__init__()
        self._scale = scale
        self._shown: tuple[GapRow, ...] | None = None
        inside = QWidget()
        self._rows = QVBoxLayout(inside)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(scale.gap_px)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        QScroller.grabGesture(scroll.viewport(), QScroller.ScrollerGestureType.TouchGesture)
        scroll.setWidget(inside)
        back = QPushButton(tr("Back"))
        back.setFixedHeight(scale.touch_px)
        back.setAccessibleName(tr("Back"))
        back.clicked.connect(self.back_wanted)
        layout = QVBoxLayout(self)
        margin = scale.px(4)
        layout.setContentsMargins(margin, scale.gap_px, margin, scale.gap_px)
        layout.setSpacing(scale.gap_px)
        layout.addWidget(ElidedLabel("message_title", tr("Read these exams without AI")))
        layout.addWidget(ElidedLabel("dim", tr("For these the AI gave no sure answer.")))
        layout.addWidget(scroll, stretch=1)
        layout.addWidget(back)

    def show_state(self, rows: tuple[GapRow, ...]) -> None:
        """Draw the list, newest first."""
        if rows == self._shown:
            return
        self._shown = rows
        empty(self._rows)
        if not rows:
            self._rows.addWidget(PlainLabel("detail", tr("The AI works again. Nothing is open here.")))
        for row in rows:
            self._rows.addWidget(self._button(row))
        self._rows.addStretch(1)

    def _button(self, row: GapRow) -> QPushButton:
        button = QPushButton()
        button.setFixedHeight(self._scale.touch_px)
        button.setAccessibleName(f"{row.name}. {row.exam}. {row.landed}")
        layout = QHBoxLayout(button)
        layout.setContentsMargins(self._scale.px(3), 0, self._scale.px(3), 0)
        layout.setSpacing(self._scale.gap_px)
        for role, text, stretch in (
            ("title", row.name, 3),
            ("detail", row.exam, 2),
            ("title", row.landed, 1),
        ):
            label = ElidedLabel(role, text)
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            layout.addWidget(label, stretch=stretch)
        button.clicked.connect(lambda _checked, exam_id=row.exam_id: self.exam_wanted.emit(exam_id))
        return button
