# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The kiosk on a data folder, in another process and without a display: when it painted whose verdict."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Condition, Thread
from typing import IO, Final

from appliance.clock import NS_PER_S, Clock

UP_TIMEOUT_S: Final = 60.0
PAINTED_TIMEOUT_S: Final = 60.0
RULES: Final = "default.warning=false;qt.text.font.db=false"
"""Qt speaks of fonts that have no part in a measurement."""
LOOK_S: Final = 0.5
"""How often the end of the waiting is looked for; a message wakes at once."""


class NotPaintedError(RuntimeError):
    """The kiosk ended, or did not paint in time."""


class PaintWatch:
    """What the kiosk has told so far. A thread reads it, so that its pipe is never full."""

    def __init__(self, said: IO[bytes], clock: Clock) -> None:
        self._said = said
        self._clock = clock
        self._news = Condition()
        self._painted_ns: dict[str, int] = {}
        self._is_up = self._has_ended = False

    def listen(self) -> None:
        """Until the kiosk ends."""
        for line in self._said:
            words = json.loads(line)
            with self._news:
                self._is_up = True
                if "exam" in words:
                    self._painted_ns.setdefault(words["exam"], int(words["painted_ns"]))
                self._news.notify_all()
        with self._news:
            self._has_ended = True
            self._news.notify_all()

    def wait_until_up(self) -> None:
        """Until it has read the store once. Raises NotPaintedError."""
        self._wait(lambda: self._is_up, UP_TIMEOUT_S, "show its window")

    def painted_ns(self, acquisition_id: str, *, timeout_s: float = PAINTED_TIMEOUT_S) -> int:
        """When the exam's verdict was first on the screen, monotonic. Raises NotPaintedError."""
        self._wait(lambda: acquisition_id in self._painted_ns, timeout_s, f"paint {acquisition_id}")
        return self._painted_ns[acquisition_id]

    def _wait(self, holds: Callable[[], bool], timeout_s: float, what: str) -> None:
        until_ns = self._clock.monotonic_ns() + round(timeout_s * NS_PER_S)
        with self._news:
            while not holds():
                if self._has_ended or self._clock.monotonic_ns() > until_ns:
                    raise NotPaintedError(f"The kiosk did not {what} within {timeout_s:g} s.")
                self._news.wait(LOOK_S)


def can_paint() -> bool:
    """Whether the kiosk's packages are installed."""
    return importlib.util.find_spec("PyQt6") is not None


@contextmanager
def watched_kiosk(data: Path, clock: Clock, *, newest: bool = False) -> Iterator[PaintWatch]:
    """Start it on `data` and wait until its window is up. Raises NotPaintedError.

    `newest`: the newest exam is always the open one.
    """
    command = [sys.executable, "-m", "ui.paint_watch", str(data), *(["--newest"] if newest else [])]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_LOGGING_RULES": RULES}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        watch = PaintWatch(process.stdout, clock)
        listener = Thread(target=watch.listen, name="paint watch")
        listener.start()
        try:
            watch.wait_until_up()
            yield watch
        finally:
            process.stdin.close()  # it ends with its input
            listener.join()


@contextmanager
def kiosk_on(data: Path, clock: Clock, *, wanted: bool) -> Iterator[PaintWatch | None]:
    """The screen of an appliance that is being measured, its newest exam open.

    None: it is not wanted, or not installed.
    """
    if not (wanted and can_paint()):
        yield None
        return
    with watched_kiosk(data, clock, newest=True) as kiosk:
        yield kiosk
