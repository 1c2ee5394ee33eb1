# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies over every page: the line that nobody can miss, the grey of old data, what to read."""

from __future__ import annotations

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from ui.gap_page import GapPage
from ui.notice_state import Notice
from ui.notice_strip import Greying, NoticeStrip
from ui.theme import Scale
from ui.view_state import BoardState


class SafetyLayer(QObject):
    """One for the window. `dated`: widgets that lose their colour with age."""

    exam_wanted = pyqtSignal(str)

    def __init__(
        self,
        scale: Scale,
        pages: QStackedWidget,
        dated: tuple[QWidget, ...],
        *,
        slim_on: QWidget | None = None,
        not_on: QWidget | None = None,
    ) -> None:
        """`slim_on`: the page that has no room for the button; `not_on`: one without room for the line."""
        super().__init__(pages)
        self.strip = NoticeStrip(scale)
        self.page = GapPage(scale)
        self.greying = Greying(*dated)
        self._pages = pages
        self._before: QWidget | None = None
        pages.addWidget(self.page)
        self._slim_on, self._not_on = slim_on, not_on
        self._notice: Notice | None = None
        pages.setMinimumHeight(1)  # else every page's room is that of the largest one
        pages.currentChanged.connect(self._follow_page)
        self._follow_page()
        self.strip.gap_wanted.connect(self._show_page)
        self.page.back_wanted.connect(self._leave_page)
        self.page.exam_wanted.connect(self._open)

    def column(self) -> QVBoxLayout:
        """The strip, and the pages under it."""
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.strip)
        column.addWidget(self._pages, stretch=1)
        return column

    def show_state(self, state: BoardState) -> None:
        """Draw what holds for the whole screen."""
        self._notice = state.notice
        self._follow_page()
        self.page.show_state(state.gap)
        self.greying.grey(old=state.health is not None and bool(state.health.stale))

    def _follow_page(self) -> None:
        page = self._pages.currentWidget()
        self.strip.set_slim(slim=self._slim_on is not None and page is self._slim_on)
        nowhere = self._not_on is not None and page is self._not_on
        self.strip.show_state(None if nowhere else self._notice)

    def _show_page(self) -> None:
        if self._pages.currentWidget() is not self.page:
            self._before = self._pages.currentWidget()
            self._pages.setCurrentWidget(self.page)

    def _leave_page(self) -> None:
        if self._before is not None:
            self._pages.setCurrentWidget(self._before)

    def _open(self, exam_id: str) -> None:
        self._leave_page()
        self.exam_wanted.emit(exam_id)
