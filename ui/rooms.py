# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the rooms have beside the common screen: the wall, the day, the views side by side.

Plugged into the window by one line and fed by another, so that the common screen knows none of it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Final

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QVBoxLayout

from appliance.clock import NS_PER_S
from appliance.domain.fair_order import NO_CEILING_S
from appliance.store.opinions import Act
from ui.clinic_day import DayBar, ScoreBand
from ui.day_state import DayState, day_state, score_of
from ui.icons import Icons
from ui.language import RIGHT_TO_LEFT, language, tr
from ui.records import BoardRecord
from ui.reveal_state import Reveal
from ui.study_state import SideView, StudyState, study_state
from ui.study_views import SidePicture, StudyBar, study_button
from ui.theme import Scale
from ui.toolbar import ToolButton
from ui.wall_board import WallBoard
from ui.wall_state import Column, WallAttention, wall_state
from ui.wording import clock_time

if TYPE_CHECKING:
    from ui.image_view import ImageView
    from ui.toolbar import Toolbar
    from ui.top_bar import TopBar
    from ui.view_state import BoardState, Profile
    from ui.worklist_panel import WorklistPanel

BIG_ROWS: Final = 1.15
"""Rows of the rural list against those at a scanner: read standing, and by people without their glasses."""
BIG_FROM_MM: Final = 120.0
"""Height of the panel from which larger rows still leave three of them on the screen."""


def list_scale(profile: Profile, scale: Scale, height_px: int) -> Scale:
    """The scale of the worklist's rows in this room."""
    is_big = profile == "rural" and height_px / scale.px_per_mm >= BIG_FROM_MM
    return Scale(px_per_mm=scale.px_per_mm * BIG_ROWS) if is_big else scale


class Rooms(QObject):
    """Holds what people did at these pages, asks the pure functions, and has the answers drawn."""

    opened = pyqtSignal(str)
    seen = pyqtSignal(str)
    """A person has opened the exam or called it seen."""
    touched = pyqtSignal()
    next_wanted = pyqtSignal()

    def __init__(self, profile: Profile, scale: Scale, icons: Icons, *, compact: bool) -> None:
        super().__init__()
        self._profile = profile
        self._scale = scale
        self._icons = icons
        self.wall = WallBoard(scale, icons, compact=compact) if profile == "fracture" else None
        self.day = DayBar(scale) if profile == "rural" else None
        self.bar = StudyBar(scale, compact=compact)
        self.bar.hide()
        self.side = SidePicture(scale)
        self.side.hide()
        self.score = ScoreBand(scale, icons) if profile == "rural" else None
        if self.score is not None:
            self.bar.row.insertWidget(0, self.score, stretch=2)
        self.next = study_button(scale, tr("Next unread exam"), self.next_wanted)
        self.next.setText(tr("NEXT"))
        self.next_wanted.connect(self._next)
        self._seen: set[str] = set()
        self._reveal = Reveal.AT_ONCE
        self._ceiling_s = NO_CEILING_S
        self._shown: tuple[tuple[str, Column], ...] = ()
        self._touched_ns: int | None = None
        self._touch_is_new = False
        self._last: tuple[BoardRecord, BoardState, int, datetime] | None = None
        self._study: StudyState | None = None
        self._day: DayState | None = None
        self._wants_prior = False
        self._other = 0
        self.bar.prior_wanted.connect(self._turn_prior)
        self.bar.other_wanted.connect(self._turn_other)
        self.bar.seen_wanted.connect(self._see_open)
        self.side.touched.connect(self.touched)
        if self.wall is not None:
            self.wall.opened.connect(self._open)
            self.wall.seen.connect(self.mark_seen)
            self.wall.settle_wanted.connect(self._settle)
            self.wall.touched.connect(self._touch)

    def plug_in(self, middle: QVBoxLayout, row: QHBoxLayout, image: ImageView, toolbar: Toolbar) -> None:
        """Take the places above and beside the picture; follow its tools."""
        middle.insertWidget(0, self.bar)
        row.addWidget(self.side, stretch=1)
        image.changed.connect(lambda: self.side.follow(image.tools))
        toolbar.pressed.connect(self.side.use)

    def add_way_back(self, bar: TopBar, show_list: Callable[[], None]) -> None:
        """From the picture to the wall or the list."""
        sign = "back_rtl" if language() in RIGHT_TO_LEFT else "back"
        back = ToolButton("back", sign, tr("List"), self._scale, self._icons)
        back.setFixedWidth(self._scale.touch_px)
        back.clicked.connect(lambda _checked: show_list())
        bar.layout_row.insertWidget(0, back)
        for button in (self.next, self.bar.seen):
            bar.layout_row.insertWidget(2, button)

    def add_day(self, column: QVBoxLayout, worklist: WorklistPanel) -> None:
        """The clinic's day instead of the list's own heading."""
        if self.day is not None:
            column.addWidget(self.day)
            worklist.heading.hide()

    def take(
        self,
        board: BoardRecord | None,
        state: BoardState,
        *,
        now_ns: int,
        now_utc: datetime,
        reveal: Reveal = Reveal.AT_ONCE,
        ceiling_s: float = NO_CEILING_S,
    ) -> None:
        """A new reading or a new second."""
        if board is None:
            return
        self._reveal = reveal
        self._ceiling_s = ceiling_s
        self._seen |= {exam.entry.acquisition_id for exam in board.exams if exam.deed(Act.SEEN) is not None}
        self._last = board, state, now_ns, now_utc
        self._draw()

    def stop(self) -> None:
        """End what is done beside the screen's own thread."""
        if self.wall is not None:
            self.wall.thumbnails.stop()

    def mark_seen(self, exam_id: str) -> None:
        """One exam, never all of them."""
        self._touch()
        if exam_id not in self._seen:
            self._seen.add(exam_id)
            self.seen.emit(exam_id)
        self._draw()

    # Drawing

    def _draw(self) -> None:
        if self._last is None:
            return
        board, state, now_ns, now_utc = self._last
        if self._touch_is_new:
            self._touched_ns, self._touch_is_new = now_ns, False
        if self.wall is not None:
            untouched_s = None if self._touched_ns is None else (now_ns - self._touched_ns) / NS_PER_S
            attention = WallAttention(seen=frozenset(self._seen), shown=self._shown, untouched_s=untouched_s)
            wall = wall_state(board, attention, now_ns=now_ns, reveal=self._reveal, ceiling_s=self._ceiling_s)
            self._shown = tuple((card.exam_id, card.column) for card in wall.cards)
            self.wall.show_state(wall, clock_time(now_utc))
            self.wall.show_health(state.health)
        open_id = state.selected.exam_id if state.selected is not None else None
        if self.day is not None:
            self._day = day_state(
                board,
                tuple(row.exam_id for row in state.rows),
                opened=open_id,
                seen=self._seen,
                now_utc=now_utc,
            )
            self.day.show_state(self._day)
        self._draw_study(board, open_id, now_ns)

    def _draw_study(self, board: BoardRecord, open_id: str | None, now_ns: int) -> None:
        before = self._study
        self._study = study_state(board, open_id, now_ns=now_ns) if open_id is not None else None
        if before is None or self._study is None or before.exam_id != self._study.exam_id:
            self._wants_prior, self._other = False, 0
        side = self._beside()
        self.side.show_side(side)
        self.bar.seen.setVisible(self.wall is not None and open_id is not None and open_id not in self._seen)
        self.next.setVisible(self._day is not None and self._day.next_exam_id is not None)
        exam = next((each for each in board.exams if each.entry.acquisition_id == open_id), None)
        if self.score is not None and exam is not None:
            self.score.show_state(score_of(exam))
        self.bar.show_state(self._study, side)
        if self.score is not None:
            self.bar.show()

    def _beside(self) -> SideView | None:
        study = self._study
        if study is None:
            return None
        if self._wants_prior and study.prior is not None:
            return study.prior
        if self._profile == "fracture" and study.others:
            return study.others[self._other % len(study.others)]
        return None

    # What is tapped

    def _turn_prior(self) -> None:
        self.touched.emit()
        self._wants_prior = not self._wants_prior
        self._draw()

    def _turn_other(self) -> None:
        self.touched.emit()
        self._other = 0 if self._wants_prior else self._other + 1
        self._wants_prior = False
        self._draw()

    def _see_open(self) -> None:
        if self._study is not None:
            self.mark_seen(self._study.exam_id)

    def _next(self) -> None:
        """The open exam is dealt with; the next unread one opens."""
        self._see_open()
        if self._day is not None and self._day.next_exam_id is not None:
            self.opened.emit(self._day.next_exam_id)

    def _open(self, exam_id: str) -> None:
        self.mark_seen(exam_id)
        self.opened.emit(exam_id)

    def _touch(self) -> None:
        self._touch_is_new = True
        self.touched.emit()

    def _settle(self) -> None:
        self._touched_ns, self._touch_is_new = None, False
        self._draw()
