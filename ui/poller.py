# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the store beside the screen: one thread, and only when something has changed.

The screen gets whole readings (`BoardRecord`) or the words for why there are none (`StoreTrouble`). A
person's decision is written from this thread, too: a flush to the disk never holds up the screen.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from PyQt6.QtCore import QObject, pyqtSignal

from appliance.clock import NS_PER_S, Clock
from appliance.errors import ScansideError
from appliance.store.decisions import Choice
from ui.advice_words import NOT_TAKEN, TRIED_AGAIN
from ui.commands import Command
from ui.records import BoardRecord, StoreTrouble

REFRESH_S: Final = 5.0
"""Health is read again this often even when no row has changed: silence is news, too."""


class BoardSource(Protocol):
    """An open store, seen from the screen. Used by one thread."""

    def changed(self) -> bool:
        """Whether another process has committed since the last look. Must be cheap: a page read."""

    def read(self) -> BoardRecord:
        """The newest exams and the device's health. Raises ScansideError."""

    def decide(self, exam_id: str, version: int, choice: Choice, reason: str | None) -> None:
        """Write a person's decision down, durably. Raises ScansideError."""

    def write(self, command: Command) -> None:
        """Write any other tap down, durably. Raises ScansideError."""

    def close(self) -> None:
        """Let go of the store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionCommand:
    """One tap of a person, on its way to the store."""

    exam_id: str
    version: int
    """What they were looking at."""
    choice: Choice
    reason: str | None


class Poller(QObject):
    """Emits a reading whenever the store has changed; keeps trying while it cannot be read."""

    board_read = pyqtSignal(object)
    """A BoardRecord."""
    failed = pyqtSignal(object)
    """A StoreTrouble; at the start of the trouble, not at every look."""
    saved = pyqtSignal(object)
    """A DecisionCommand that has been written; the next reading shows it."""
    not_saved = pyqtSignal(object, str)
    """A DecisionCommand or another Command that could not be written, and why, in words."""

    def __init__(self, open_source: Callable[[], BoardSource], clock: Clock, *, interval_s: float) -> None:
        super().__init__()
        self._open_source = open_source
        self._clock = clock
        self._interval_s = interval_s
        self._wake = threading.Event()
        self._ends = False
        self._commands: queue.SimpleQueue[DecisionCommand | Command] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="store-poller")
        self._source: BoardSource | None = None
        self._trouble: StoreTrouble | None = None
        self._read_ns: int | None = None

    def start(self) -> None:
        """Begin reading."""
        self._thread.start()

    def decide(self, command: DecisionCommand | Command) -> None:
        """Have a decision, or another tap, written, soon."""
        self._commands.put(command)
        self._wake.set()

    def stop(self) -> None:
        """Write what is still to be written and end the thread; returns when it has ended."""
        self._ends = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._ends:
            self._look()
            self._wake.wait(self._interval_s)
            self._wake.clear()
        self._write_decisions()
        self._close()

    def _look(self) -> None:
        try:
            if self._source is None:
                self._source = self._open_source()
                self._read_ns = None
            self._write_decisions()
            now_ns = self._clock.monotonic_ns()
            due = self._read_ns is None or now_ns - self._read_ns >= REFRESH_S * NS_PER_S
            if self._source.changed() or due:
                board = self._source.read()
                self._read_ns, self._trouble = self._clock.monotonic_ns(), None
                self.board_read.emit(board)
        except ScansideError as error:
            self._close()
            self._report(error.what, error.remedy)
        except Exception as error:  # noqa: BLE001  this process's one catch-all: a thread that died would leave
            self._close()  # an old board on the screen that looks like a new one
            self._report(f"The store cannot be read ({error}).", TRIED_AGAIN)

    def _report(self, what: str, remedy: str) -> None:
        before = self._trouble
        if before is not None and (before.what, before.remedy) == (what, remedy):
            return
        since_ns = before.since_ns if before is not None else self._clock.monotonic_ns()
        self._trouble = StoreTrouble(what=what, remedy=remedy, since_ns=since_ns)
        self.failed.emit(self._trouble)

    def _write_decisions(self) -> None:
        while self._source is not None and not self._commands.empty():
            command = self._commands.get()
            why = NOT_TAKEN
            try:
                if isinstance(command, DecisionCommand):
                    self._source.decide(command.exam_id, command.version, command.choice, command.reason)
                else:
                    self._source.write(command)
                why = ""
                self.saved.emit(command)
            except ScansideError as error:
                why = str(error)
            finally:
                if why:  # whatever went wrong, the person hears that it is not written down
                    self.not_saved.emit(command, why)

    def _close(self) -> None:
        if self._source is not None:
            self._source.close()
            self._source = None
