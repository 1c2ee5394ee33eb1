# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""10,000 files into a tree of 20,000 folders: is every one noticed, how soon, and after an overflow, too?

The appliance's folder door runs in a process of its own (`watched_tree`), which this one can stop for a
moment: then the kernel's queue of events overflows (fs.inotify.max_queued_events), and only the listing of
the folders can find what came.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Condition, Thread
from typing import IO, Any, Final

import numpy as np

from appliance.clock import NS_PER_MS, NS_PER_S, Clock
from benchmarks.appliance_run import MeasuringError
from benchmarks.plan import Workshop
from benchmarks.spread import Spread, spread_of

FOLDERS_IN_ONE: Final = 100
ISOLATED: Final = 500
"""Files that come alone, GAP_S apart."""
GAP_S: Final = 0.01
PATIENCE_S: Final = 120.0
SETTLES_S: Final = 3.0
"""No new word for so long: no more will come."""
QUEUE_LIMIT: Final = Path("/proc/sys/fs/inotify/max_queued_events")
SEED: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchReport:
    """What the folder door saw."""

    folders: int
    files: int
    by_events: bool
    """False: the system's limits allow no events for so many folders; it lists them."""
    ready_s: float
    """From the start of the process until it tells of a first file."""
    isolated_ms: Spread | None
    """From before the rename to the word of it, one file at a time. None: no events."""
    burst_ms: Spread | None
    """The same, all the others as fast as they can be written."""
    events_missed: int
    """Files that no event told of."""
    missed: int
    """Files that a listing afterwards did not find either."""
    overflow_files: int
    """Written while the door stood still; 0 in a quick run."""
    overflow_told: int
    """Of those, how many an event told of afterwards: the rest had been dropped by the kernel."""
    overflow_missed: int
    """Of those, how many a listing did not find either."""
    listing_s: float
    """One listing of the whole tree, all files in it unsettled."""


class _Door:
    """The other process, and what it has said."""

    def __init__(self, process: subprocess.Popen[bytes], clock: Clock) -> None:
        self._process = process
        self._clock = clock
        self._news = Condition()
        self.told_ns: dict[str, int] = {}
        self.listed: set[str] = set()
        self._answers = 0
        self.by_events: bool | None = None

    def listen(self, said: IO[bytes]) -> None:
        """Until it ends."""
        for line in said:
            words: dict[str, Any] = json.loads(line)
            with self._news:
                if "told" in words:
                    self.told_ns.setdefault(words["told"], words["at_ns"])
                elif "listed" in words:
                    self.listed = set(words["listed"])
                    self._answers += 1
                else:
                    self.by_events = bool(words["ready"])
                self._news.notify_all()

    def wait_until_ready(self) -> None:
        """Its watches are set."""
        self._wait(lambda: self.by_events is not None, "watch the tree")

    def wait_for_word_of(self, name: str) -> None:
        """That file was told of; where there are no events, nothing is waited for."""
        if self.by_events:
            self._wait(lambda: name in self.told_ns, f"tell of {name}")

    def list_folders(self) -> float:
        """Have it list everything; returns the seconds that took."""
        answers, start_ns = self._answers, self._clock.monotonic_ns()
        assert self._process.stdin is not None
        self._process.stdin.write(b"list\n")
        self._process.stdin.flush()
        self._wait(lambda: self._answers > answers, "list the tree")
        return (self._clock.monotonic_ns() - start_ns) / NS_PER_S

    def wait_until_silent(self) -> None:
        """No word for a while."""
        count, since_ns = len(self.told_ns), self._clock.monotonic_ns()
        while self._clock.monotonic_ns() - since_ns < SETTLES_S * NS_PER_S:
            self._clock.sleep(GAP_S)
            if len(self.told_ns) != count:
                count, since_ns = len(self.told_ns), self._clock.monotonic_ns()

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """It gets no processor during the block."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def _wait(self, holds: Any, what: str) -> None:
        with self._news:
            if not self._news.wait_for(holds, PATIENCE_S):
                raise MeasuringError(f"The folder door did not {what} within {PATIENCE_S:g} s.")


def measure_watching(workshop: Workshop) -> WatchReport:
    """Make the tree, watch it, and write. Raises MeasuringError."""
    plan, clock = workshop.plan, workshop.clock
    workshop.say(f"watching: making {plan.watched_folders:,} folders")
    folders = _make_tree(workshop.folder / "tree", plan.watched_folders)
    start_ns = clock.monotonic_ns()
    with _door(workshop.folder / "tree", clock) as door:
        door.wait_until_ready()
        writer = _Writer(folders, clock)
        writer.write("probe", 1)
        door.wait_for_word_of("probe-0.dcm")
        ready_s = (clock.monotonic_ns() - start_ns) / NS_PER_S
        workshop.say(f"watching: {plan.watched_files:,} files")
        isolated = writer.write("alone", min(ISOLATED, plan.watched_files), gap_s=GAP_S)
        burst = writer.write("burst", plan.watched_files - len(isolated))
        door.wait_until_silent()
        listing_s = door.list_folders()
        written = {**isolated, **burst}
        told = dict(door.told_ns)
        unseen = [name for name in written if name not in told and name not in door.listed]
        workshop.say("watching: an overflow of the kernel's queue")
        with door.standing_still():
            dropped = writer.write("overflow", _beyond_the_queue() if plan.overflows else 0)
        door.wait_until_silent()
        door.list_folders()
        return WatchReport(
            folders=plan.watched_folders,
            files=len(written),
            by_events=bool(door.by_events),
            ready_s=round(ready_s, 2),
            isolated_ms=_delivery(isolated, told),
            burst_ms=_delivery(burst, told),
            events_missed=sum(name not in told for name in written),
            missed=len(unseen),
            overflow_files=len(dropped),
            overflow_told=sum(name in door.told_ns for name in dropped),
            overflow_missed=sum(name not in door.told_ns and name not in door.listed for name in dropped),
            listing_s=round(listing_s, 2),
        )


def _make_tree(root: Path, count: int) -> list[Path]:
    made = []
    for number in range(count):
        folder = root / f"{number // FOLDERS_IN_ONE:04d}" / f"{number % FOLDERS_IN_ONE:02d}"
        folder.mkdir(parents=True)
        made.append(folder)
    return made


@contextmanager
def _door(folder: Path, clock: Clock) -> Iterator[_Door]:
    command = [sys.executable, "-m", "benchmarks.pieces.watched_tree", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        door = _Door(process, clock)
        listener = Thread(target=door.listen, args=(process.stdout,), name="folder door")
        listener.start()
        try:
            yield door
        finally:
            process.kill()
            listener.join()


class _Writer:
    """Writes small files beside and renames them into place, into folders drawn at random."""

    def __init__(self, folders: list[Path], clock: Clock) -> None:
        self._folders = folders
        self._clock = clock
        self._random = np.random.default_rng(SEED)

    def write(self, kind: str, count: int, *, gap_s: float = 0.0) -> dict[str, int]:
        """Name to the time before its rename, monotonic ns."""
        at_ns = {}
        for number, place in enumerate(self._random.integers(0, len(self._folders), count)):
            name = f"{kind}-{number}.dcm"
            part = self._folders[place] / f"{name}.part"
            part.write_bytes(b"small")
            at_ns[name] = self._clock.monotonic_ns()
            os.rename(part, self._folders[place] / name)  # noqa: PTH104  (thousands a second)
            if gap_s:
                self._clock.sleep(gap_s)
        return at_ns


def _beyond_the_queue() -> int:
    """More files than the kernel keeps events for: each makes three at the least."""
    return int(QUEUE_LIMIT.read_text(encoding="ascii")) // 2


def _delivery(written_ns: dict[str, int], told_ns: dict[str, int]) -> Spread | None:
    waits_ms = [(told_ns[name] - at) / NS_PER_MS for name, at in written_ns.items() if name in told_ns]
    return (
        replace(spread_of(waits_ms), values=()) if waits_ms else None
    )  # thousands, and nobody compares them
