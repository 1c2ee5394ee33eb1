# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two pages behind a PIN: the device for service, today's rejects for the lead."""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QScroller,
    QVBoxLayout,
    QWidget,
)

from ui import theme
from ui.icons import Icons
from ui.labels import PlainLabel
from ui.language import tr
from ui.large_button import LargeButton
from ui.service_state import EchoLine, Fact, RejectState
from ui.theme import LARGE_TOUCH_MM, Scale


class _BehindPin(QFrame):
    """A heading with the way out, and rows that scroll."""

    lock_wanted = pyqtSignal()

    def __init__(self, title: str, scale: Scale) -> None:
        super().__init__()
        lock = LargeButton(tr("Lock"), scale, low=True)
        lock.setMaximumWidth(scale.px(2 * LARGE_TOUCH_MM))
        lock.clicked.connect(self.lock_wanted)
        head = QHBoxLayout()
        head.setSpacing(scale.gap_px)
        head.addWidget(lock)
        head.addWidget(PlainLabel("message_title", title), stretch=1)
        self._deeds = QHBoxLayout()
        self._deeds.setSpacing(scale.gap_px)
        self._inside = QWidget()
        self._layout = QVBoxLayout(self._inside)
        self._layout.setContentsMargins(0, 0, 0, 0)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidget(self._inside)
        QScroller.grabGesture(scroll.viewport(), QScroller.ScrollerGestureType.TouchGesture)
        layout = QVBoxLayout(self)
        edge = scale.px(4)
        layout.setContentsMargins(edge, edge, edge, edge)
        layout.setSpacing(scale.gap_px)
        layout.addLayout(head)
        layout.addLayout(self._deeds)
        layout.addWidget(scroll, stretch=1)
        self._rows: QWidget | None = None

    def _new_grid(self, scale: Scale) -> QGridLayout:
        """An empty table in the place of the old one."""
        if self._rows is not None:
            self._layout.removeWidget(self._rows)
            self._rows.hide()
            self._rows.deleteLater()
        self._rows = QWidget()
        self._layout.insertWidget(0, self._rows, alignment=Qt.AlignmentFlag.AlignTop)
        grid = QGridLayout(self._rows)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(scale.px(4))
        grid.setVerticalSpacing(scale.px(2))
        return grid


class ServicePage(_BehindPin):
    """How the device is called, and whether its receivers answer."""

    echo_wanted = pyqtSignal()
    back_wanted = pyqtSignal()
    first_run_wanted = pyqtSignal()

    def __init__(self, scale: Scale, icons: Icons) -> None:
        super().__init__(tr("Service"), scale)
        self._scale = scale
        self._icons = icons
        self.echo = LargeButton(tr("Test connections"), scale, low=True)
        self.echo.clicked.connect(self.echo_wanted)
        self._deeds.addWidget(self.echo, stretch=1)
        self.set_up = LargeButton(tr("Set up anew"), scale, low=True)
        self.set_up.clicked.connect(self.first_run_wanted)
        self._deeds.addWidget(self.set_up, stretch=1)
        self.back = LargeButton("", scale, low=True)
        self.back.clicked.connect(self.back_wanted)
        self.back.hide()
        self._deeds.addWidget(self.back, stretch=1)
        self._shown: object = None

    def show_way_back(self, version: str | None, *, asked: bool, trouble: str = "") -> None:
        """The button to the software that ran before; None: there is none. `asked`: it was tapped."""
        self.back.setVisible(version is not None)
        self.back.setEnabled(not asked)
        self.back.say(
            trouble or (tr("Going back…") if asked else tr("Back to {version}", version=version or ""))
        )

    def show_state(self, facts: tuple[Fact, ...], peers: tuple[EchoLine, ...], *, busy: bool) -> None:
        """Draw it. `busy`: the receivers are being asked."""
        self.echo.setEnabled(bool(peers) and not busy)
        self.echo.say(tr("Testing…") if busy else tr("Test connections"))
        if (facts, peers, theme.is_night()) == self._shown:
            return
        self._shown = (facts, peers, theme.is_night())
        grid = self._new_grid(self._scale)
        grid.setColumnStretch(1, 2)
        grid.setColumnStretch(2, 5)
        for row, fact in enumerate(facts):
            grid.addWidget(PlainLabel("dim", fact.title), row, 0, 1, 2)
            grid.addWidget(PlainLabel("detail", fact.value, wrap=True), row, 2)
        row = len(facts)
        grid.addWidget(
            PlainLabel("title", tr("Receivers") if peers else tr("No receiver is set")), row, 0, 1, 3
        )
        signs = {True: ("tick", theme.GREEN), False: ("wrench", theme.AMBER), None: ("dash", theme.GREY)}
        for index, peer in enumerate(peers, start=row + 1):
            sign = QLabel()
            sign.setTextFormat(Qt.TextFormat.PlainText)
            sign.setPixmap(self._icons.pixmap(*signs[peer.answered], self._scale.px(5)))
            grid.addWidget(sign, index, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(PlainLabel("detail", peer.peer, wrap=True), index, 1, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(PlainLabel("detail", peer.words, wrap=True), index, 2, Qt.AlignmentFlag.AlignTop)


class LeadPage(_BehindPin):
    """Today's rejects by view and reason."""

    def __init__(self, scale: Scale) -> None:
        super().__init__(tr("Reject figures of today"), scale)
        self._scale = scale
        self._shown: object = ()

    def show_state(self, rejects: RejectState | None, trouble: str = "") -> None:
        """Draw the figures; None: they are being counted, or `trouble` says why there are none."""
        if (rejects, trouble) == self._shown:
            return
        self._shown = (rejects, trouble)
        grid = self._new_grid(self._scale)
        grid.setColumnStretch(2, 1)
        if rejects is None:
            grid.addWidget(PlainLabel("detail", trouble or tr("Counting…"), wrap=True), 0, 0)
            return
        grid.addWidget(PlainLabel("title", rejects.total, wrap=True), 0, 0, 1, 4)
        for column, title in enumerate((tr("View"), tr("Decision"), tr("Reason"), tr("Images"))):
            grid.addWidget(PlainLabel("dim", title), 1, column)
        for row, line in enumerate(rejects.lines, start=2):
            for column, text in enumerate((line.view, line.choice, line.reason, str(line.count))):
                grid.addWidget(PlainLabel("detail", text, wrap=column == 2), row, column)
