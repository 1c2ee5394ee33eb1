# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fracture wall: figures for the room above, three columns of cards below."""

from __future__ import annotations

from typing import Final

from PyQt6.QtCore import QEvent, QObject, Qt, pyqtSignal
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QScroller,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ui import theme
from ui.health_state import HealthKind, HealthState
from ui.icons import Icons
from ui.labels import ElidedLabel, PlainLabel, restyle
from ui.language import tr
from ui.theme import Scale
from ui.thumbnails import Thumbnails
from ui.wall_card import CardWidget, sized, wall_button
from ui.wall_state import Column, WallCard, WallState

FIGURE_CAP_MM: Final = 9.0
"""The figures on a wall panel: read from 3 m (3 mm of capital per metre)."""
SMALL_CAP_MM: Final = 4.5
"""On a panel that is no wall: from 1.5 m, and one whole card stays on a 7 inch screen."""
THUMBNAIL_PX: Final = 256


class _Figure(QFrame):
    """A large figure and what it is."""

    def __init__(self, scale: Scale, *, compact: bool) -> None:
        super().__init__()
        self._scale = scale
        self._compact = compact
        self.value = PlainLabel("wall")
        self.caption = ElidedLabel("wall")
        sized(self.caption, 2.1 if compact else 3.0, scale, colour=theme.DIM)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for label in (self.value, self.caption):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            layout.addWidget(label)

    def show_figure(self, value: str, caption: str, colour: str = theme.TEXT) -> None:
        """Draw it; the caption says the same as the colour."""
        cap_mm = SMALL_CAP_MM if self._compact else FIGURE_CAP_MM
        sized(self.value, cap_mm, self._scale, colour=colour, weight=600)
        self.value.setText(value)
        self.caption.setText(caption)


class _WideButton(QPushButton):
    """A line of words that ends in "…" where the button ends."""

    def __init__(self, scale: Scale) -> None:
        super().__init__()
        self.setProperty("role", "wall")
        self.setFixedHeight(scale.touch_px)
        self.setMinimumWidth(scale.touch_px)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def say(self, words: str) -> None:
        """Show `words`, as many as there is room for."""
        self.setAccessibleName(words)
        room = self.width() - self.height() // 3
        self.setText(self.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, room))

    def resizeEvent(self, a0: QResizeEvent | None) -> None:
        """More room, more words."""
        super().resizeEvent(a0)
        self.say(self.accessibleName())


class _ColumnPanel(QFrame):
    """A title with a count, and cards that scroll."""

    opened = pyqtSignal(str)
    seen = pyqtSignal(str)
    touched = pyqtSignal()

    def __init__(self, title: str, scale: Scale, icons: Icons, *, compact: bool) -> None:
        super().__init__()
        self.setProperty("role", "column")
        self._scale, self._icons, self._compact = scale, icons, compact
        self._name = title
        self._title = ElidedLabel("wall")
        sized(self._title, 2.8 if compact else 4.2, scale, weight=600)
        self.cards: list[CardWidget] = []
        inside = QWidget()
        self._list = QVBoxLayout(inside)
        self._list.setContentsMargins(0, 0, 0, 0)
        self._list.setSpacing(scale.gap_px)
        self._list.addStretch(1)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setAccessibleName(title)
        self.area.setWidget(inside)
        viewport = self.area.viewport()
        if viewport is not None:
            viewport.installEventFilter(self)
        QScroller.grabGesture(viewport, QScroller.ScrollerGestureType.TouchGesture)
        layout = QVBoxLayout(self)
        edge = scale.px(1 if compact else 2)
        layout.setContentsMargins(edge, edge, edge, 0)
        layout.setSpacing(scale.px(1))
        layout.addWidget(self._title)
        layout.addWidget(self.area, stretch=1)

    def eventFilter(self, a0: QObject | None, a1: QEvent | None) -> bool:
        """A finger on the column: cards stay where they are."""
        del a0
        presses = {QEvent.Type.MouseButtonPress, QEvent.Type.TouchBegin, QEvent.Type.Wheel}
        if a1 is not None and a1.type() in presses:
            self.touched.emit()
        return False

    def show_cards(self, cards: tuple[WallCard, ...], thumbnails: Thumbnails) -> None:
        """Draw them in this order; widgets stay, so that the place in the scroll stays, too."""
        self._title.setText(f"{self._name}  {len(cards)}")
        while len(self.cards) < len(cards):
            widget = CardWidget(self._scale, self._icons, compact=self._compact)
            widget.opened.connect(self.opened)
            widget.seen.connect(self.seen)
            self.cards.append(widget)
            self._list.insertWidget(self._list.count() - 1, widget)
        for widget, card in zip(self.cards, cards, strict=False):
            widget.show_card(card, thumbnails.image(card.picture))
            widget.setVisible(True)
        for widget in self.cards[len(cards) :]:
            widget.setVisible(False)


class WallBoard(QFrame):
    """The whole page. Reports what was tapped; moves nothing by itself."""

    opened = pyqtSignal(str)
    seen = pyqtSignal(str)
    settle_wanted = pyqtSignal()
    touched = pyqtSignal()

    def __init__(self, scale: Scale, icons: Icons, *, compact: bool) -> None:
        super().__init__()
        self._shown: WallState | None = None
        self.thumbnails = Thumbnails(THUMBNAIL_PX, self)
        self.thumbnails.ready.connect(self._draw_cards)
        self.figures = {
            name: _Figure(scale, compact=compact) for name in ("waiting", "longest", "ai", "speed", "clock")
        }
        figures = QHBoxLayout()
        figures.setSpacing(scale.gap_px)
        for figure in self.figures.values():
            figures.addWidget(figure, stretch=1)
        self.device = _WideButton(scale)
        self.device.setProperty("role", "wall_fault")
        self.device.hide()
        self.oldest = _WideButton(scale)
        self.arrivals = wall_button("", scale)
        self.arrivals.setProperty("role", "arrivals")
        self.oldest.clicked.connect(self._open_oldest)
        self.arrivals.clicked.connect(self.settle_wanted)
        bars = QHBoxLayout()
        bars.setSpacing(scale.gap_px)
        bars.addWidget(self.oldest, stretch=3)
        bars.addWidget(self.arrivals, stretch=1)
        titles = {
            Column.LOOK_NOW: tr("Look now"),
            Column.WAITING: tr("Waiting"),
            Column.SEEN: tr("Seen"),
        }
        self.columns = {
            column: _ColumnPanel(title, scale, icons, compact=compact) for column, title in titles.items()
        }
        row = QHBoxLayout()
        row.setSpacing(scale.gap_px)
        for panel in self.columns.values():
            panel.opened.connect(self.opened)
            panel.seen.connect(self.seen)
            panel.touched.connect(self.touched)
            row.addWidget(panel, stretch=1)
        layout = QVBoxLayout(self)
        edge = scale.px(1.5 if compact else 3)
        layout.setContentsMargins(edge, edge, edge, edge // 3)
        layout.setSpacing(scale.px(1 if compact else 2))
        layout.addLayout(figures)
        layout.addWidget(self.device)
        layout.addLayout(bars)
        layout.addLayout(row, stretch=1)

    def show_state(self, state: WallState, clock: str) -> None:
        """Draw the wall; `clock` is the time of day."""
        heading = state.heading
        self._shown = state
        self.figures["waiting"].show_figure(heading.waiting, tr("waiting"))
        self.figures["longest"].show_figure(heading.longest, tr("longest wait"))
        ai_colour = theme.TEXT if heading.ai_runs else theme.AMBER
        self.figures["ai"].show_figure(heading.ai, heading.ai_words, ai_colour)
        self.figures["speed"].show_figure(heading.speed, tr("per image"))
        self.figures["clock"].show_figure(clock, tr("time"))
        self.oldest.setVisible(state.oldest is not None)
        if state.oldest is not None:
            self.oldest.say(_oldest_words(state.oldest, heading.ceiling))
        self.arrivals.setText(state.arrivals)
        self.arrivals.setAccessibleName(tr("{arrivals}: show them", arrivals=state.arrivals))
        self.arrivals.setVisible(bool(state.arrivals))
        self._draw_cards()

    def show_health(self, health: HealthState | None) -> None:
        """A line about the device, as long as there is something to say; a tap opens its page."""
        silent = health is None or (health.kind is HealthKind.OK and not health.stale)
        self.device.setVisible(not silent)
        if health is None or silent:
            return
        kind = HealthKind.ATTENTION if health.kind is HealthKind.OK else health.kind
        restyle(self.device, "kind", kind.value)
        fault = "" if health.kind is HealthKind.OK else health.word
        self.device.say("  ·  ".join(part for part in (fault, health.stale, health.advice) if part))

    def _draw_cards(self) -> None:
        if self._shown is not None:
            for column, panel in self.columns.items():
                panel.show_cards(self._shown.column(column), self.thumbnails)

    def _open_oldest(self) -> None:
        if self._shown is not None and self._shown.oldest is not None:
            self.opened.emit(self._shown.oldest.exam_id)


def _oldest_words(oldest: WallCard, ceiling: str) -> str:
    """Who has waited longest, and for how long nobody should: first, as the end may not fit."""
    if not ceiling:
        return tr(
            "Oldest unread: {exam}, {who}, {time}", exam=oldest.exam, who=oldest.who, time=oldest.waiting
        )
    return tr(
        "Oldest unread {time}, ceiling {ceiling}: {exam}, {who}",
        time=oldest.waiting,
        ceiling=ceiling,
        exam=oldest.exam,
        who=oldest.who,
    )
