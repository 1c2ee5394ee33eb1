# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings readings, time and touches together and gives the window a new state when there is one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PyQt6.QtCore import QObject, QTimer

from appliance.clock import NS_PER_S, Clock
from appliance.store.decisions import Choice
from ui.kiosk import KioskWindow
from ui.plain_text import LONGEST_SENTENCE, visible
from ui.poller import BoardSource, DecisionCommand, Poller
from ui.records import BoardRecord, StoreTrouble
from ui.view_state import Attention, BoardState, board_state
from ui.wording import clock_time

TICK_MS: Final = 1000
"""Waiting times are shown in seconds."""


class KioskController(QObject):
    """One window on one store. `start`, then `stop` before it is dropped."""

    def __init__(
        self,
        window: KioskWindow,
        open_source: Callable[[], BoardSource],
        clock: Clock,
        *,
        interval_s: float,
        exam_id: str | None = None,
    ) -> None:
        super().__init__()
        self._window = window
        self._clock = clock
        self._board: BoardRecord | None = None
        self._trouble: StoreTrouble | None = None
        self._selected = exam_id
        self._touched_ns: int | None = None
        self._order: tuple[str, ...] = ()
        self._pending: DecisionCommand | None = None
        self._not_saved = ""
        self.state: BoardState | None = None
        self.poller = Poller(open_source, clock, interval_s=interval_s)
        self.poller.board_read.connect(self.take_board)
        self.poller.failed.connect(self.take_trouble)
        self.poller.not_saved.connect(self._tell_not_saved)
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self.refresh)
        window.exam_opened.connect(self._open)
        window.settle_wanted.connect(self._settle)
        window.touched.connect(self._touch)
        window.decided.connect(self._decide)

    def start(self) -> None:
        """Begin reading and drawing."""
        self.poller.start()
        self._timer.start()
        self.refresh()

    def stop(self) -> None:
        """End the thread and the timer."""
        self._timer.stop()
        self.poller.stop()

    def take_board(self, board: BoardRecord) -> None:
        """A new reading."""
        self._board, self._trouble = board, None
        self._forget_saved()
        self.refresh()

    def take_trouble(self, trouble: StoreTrouble) -> None:
        """The store cannot be read: what is on the screen stays, dated."""
        self._trouble = trouble
        self.refresh()

    def refresh(self) -> None:
        """Compute the state for now and draw it."""
        now_ns = self._clock.monotonic_ns()
        untouched_s = None if self._touched_ns is None else (now_ns - self._touched_ns) / NS_PER_S
        state = board_state(
            self._board,
            trouble=self._trouble,
            attention=Attention(
                selected_exam_id=self._selected, shown_order=self._order, untouched_s=untouched_s
            ),
            now_ns=now_ns,
        )
        self.state = state
        self._order = tuple(row.exam_id for row in state.rows)
        if state.selected is not None:
            self._selected = state.selected.exam_id  # what a person looks at never changes by itself
        self._window.rooms.take(self._board, state, now_ns=now_ns, now_utc=self._clock.now_utc())
        self._window.show_state(state, clock=clock_time(self._clock.now_utc()), notice=self._notice(state))

    def _notice(self, state: BoardState) -> str:
        exam_id = state.selected.exam_id if state.selected else None
        if self._pending is None or self._pending.exam_id != exam_id:
            return ""
        return self._not_saved or "Saving…"

    def _forget_saved(self) -> None:
        """A decision that the store shows is no longer pending."""
        if self._pending is None or self._board is None:
            return
        for exam in self._board.exams:
            decision = exam.decision
            if exam.entry.acquisition_id != self._pending.exam_id or decision is None:
                continue
            if (decision.choice, decision.reason) == (self._pending.choice, self._pending.reason):
                self._pending = None
                return

    def _touch(self) -> None:
        self._touched_ns = self._clock.monotonic_ns()

    def _open(self, exam_id: str) -> None:
        self._selected = exam_id
        self.refresh()

    def _settle(self) -> None:
        self._touched_ns = None
        self.refresh()

    def _decide(self, exam_id: str, version: int, choice: str, reason: str) -> None:
        self._touch()
        self._not_saved = ""
        self._pending = DecisionCommand(
            exam_id=exam_id, version=version, choice=Choice(choice), reason=reason or None
        )
        self.poller.decide(self._pending)
        self.refresh()

    def _tell_not_saved(self, command: DecisionCommand, why: str) -> None:
        if command is self._pending:
            self._not_saved = visible(f"Not saved. {why}", limit=LONGEST_SENTENCE)
            self.refresh()
