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
from appliance.monitor.boots import GOOD_AFTER_S, BootCounter, Level, say_level
from appliance.monitor.heartbeat import read_beat
from appliance.processes.lock import only_one
from appliance.processes.table import (
    IN_SAFE_MODE,
    PAST_BUDGET_S,
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
        self.name = row.name
        self._arguments = arguments
        self._layout = layout
        self._clock = clock
        self._log = structlog.get_logger().bind(child=row.name)
        self._starts_ns: deque[int] = deque(maxlen=RESTARTS_AT_ONCE)
        self._paused_until_ns = 0
        self._stays_away = False
        self._store_seen = False
        self._told_gone = False
        self._process: subprocess.Popen[bytes] | None = None

    def look(self) -> int | None:
        """Start or restart as needed. An exit code: it must not be started again (its settings are wrong)."""
        if self._process is None:
            if not self._stays_away:
                self._start()
            return None
        code = self._process.poll()
        if code is None:
            self._kill_if_silent()
            return None
        self._process = None
        self._log.error("process ended", exit_code=code)
        if self._row.is_screen:
            self._stays_away = code in (ExitCode.OK, ExitCode.USAGE, ExitCode.CONFIG)
            return None
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
        program = ("ui",) if self._row.is_screen else ("appliance.processes", self._row.name)
        command = (sys.executable, "-m", *program, *self._arguments)
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
        limit_s, doing = self._row.silent_limit_s, "starting"
        if beat is None or beat.pid != self._process.pid:
            silent_s = (self._clock.monotonic_ns() - self._starts_ns[-1]) / NS_PER_S
        else:
            silent_s, doing = beat.age_s, beat.state
            if beat.budget_s is not None:
                limit_s = beat.budget_s + PAST_BUDGET_S
        if silent_s > limit_s:
            self._log.error(
                "no sign of life, killing", silent_s=round(silent_s, 1), limit_s=limit_s, doing=doing
            )
            self._process.kill()

    def is_up(self) -> bool:
        """It runs, or stays away for good."""
        return self._stays_away or (self._process is not None and self._process.poll() is None)

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
        self._process = None


class _Health:
    """Counts starts that did not stay up, and says how much may run."""

    def __init__(self, layout: Layout, clock: Clock) -> None:
        self._counter = BootCounter(layout.boots)
        self._run = layout.run
        self._clock = clock
        self._log = structlog.get_logger()
        self._good_since_ns = clock.monotonic_ns()
        self._boots = self._counter.begin()
        self._say()

    @property
    def level(self) -> Level:
        return self._boots.level

    def look(self, *, all_up: bool) -> bool:
        """Whether the level has changed: it stayed up for long enough, or a person ended the safe mode."""
        now_ns = self._clock.monotonic_ns()
        before, self._boots = self._boots, self._counter.read()
        if not all_up:
            self._good_since_ns = now_ns
        elif self._boots.bad_starts and now_ns - self._good_since_ns > GOOD_AFTER_S * NS_PER_S:
            self._boots = self._counter.stayed_up()
            self._good_since_ns = now_ns
        if before.level is self._boots.level:
            return False
        self._say()
        return True

    def was_stopped(self) -> None:
        self._counter.was_stopped()

    def _say(self) -> None:
        say_level(self._run, self._boots, clock=self._clock)
        if self._boots.level is not Level.NORMAL:
            self._log.error(
                "not everything runs", level=self._boots.level.name, starts=self._boots.bad_starts
            )


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
    arguments: tuple[str, ...] = ("--data", str(layout.data))
    if config is not None:
        arguments = (*arguments, "--config", str(config))
    parent = ("--parent", str(os.getpid()))
    with only_one(layout.run, "run"):
        children = [
            _Child(
                row,
                arguments=arguments if row.is_screen else arguments + parent,
                layout=layout,
                clock=clock,
            )
            for row in rows
        ]
        health = _Health(layout, clock)
        try:
            while not stop.is_set():
                wanted = [child for child in children if _may_run(child.name, health.level)]
                for child in wanted:
                    code = child.look()
                    if code is not None:
                        health.was_stopped()
                        return code
                if health.look(all_up=all(child.is_up() for child in wanted)):
                    _stop(children)  # each starts again as the new level wants it
                stop.wait(LOOK_INTERVAL_S)
            health.was_stopped()
        finally:
            _stop(children)
    return ExitCode.OK


def _may_run(process: str, level: Level) -> bool:
    return level is not Level.SAFE or process in IN_SAFE_MODE


def _stop(children: list[_Child]) -> None:
    for child in children:
        child.tell_to_stop()
    for child in children:
        child.wait_until_stopped()
