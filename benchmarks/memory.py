# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Memory and processor time of the appliance's processes, by what they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from threading import Event, Thread
from typing import Final

import psutil

from appliance.clock import NS_PER_S, Clock

LOOK_S: Final = 0.25
QUIET_PERCENT: Final = 15.0
"""Of one core, all processes together; polling alone stays well below."""
QUIET_LOOK_S: Final = 0.3
QUIET_TIMEOUT_S: Final = 30.0
_PROCESSES_MODULE: Final = "appliance.processes"
_KIOSK_MODULE: Final = "ui"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Resident memory of one process at one time; pages that processes share count in each of them."""

    role: str
    at_ns: int
    rss_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryUse:
    """One role over the time it was watched."""

    role: str
    highest_bytes: int
    first_quarter_bytes: int
    """Median over the first quarter of the samples."""
    last_quarter_bytes: int
    """Median over the last quarter: well above the first means that it grows."""


def roles(root: psutil.Process) -> dict[int, str]:
    """Role of every process of the appliance by pid: run, watcher, worker, sender, kiosk, and their jails."""
    named = {root.pid: "run"}
    for child in root.children(recursive=True):
        try:
            command = child.cmdline()
            parent = named.get(child.ppid(), "run")
        except psutil.Error:
            continue  # it ended while being looked at
        named[child.pid] = _role(command) or f"jail of the {parent}"
    return named


def _role(command: list[str]) -> str | None:
    for module, word in pairwise(command):
        if module == _PROCESSES_MODULE:
            return word
        if (module, word) == ("-m", _KIOSK_MODULE):
            return "kiosk"
    return None


class MemoryWatch:
    """Samples taken by a thread of the measuring program."""

    def __init__(self, pid: int, clock: Clock) -> None:
        self._root = psutil.Process(pid)
        self._clock = clock
        self._stop = Event()
        self.samples: list[Sample] = []

    def look(self) -> None:
        """One sample of every process."""
        now_ns = self._clock.monotonic_ns()
        for pid, role in roles(self._root).items():
            try:
                rss_bytes = psutil.Process(pid).memory_info().rss
            except psutil.Error:
                continue
            self.samples.append(Sample(role=role, at_ns=now_ns, rss_bytes=rss_bytes))

    def run(self) -> None:
        """Look until told to stop."""
        while not self._stop.wait(LOOK_S):
            try:
                self.look()
            except psutil.Error:
                return  # the appliance has ended

    def end(self) -> None:
        """No more samples."""
        self._stop.set()

    def use(self) -> tuple[MemoryUse, ...]:
        """What each role used. Processes of one role (jails) at one time are added up."""
        by_role: dict[str, dict[int, int]] = {}
        for sample in self.samples:
            times = by_role.setdefault(sample.role, {})
            times[sample.at_ns] = times.get(sample.at_ns, 0) + sample.rss_bytes
        return tuple(_use(role, list(times.values())) for role, times in by_role.items())


def _use(role: str, sizes: list[int]) -> MemoryUse:
    quarter = max(1, len(sizes) // 4)
    return MemoryUse(
        role=role,
        highest_bytes=max(sizes),
        first_quarter_bytes=sorted(sizes[:quarter])[quarter // 2],
        last_quarter_bytes=sorted(sizes[-quarter:])[quarter // 2],
    )


@contextmanager
def watched_memory(pid: int, clock: Clock) -> Iterator[MemoryWatch]:
    """Sample the tree below `pid` during the block."""
    watch = MemoryWatch(pid, clock)
    thread = Thread(target=watch.run, name="memory watch")
    thread.start()
    try:
        yield watch
    finally:
        watch.end()
        thread.join()


def cpu_percent(pid: int, clock: Clock, *, seconds: float) -> dict[str, float]:
    """Processor time by role over `seconds`, in percent of one core. Roles that came or went are left out."""
    root = psutil.Process(pid)
    before, start_ns = _cpu_seconds(root), clock.monotonic_ns()
    clock.sleep(seconds)
    after, elapsed_s = _cpu_seconds(root), (clock.monotonic_ns() - start_ns) / NS_PER_S
    spent: dict[str, float] = {}
    for (process, role), used_s in after.items():
        if (process, role) in before:
            spent[role] = spent.get(role, 0.0) + used_s - before[process, role]
    return {role: round(100 * used_s / elapsed_s, 2) for role, used_s in spent.items()}


def cpu_seconds(pid: int) -> float:
    """Processor time of all processes below `pid` so far; those that have ended do not count."""
    return sum(_cpu_seconds(psutil.Process(pid)).values())


def _cpu_seconds(root: psutil.Process) -> dict[tuple[int, str], float]:
    used: dict[tuple[int, str], float] = {}
    for pid, role in roles(root).items():
        try:
            times = psutil.Process(pid).cpu_times()
        except psutil.Error:
            continue
        used[pid, role] = times.user + times.system
    return used


def wait_until_quiet(pid: int, clock: Clock) -> None:
    """Until the processes below `pid` together use little: what they do behind an answer is done too."""
    until_ns = clock.monotonic_ns() + round(QUIET_TIMEOUT_S * NS_PER_S)
    while clock.monotonic_ns() < until_ns:
        if sum(cpu_percent(pid, clock, seconds=QUIET_LOOK_S).values()) < QUIET_PERCENT:
            return
