# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks.faults.held_interpreter DATA`: the real watcher, whose interpreter somebody hogs.

While the file `hog` lies in the data folder, a thread of the same process holds the interpreter's lock:
the thread that reads the kernel's queue of file events comes to its turn two or three times a second.
How often the kernel said that its queue ran over is written to `overflows`: proof that the fault was there.
"""

from __future__ import annotations

import logging
import signal
import sys
from collections import deque
from pathlib import Path
from threading import Event, Thread
from typing import Final

from appliance.clock import SystemClock
from appliance.config import load_settings
from appliance.layout import Layout
from appliance.logs import start_logs
from appliance.processes.watcher import run_watcher

HOG_FILE: Final = "hog"
OVERFLOWS_FILE: Final = "overflows"
HELD: Final = 20_000_000
"""Numbers counted in one call of C, which lets no other thread in: a third of a second or more."""
LOOK_S: Final = 0.02


class _Overflows(logging.Handler):
    """Counts what the observer says of a queue that ran over."""

    def __init__(self, file: Path) -> None:
        super().__init__(level=logging.WARNING)
        self._file, self._count = file, 0

    def emit(self, record: logging.LogRecord) -> None:
        if "overflow" in record.getMessage().lower():
            self._count += 1
            self._file.write_text(str(self._count), encoding="ascii")


def hog(file: Path, stop: Event) -> None:
    """Hold the interpreter's lock for as long as the file is there."""
    while not stop.is_set():
        if not file.exists():
            stop.wait(LOOK_S)
            continue
        deque(range(HELD), maxlen=0)


def main(data: str) -> None:
    """The process."""
    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    layout = Layout(data=Path(data).resolve())
    layout.create()
    start_logs("watcher")
    observer = logging.getLogger("watchdog.observers.inotify_c")  # the appliance keeps libraries silent
    observer.setLevel(logging.WARNING)
    observer.propagate = False
    observer.addHandler(_Overflows(layout.data / OVERFLOWS_FILE))
    hogging = Thread(target=hog, args=(layout.data / HOG_FILE, stop))
    hogging.start()
    try:
        run_watcher(load_settings(None), layout, SystemClock(), stop)
    finally:
        stop.set()
        hogging.join()


if __name__ == "__main__":
    main(sys.argv[1])
