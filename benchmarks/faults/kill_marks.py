# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Marks at the stages of the pipeline, and a kill -9 in one of them.

Each stage is a function of the product, left as it is. Its mark writes one line into a file when the function
is entered and one when it is left; the lines are there after any death, so where a process died is read, not
guessed. The kill is the kernel's SIGKILL: at the entry, at the exit, or by a timer of the kernel in between.
"""

from __future__ import annotations

import ctypes
import functools
import importlib
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from appliance.clock import NS_PER_S, SystemClock

FUNCTIONS: Final = {
    "watcher": (
        ("landed", "appliance.intake.complete:Waiting.notice"),
        ("complete", "appliance.intake.complete:Waiting.look"),
        ("claimed", "appliance.intake.claim:Spool.copy"),
        ("claimed", "appliance.intake.claim:Spool.keep"),
        ("assembled", "appliance.processes.gathering:Gathering.plan"),
        ("assembled", "appliance.store.landing:Landings.land"),
    ),
    "worker": (
        ("leased", "appliance.processes.at_hand:AtHand.open"),
        ("committed", "appliance.store.results:Results.commit"),
    ),
    "sender": (
        ("rendered", "appliance.processes.rendering:Renderer._render"),
        ("sent", "appliance.outputs.dicom_send:DicomPeer.deliver"),
        ("sent", "appliance.store.outbox:Outbox.sent"),
    ),
}
"""Stage and function, by process."""
SPANS: Final = ("decoded", "prepared", "inferred", "written")
"""Stages that the worker's line times by itself."""
STAGES: Final = {
    "watcher": ("landed", "complete", "claimed", "assembled"),
    "worker": ("leased", *SPANS, "committed"),
    "sender": ("rendered", "sent"),
}
BY_A_FAULT: Final = 70
"""The exit code of a process that did not end as the product does."""
ENTRY, INSIDE, EXIT = "entry", "inside", "exit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """Where the process is to die."""

    stage: str
    how: str
    delay_s: float
    """After the entry, for INSIDE."""
    occurrence: int
    """1: the first time that the stage is entered."""


class _TimerEvent(ctypes.Structure):
    _fields_ = (
        ("value", ctypes.c_void_p),
        ("signo", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("rest", ctypes.c_byte * 48),
    )


class _TimerSpan(ctypes.Structure):
    _fields_ = (
        ("interval_s", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("value_s", ctypes.c_long),
        ("value_ns", ctypes.c_long),
    )


def kill_me() -> None:
    """SIGKILL, now."""
    os.kill(os.getpid(), signal.SIGKILL)


def kill_me_in(seconds: float) -> None:
    """A timer of the kernel sends SIGKILL: whatever the program is doing then, also inside a library."""
    libc = ctypes.CDLL(None, use_errno=True)
    event = _TimerEvent(signo=signal.SIGKILL)
    timer = ctypes.c_void_p()
    if libc.timer_create(1, ctypes.byref(event), ctypes.byref(timer)):  # 1: CLOCK_MONOTONIC
        raise OSError(ctypes.get_errno(), "timer_create")
    nanoseconds = max(1, round(seconds * NS_PER_S))
    span = _TimerSpan(value_s=nanoseconds // NS_PER_S, value_ns=nanoseconds % NS_PER_S)
    if libc.timer_settime(timer, 0, ctypes.byref(span), None):
        raise OSError(ctypes.get_errno(), "timer_settime")


class Marks:
    """The marks of one process."""

    def __init__(self, file: Path, kill: Kill | None) -> None:
        self._fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._kill = kill
        self._seen = 0
        self._clock = SystemClock()
        self._killable = True

    def install(self, process: str) -> None:
        """Put the marks around the stages of this process."""
        for stage, where in FUNCTIONS[process]:
            self._around(where, functools.partial(self._stage, stage))
        if process == "worker":
            self._killable = False  # what is done for a proof is nobody's examination
            self._around("appliance.pipeline.spans:Spans.stage", None)
            self._around("appliance.processes.worker:Worker.do", self._job)

    def close(self) -> None:
        """For those who live on."""
        os.close(self._fd)

    def _around(self, where: str, mark: Callable[[Any], Any] | None) -> None:
        module, _, path = where.partition(":")
        owner = getattr(importlib.import_module(module), path.split(".")[0])
        name = path.split(".")[1]
        before = getattr(owner, name)

        @functools.wraps(before)
        def marked(itself: Any, *values: Any, **named: Any) -> Any:
            if mark is None:
                return self._span(before, itself, values[0])
            with mark(values):
                return before(itself, *values, **named)

        setattr(owner, name, marked)

    @contextmanager
    def _job(self, values: tuple[Any, ...]) -> Iterator[None]:
        """Only a job that no death has met yet is a target: the queue counts deaths."""
        outside, self._killable = self._killable, values[0].attempts == 1
        try:
            yield
        finally:
            self._killable = outside

    @contextmanager
    def _span(self, before: Any, spans: Any, stage: str) -> Iterator[None]:
        if stage not in SPANS:
            with before(spans, stage):
                yield
            return
        with self._stage(stage, ()), before(spans, stage):
            yield

    @contextmanager
    def _stage(self, stage: str, values: tuple[Any, ...]) -> Iterator[None]:
        del values
        is_target = self._is_target(stage)
        self._write("+", stage)
        if is_target and self._kill is not None:
            if self._kill.how == ENTRY:
                kill_me()
            elif self._kill.how == INSIDE:
                kill_me_in(self._kill.delay_s)
        try:
            yield
        finally:
            if is_target and self._kill is not None and self._kill.how == EXIT:
                kill_me()
            self._write("-", stage)

    def _is_target(self, stage: str) -> bool:
        if self._kill is None or self._kill.stage != stage or not self._killable:
            return False
        self._seen += 1
        return self._seen == self._kill.occurrence

    def _write(self, sign: str, stage: str) -> None:
        os.write(self._fd, f"{sign} {stage} {self._clock.monotonic_ns()}\n".encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """What the marks of one life say."""

    died_in: str
    """The stage entered last and not left; "between" when none was open; "start" before the first."""
    durations_s: dict[str, list[float]]
    """Of the stages that were left."""


def read_marks(file: Path) -> Life:
    """Where a process died, and how long its stages took."""
    open_stages: list[tuple[str, int]] = []
    durations: dict[str, list[float]] = {}
    lines = file.read_text(encoding="ascii").splitlines() if file.exists() else []
    for sign, stage, at_ns in (line.split(" ") for line in lines):
        if sign == "+":
            open_stages.append((stage, int(at_ns)))
            continue
        for place in range(len(open_stages) - 1, -1, -1):  # threads deliver side by side
            if open_stages[place][0] == stage:
                since_ns = open_stages.pop(place)[1]
                durations.setdefault(stage, []).append((int(at_ns) - since_ns) / NS_PER_S)
                break
    died_in = open_stages[-1][0] if open_stages else ("between" if lines else "start")
    return Life(died_in=died_in, durations_s=durations)
