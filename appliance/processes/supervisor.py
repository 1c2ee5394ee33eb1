# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Keeps the process table running: starts, restarts, kills what is hung, stops everything together."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import deque
from pathlib import Path
from threading import Event
from typing import Final

import structlog

from appliance.clock import NS_PER_S, Clock
from appliance.errors import ExitCode
from appliance.layout import Layout
from appliance.monitor.heartbeat import read_beat
from appliance.processes.lock import only_one
from appliance.processes.table import (
    PROCESSES,
    RESTART_PAUSE_S,
    RESTART_WINDOW_S,
    RESTARTS_AT_ONCE,
    ProcessRow,
)

LOOK_INTERVAL_S: Final = 0.25
STOP_PATIENCE_S: Final = 15.0
"""A process that was told to stop may finish its slice; after this it is killed (nothing is lost)."""


class _Child:
    """One row of the table, running."""

    def __init__(self, row: ProcessRow, *, arguments: tuple[str, ...], layout: Layout, clock: Clock) -> None:
        self._row = row
        self._arguments = arguments
        self._layout = layout
        self._clock = clock
        self._log = structlog.get_logger().bind(child=row.name)
        self._starts_ns: deque[int] = deque(maxlen=RESTARTS_AT_ONCE)
        self._paused_until_ns = 0
        self._store_seen = False
        self._told_gone = False
        self._process: subprocess.Popen[bytes] | None = None

    def look(self) -> int | None:
        """Start or restart as needed. An exit code: it must not be started again (its settings are wrong)."""
        if self._process is None:
            self._start()
            return None
        code = self._process.poll()
        if code is None:
            self._kill_if_silent()
            return None
        self._process = None
        self._log.error("process ended", exit_code=code)
        if code in (ExitCode.CONFIG, ExitCode.ALREADY_RUNNING):
            return code
        return None

    def _start(self) -> None:
        now_ns = self._clock.monotonic_ns()
        if now_ns < self._paused_until_ns or self._store_has_gone():
            return
        recent = [start for start in self._starts_ns if now_ns - start < RESTART_WINDOW_S * NS_PER_S]
        if len(recent) >= RESTARTS_AT_ONCE:
            self._starts_ns.clear()
            self._paused_until_ns = now_ns + round(RESTART_PAUSE_S * NS_PER_S)
            self._log.error("restarting too often, pausing", pause_s=RESTART_PAUSE_S)
            return
        self._starts_ns.append(now_ns)
        command = (sys.executable, "-m", "appliance.processes", self._row.name, *self._arguments)
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def _store_has_gone(self) -> bool:
        """A store that was there is not: its disk has vanished. A process would make an empty one instead."""
        there = self._layout.database.exists() if self._disk_answers() else False
        if self._store_seen and not there and not self._told_gone:
            self._log.error("the disk of the store has gone, waiting for it")
        self._told_gone = self._store_seen and not there
        self._store_seen = self._store_seen or there
        return self._told_gone

    def _disk_answers(self) -> bool:
        try:
            self._layout.database.parent.stat()
        except OSError:
            return False
        return True

    def _kill_if_silent(self) -> None:
        assert self._process is not None
        beat = read_beat(self._layout.run, self._row.name, self._clock)
        if beat is None or beat.pid != self._process.pid:
            silent_s = (self._clock.monotonic_ns() - self._starts_ns[-1]) / NS_PER_S
        else:
            silent_s = beat.age_s
        if silent_s > self._row.silent_limit_s:
            self._log.error("no sign of life, killing", silent_s=round(silent_s, 1))
            self._process.kill()

    def tell_to_stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def wait_until_stopped(self) -> None:
        if self._process is None:
            return
        try:
            self._process.wait(STOP_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def supervise(
    *,
    layout: Layout,
    config: Path | None,
    clock: Clock,
    stop: Event,
    rows: tuple[ProcessRow, ...] = PROCESSES,
) -> int:
    """Run the rows of the table until told to stop. Returns the exit code for the command.

    Raises AlreadyRunningError when the data folder already has a supervisor.
    """
    arguments: tuple[str, ...] = ("--data", str(layout.data), "--parent", str(os.getpid()))
    if config is not None:
        arguments = (*arguments, "--config", str(config))
    with only_one(layout.run, "run"):
        children = [_Child(row, arguments=arguments, layout=layout, clock=clock) for row in rows]
        try:
            while not stop.is_set():
                for child in children:
                    code = child.look()
                    if code is not None:
                        return code
                stop.wait(LOOK_INTERVAL_S)
        finally:
            for child in children:
                child.tell_to_stop()
            for child in children:
                child.wait_until_stopped()
    return ExitCode.OK
