# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings readings, time and touches together and gives the window a new state when there is one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from appliance.clock import NS_PER_S, Clock
from appliance.domain.fair_order import NO_CEILING_S
from appliance.monitor.service_manager import tell_alive, tell_ready
from appliance.store.decisions import Choice
from appliance.store.opinions import Act
from ui.advice_words import reason_in_words
from ui.commands import Command, DeedCommand, Pending
from ui.deadline_ring import RingTimer
from ui.device_presenter import DevicePresenter
from ui.device_reader import DeviceReader
from ui.guard import Guard
from ui.kiosk import KioskWindow
from ui.language import tr
from ui.notice_state import POLLER_SILENT_S
from ui.painted_times import PaintedTimes
from ui.poller import BoardSource, DecisionCommand, Poller
from ui.records import BoardRecord, StoreTrouble
from ui.reveal_state import Reveal
from ui.undo_state import LastDecision
from ui.view_state import Attention, BoardState, board_state
from ui.wording import clock_time

TICK_MS: Final = 1000
"""Waiting times are shown in seconds."""


class KioskController(QObject):
    """One window on one store. `start`, then `stop` before it is dropped."""

    first_painted = pyqtSignal(str, object)
    """An exam's verdict is on the screen for the first time: exam_id, monotonic ns of the painting."""

    def __init__(  # noqa: PLR0913  (all that one screen is made of)
        self,
        window: KioskWindow,
        open_source: Callable[[], BoardSource],
        clock: Clock,
        *,
        interval_s: float,
        exam_id: str | None = None,
        reveal: Reveal = Reveal.AT_ONCE,
        ceiling_s: float = NO_CEILING_S,
        device: DeviceReader | None = None,
        guard: Guard | None = None,
    ) -> None:
        super().__init__()
        self._window = window
        self._guard = guard
        if guard is not None:
            guard.changed.connect(self.refresh)
        self._clock = clock
        self._board: BoardRecord | None = None
        self._trouble: StoreTrouble | None = None
        self._selected = exam_id
        self._touched_ns: int | None = None
        self._order: tuple[str, ...] = ()
        self._pending: DecisionCommand | None = None
        self._not_saved = ""
        self._written: DecisionCommand | None = None
        self._last_decision: LastDecision | None = None
        self.painted = PaintedTimes(clock.monotonic_ns())
        self.ring = RingTimer(window.verdict.ring, clock, self.refresh)
        self._taps = Pending()
        self._ended = False
        self._reveal = reveal
        self._ceiling_s = ceiling_s
        self.state: BoardState | None = None
        self.poller = Poller(open_source, clock, interval_s=interval_s)
        self.poller.board_read.connect(self.take_board)
        self.poller.failed.connect(self.take_trouble)
        self.poller.saved.connect(self._note_saved)
        self.poller.not_saved.connect(self._tell_not_saved)
        self._device = DevicePresenter(window.device, window.visit, device)
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self.refresh)
        self._timer.timeout.connect(lambda: tell_alive("showing"))
        window.exam_opened.connect(self._open)
        window.settle_wanted.connect(self._settle)
        window.touched.connect(self._touch)
        window.decided.connect(self._decide)
        window.verdict_painted.connect(self._note_painted)
        window.tapped.connect(self._tap)
        window.rooms.seen.connect(self._see)

    @property
    def selected(self) -> str | None:
        """The exam on the screen; None while there is none."""
        return self._selected

    def start(self) -> None:
        """Begin reading and drawing."""
        self.poller.start()
        self._timer.start()
        self.refresh()
        tell_ready()

    def stop(self) -> None:
        """End the threads and the timer."""
        self._ended = True
        self._timer.stop()
        self.ring.stop()
        self.poller.stop()
        self._window.rooms.stop()
        self._device.stop()

    def take_board(self, board: BoardRecord) -> None:
        """A new reading."""
        self._board, self._trouble = board, None
        self._forget_saved()
        self._taps.forget_saved(board.exams)
        self.refresh()

    def take_trouble(self, trouble: StoreTrouble) -> None:
        """The store cannot be read: what is on the screen stays, dated."""
        self._trouble = trouble
        self.refresh()

    def refresh(self) -> None:
        """Compute the state for now and draw it; what was still on its way at the end is dropped."""
        if self._ended:
            return
        silent_s = self.poller.silent_s()
        now_ns = self._clock.monotonic_ns()
        untouched_s = None if self._touched_ns is None else (now_ns - self._touched_ns) / NS_PER_S
        state = board_state(
            self._board,
            trouble=self._trouble,
            attention=Attention(
                selected_exam_id=self._selected,
                shown_order=self._order,
                untouched_s=untouched_s,
                last_decision=self._last_decision,
                painted=self.painted,
            ),
            now_ns=now_ns,
            reveal=self._reveal,
            poller_silent_s=silent_s,
            ceiling_s=self._ceiling_s,
        )
        self.state = state
        self._order = tuple(row.exam_id for row in state.rows)
        if state.selected is not None:
            self._selected = state.selected.exam_id  # what a person looks at never changes by itself
        self._device.take(self._board, trouble=self._trouble, health=state.health, now_ns=now_ns)
        clock = clock_time(self._clock.now_utc())
        shown = state if self._guard is None else self._guard.shown(state)
        self._window.rooms.take(
            self._board,
            state,
            now_ns=now_ns,
            now_utc=self._clock.now_utc(),
            reveal=self._reveal,
            ceiling_s=self._ceiling_s,
        )
        self._window.show_state(shown, clock=clock, notice=self._notice(state))
        if self._guard is not None:
            self._guard.draw(shown, clock)
        self.ring.follow(state.selected.deadline if state.selected else None)
        if silent_s > POLLER_SILENT_S:
            self.poller.revive()

    def _notice(self, state: BoardState) -> str:
        exam_id = state.selected.exam_id if state.selected else None
        waiting, why = self._taps.notice(exam_id)
        if why:
            return tr("Not saved. {why}", why=reason_in_words(why))
        if self._pending is None or self._pending.exam_id != exam_id:
            return tr("Saving…") if waiting else ""
        return self._not_saved or tr("Saving…")

    def _forget_saved(self) -> None:
        """A decision that was written before this reading is no longer pending."""
        if self._pending is not None and self._pending is self._written:
            self._pending = None

    def _note_saved(self, command: DecisionCommand) -> None:
        self._written = command

    def _note_painted(self, exam_id: str) -> None:
        now_ns = self._clock.monotonic_ns()
        if self.painted.note(self._board, exam_id, now_ns):  # the receipt itself comes with the next second
            self.first_painted.emit(exam_id, now_ns)

    def _touch(self) -> None:
        self._touched_ns = self._clock.monotonic_ns()

    def _open(self, exam_id: str) -> None:
        self.painted.opened(self._board, exam_id)
        self._selected = exam_id
        self.refresh()
        self._see(exam_id)

    def _see(self, exam_id: str) -> None:
        """A person has looked at this exam, or says so: kept, once for each version."""
        for exam in self._board.exams if self._board is not None else ():
            if exam.entry.acquisition_id == exam_id and exam.deed(Act.SEEN) is None:
                self._tap(DeedCommand(exam_id=exam_id, version=exam.entry.version, act=Act.SEEN))

    def _tap(self, command: Command) -> None:
        self._touch()
        self._taps.add(command)
        self.poller.decide(command)
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
        self._last_decision = LastDecision(
            exam_id=exam_id, version=version, choice=Choice(choice), decided_ns=self._clock.monotonic_ns()
        )
        self.poller.decide(self._pending)
        self.refresh()

    def _tell_not_saved(self, command: DecisionCommand | Command, why: str) -> None:
        self._taps.failed(command, why)
        if command is self._pending:
            self._last_decision = None  # there is nothing to take back
            self._not_saved = tr("Not saved. {why}", why=reason_in_words(why))
        self.refresh()
