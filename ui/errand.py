# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One slow thing at a time beside the screen: a hash, an echo over the network, a count in the store."""

from __future__ import annotations

import threading
from collections.abc import Callable

from PyQt6.QtCore import QObject, pyqtSignal


class Errand(QObject):
    """Runs a function on a thread and tells its result. `stop` before it is dropped."""

    done = pyqtSignal(object)
    """What the function returned; nothing where it broke off or had nothing to say."""

    _returned = pyqtSignal(object)

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._ends = threading.Event()
        self._thread: threading.Thread | None = None
        self._returned.connect(self._deliver)  # across threads: runs where this object lives

    @property
    def is_busy(self) -> bool:
        """Its result has not been told yet."""
        return self._thread is not None

    def run(self, work: Callable[[Callable[[], bool]], object]) -> bool:
        """Begin, unless one is on its way: then False. `work` is given a function that says to give up."""
        if self.is_busy or self._ends.is_set():
            return False
        self._thread = threading.Thread(target=self._do, args=(work,), name=self._name)
        self._thread.start()
        return True

    def stop(self) -> None:
        """Have it give up; returns when it has ended."""
        self._ends.set()
        if self._thread is not None:
            self._thread.join()

    def _do(self, work: Callable[[Callable[[], bool]], object]) -> None:
        result = None
        try:
            result = work(self._ends.is_set)
        finally:  # a fault of the software is the log's; the screen must not wait for it for ever
            self._returned.emit(result)

    def _deliver(self, result: object) -> None:
        if self._ends.is_set() or self._thread is None:
            return
        self._thread.join()  # it has nothing left to do
        self._thread = None
        if result is not None:
            self.done.emit(result)
