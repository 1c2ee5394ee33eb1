# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The real watcher on a data folder of its own, looked at from outside: life, memory, and where it writes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

from appliance.clock import NS_PER_S, SystemClock
from appliance.layout import Layout
from appliance.store.connection import Database

LOOK_S: Final = 0.2
START_S: Final = 120.0
QUICK: Final = {
    "SCANSIDE__LISTENER__ENABLED": "false",
    "SCANSIDE__INTAKE__TRUNCATED_AFTER_S": "2",
    "SCANSIDE__INTAKE__SERIES_QUIET_S": "2",
    "SCANSIDE__INTAKE__RESCAN_INTERVAL_S": "1",
}
_WRITES: Final = re.compile(
    r'(?:openat\([^,]+, "(?P<opened>(?:[^"\\]|\\.)*)", [^)]*O_(?:WRONLY|RDWR|CREAT)'
    r'|(?:mkdir|unlink|rmdir|creat|chmod|truncate)\("(?P<one>(?:[^"\\]|\\.)*)"'
    r'|(?:rename|link|symlink)\("(?:[^"\\]|\\.)*", "(?P<to>(?:[^"\\]|\\.)*)"'
    r'|(?:mkdirat|unlinkat|renameat2?|linkat|symlinkat)\(.*"(?P<last>(?:[^"\\]|\\.)*)")'
)
"""Calls that make, change or remove something, as strace writes them."""
_HARMLESS: Final = re.compile(r"/dev/null|/proc/.*|/dev/shm/sem\..*|/dev/tty")
TRACED: Final = (
    "openat,open,creat,mkdir,mkdirat,unlink,unlinkat,rmdir,rename,renameat,renameat2,link,linkat,symlink,"
    "symlinkat,truncate,chmod"
)


@dataclass(slots=True)
class Watched:
    """A watcher that runs."""

    layout: Layout
    process: psutil.Process
    trace: Path | None
    peaks_bytes: dict[str, int] = field(default_factory=lambda: {"watcher": 0, "jail": 0})
    jails: set[int] = field(default_factory=set)
    """Process ids of the jails seen: more than one, and some file ended one."""

    def is_alive(self) -> bool:
        """The same process that was started."""
        return bool(self.process.is_running() and self.process.status() != psutil.STATUS_ZOMBIE)

    def look(self) -> None:
        """Note the largest memory so far."""
        try:
            children = self.process.children()
            self._peak("watcher", self.process)
            for child in children:
                self.jails.add(child.pid)
                self._peak("jail", child)
        except psutil.NoSuchProcess:
            return

    def _peak(self, what: str, process: psutil.Process) -> None:
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii", errors="replace")
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        if found is not None:
            self.peaks_bytes[what] = max(self.peaks_bytes[what], 1024 * int(found[1]))

    def rows(self) -> list[tuple[str, str, str]]:
        """Source, status and reason of every file that was settled."""
        with Database.open_to_read(
            self.layout.database, data=self.layout.data, clock=SystemClock()
        ) as database:
            return [
                (str(source), str(status), str(reason or ""))
                for source, status, reason in database.read("SELECT source, status, reason FROM file")
            ]

    def settled(self) -> int:
        """Files that were dealt with; one that says what another said has no row of its own."""
        with Database.open_to_read(
            self.layout.database, data=self.layout.data, clock=SystemClock()
        ) as database:
            return int(database.read("SELECT count(*) + coalesce(sum(repeats), 0) FROM file")[0][0])

    def wait_until_settled(self, count: int, *, limit_s: float, progress: Callable[[int], None]) -> bool:
        """Until so many files are settled; False when it did not come to that."""
        clock = SystemClock()
        until_ns = clock.monotonic_ns() + round(limit_s * NS_PER_S)
        while clock.monotonic_ns() < until_ns and self.is_alive():
            self.look()
            settled = self.settled()
            progress(settled)
            if settled >= count:
                return True
            clock.sleep(LOOK_S)
        return False

    def written_outside(self) -> list[str]:
        """Paths outside the data folder that it made, changed or removed. Only where it was traced."""
        if self.trace is None:
            return []
        inside = str(self.layout.data)
        found = set()
        for line in self.trace.read_text(encoding="utf-8", errors="replace").splitlines():
            match = _WRITES.search(line)
            if match is None or (line.rstrip().endswith(")") and " = -1 " in line):
                continue
            path = next(text for text in match.groups() if text is not None)
            if path.startswith("/") and not path.startswith(inside) and not _HARMLESS.fullmatch(path):
                found.add(path)
        return sorted(found)


@contextmanager
def watched_watcher(data: Path, *, traced: bool) -> Iterator[Watched]:
    """Start the watcher on `data`, wait until it has a store; end it at the end."""
    layout = Layout(data=data.resolve())
    layout.create()
    trace = data.parent / "trace" if traced and shutil.which("strace") else None
    strace = ["strace", "-f", "-qq", "-o", str(trace), "-e", f"trace={TRACED}"] if trace else []
    program = [sys.executable, "-m", "appliance.processes", "watcher", "--data", str(layout.data)]
    environment = {**os.environ, **QUICK, "PYTHONDONTWRITEBYTECODE": "1"}
    with (data.parent / "watcher.log").open("wb") as log:
        started = subprocess.Popen(
            strace + program, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
        )
    try:
        yield Watched(layout=layout, process=_watcher_of(started, layout, traced=bool(trace)), trace=trace)
    finally:
        own = psutil.Process(started.pid)
        for process in (*own.children(), own) if trace else (own,):
            process.terminate()
        started.wait(60)


def _watcher_of(started: subprocess.Popen[bytes], layout: Layout, *, traced: bool) -> psutil.Process:
    clock = SystemClock()
    until_ns = clock.monotonic_ns() + round(START_S * NS_PER_S)
    while clock.monotonic_ns() < until_ns and started.poll() is None:
        process = psutil.Process(started.pid)
        found = process.children()[:1] if traced else [process]
        if found and layout.database.exists() and (layout.run / "watcher.beat").exists():
            return found[0]
        clock.sleep(LOOK_S)
    raise RuntimeError(
        f"The watcher did not start: {(layout.data.parent / 'watcher.log').read_text()[-3000:]}"
    )
