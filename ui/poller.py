# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the store beside the screen: one thread, read-only, and only when something has changed.

The screen gets whole readings (`BoardRecord`) or the words for why there are none (`StoreTrouble`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, Protocol

from PyQt6.QtCore import QObject, pyqtSignal

from appliance.clock import NS_PER_S, Clock
from appliance.errors import ScansideError
from ui.records import BoardRecord, StoreTrouble

REFRESH_S: Final = 5.0
"""Health is read again this often even when no row has changed: silence is news, too."""


class BoardSource(Protocol):
    """An open store, seen from the screen. Used by one thread."""

    def changed(self) -> bool:
        """Whether another process has committed since the last look. Must be cheap: a page read."""

    def read(self) -> BoardRecord:
        """The newest exams and the device's health. Raises ScansideError."""

    def close(self) -> None:
        """Let go of the store."""


class Poller(QObject):
    """Emits a reading whenever the store has changed; keeps trying while it cannot be read."""

    board_read = pyqtSignal(object)
    """A BoardRecord."""
    failed = pyqtSignal(object)
    """A StoreTrouble; at the start of the trouble, not at every look."""

    def __init__(self, open_source: Callable[[], BoardSource], clock: Clock, *, interval_s: float) -> None:
        super().__init__()
        self._open_source = open_source
        self._clock = clock
        self._interval_s = interval_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="store-poller")

    def start(self) -> None:
        """Begin reading."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; returns when it has ended."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        source: BoardSource | None = None
        trouble: StoreTrouble | None = None
        read_ns: int | None = None
        while not self._stop.is_set():
            try:
                source = source or self._open_source()
                due = read_ns is None or self._clock.monotonic_ns() - read_ns >= REFRESH_S * NS_PER_S
                if source.changed() or due or trouble is not None:
                    board = source.read()
                    read_ns, trouble = self._clock.monotonic_ns(), None
                    self.board_read.emit(board)
            except ScansideError as error:
                if source is not None:
                    source.close()
                    source = None
                if trouble is None or (trouble.what, trouble.remedy) != (error.what, error.remedy):
                    since = trouble.since_ns if trouble else self._clock.monotonic_ns()
                    trouble = StoreTrouble(what=error.what, remedy=error.remedy, since_ns=since)
                    self.failed.emit(trouble)
            self._stop.wait(self._interval_s)
        if source is not None:
            source.close()
