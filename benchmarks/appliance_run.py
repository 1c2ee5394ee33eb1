# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The real appliance, started as a user starts it, and read through its store as the kiosk reads it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.clock import NS_PER_MS, NS_PER_S, Clock
from appliance.domain.job import JobState, Lane
from appliance.layout import Layout
from appliance.monitor.heartbeat import read_beat
from appliance.processes.table import PROCESSES
from appliance.store.board import Board, BoardEntry
from appliance.store.connection import Database
from benchmarks.memory import wait_until_quiet

LOOK_S: Final = 0.01
"""How often a change of the store is looked for; a commit's own time comes from the store."""
READY_TIMEOUT_S: Final = 180.0
"""The first start proves every model on every engine in a child process."""
STOP_TIMEOUT_S: Final = 30.0
LOG_TAIL_LINES: Final = 15
NEWEST: Final = 20
"""How many of the newest acquisitions are looked through for a study that was just given."""
FINAL_STATES: Final = frozenset({JobState.DONE, JobState.FAILED, JobState.QUARANTINED, JobState.SUPERSEDED})


class MeasuringError(RuntimeError):
    """What is measured did not answer; the message ends with what it said last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An acquisition all of whose lanes have ended."""

    entry: BoardEntry
    closed_ns: int

    def committed_ms(self, lane: Lane) -> float:
        """From the close of the last file to the commit of a lane's result."""
        return (self.committed_ns(lane) - self.closed_ns) / NS_PER_MS

    def committed_ns(self, lane: Lane) -> int:
        """Monotonic time of the commit. Raises MeasuringError when the lane gave no result."""
        found = self.entry.lane(lane)
        if found is None or found.state is not JobState.DONE or found.landed_to_committed_ms is None:
            why = found.reason if found is not None else "it has no job"
            raise MeasuringError(f"The {lane.value} lane gave no result: {why}.")
        return self.entry.noticed_ns + round(found.landed_to_committed_ms * NS_PER_MS)

    def stages_ms(self) -> dict[str, float]:
        """`lane.stage` to duration."""
        return {
            f"{lane.lane.value}.{timing.stage}": timing.duration_ms
            for lane in self.entry.lanes
            if lane.result is not None
            for timing in lane.result.timings
        }


class Appliance:
    """`scanside run` on a data folder of its own."""

    def __init__(self, process: subprocess.Popen[bytes], *, layout: Layout, log: Path, clock: Clock) -> None:
        self._process = process
        self._log = log
        self._clock = clock
        self.layout = layout

    @property
    def pid(self) -> int:
        """Of the supervisor; the others are its children."""
        return self._process.pid

    def wait_until_ready(self) -> None:
        """Until every process has shown life, and the worker waits with all its models loaded.

        It says that it waits before it loads a model, too, so only its silence tells. Raises MeasuringError.
        """
        self.wait_for(self._is_ready, timeout_s=READY_TIMEOUT_S, what="become ready")
        wait_until_quiet(self.pid, self._clock)
        self.wait_for(self._is_ready, timeout_s=READY_TIMEOUT_S, what="become ready")

    def _is_ready(self) -> bool:
        beats = [read_beat(self.layout.run, row.name, self._clock) for row in PROCESSES]
        worker = read_beat(self.layout.run, "worker", self._clock)
        return None not in beats and worker is not None and worker.state.startswith("waiting")

    def wait_for(self, holds: Callable[[], bool], *, timeout_s: float, what: str) -> None:
        """Look every LOOK_S. Raises MeasuringError when it ends, or does not `what` in time."""
        until_ns = self._clock.monotonic_ns() + round(timeout_s * NS_PER_S)
        while not holds():
            if self._process.poll() is not None:
                raise MeasuringError(f"The appliance ended by itself.\n{self._last_words()}")
            if self._clock.monotonic_ns() > until_ns:
                raise MeasuringError(
                    f"The appliance did not {what} within {timeout_s:g} s.\n{self._last_words()}"
                )
            self._clock.sleep(LOOK_S)

    def _last_words(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-LOG_TAIL_LINES:])

    def store(self) -> Database:
        """Its store, to look at. The caller closes it."""
        return Database.open_to_read(self.layout.database, data=self.layout.data, clock=self._clock)

    def wait_for_study(self, study_instance_uid: str, *, closed_ns: int, timeout_s: float) -> Answered:
        """Until all lanes of the study's newest acquisition have ended. Raises MeasuringError."""
        found: list[BoardEntry] = []
        with self.store() as database:
            board = Board(database)
            seen = -1

            def ended() -> bool:
                nonlocal seen
                mark = database.change_mark()
                if mark == seen:
                    return False
                seen = mark
                found[:] = [
                    entry
                    for entry in board.entries(limit=NEWEST)
                    if entry.first.study_instance_uid == study_instance_uid and has_ended(entry)
                ]
                return bool(found)

            self.wait_for(ended, timeout_s=timeout_s, what=f"answer study {study_instance_uid}")
        return Answered(entry=found[0], closed_ns=closed_ns)

    def stop(self) -> None:
        """As a service manager does."""
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def has_ended(entry: BoardEntry) -> bool:
    """Whether nothing more will come of this version by itself."""
    return bool(entry.lanes) and all(lane.state in FINAL_STATES for lane in entry.lanes)


@contextmanager
def running_appliance(
    data: Path, clock: Clock, *, kiosk: bool = False, settings: Mapping[str, str] | None = None
) -> Iterator[Appliance]:
    """Start the appliance on `data`; stop it at the end. It may not be ready yet when the block begins.

    `settings`: more of the environment.
    """
    layout = Layout(data=data.resolve())
    layout.create()
    log = layout.data / "run.log"
    environment = {
        **os.environ,
        "SCANSIDE__LISTENER__PORT": str(_free_port()),
        "QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen"),
        **(settings or {}),
    }
    command = [sys.executable, "-m", "appliance", "run", "--data", str(layout.data)]
    if kiosk:
        command.append("--kiosk")
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=environment
        )
        appliance = Appliance(process, layout=layout, log=log, clock=clock)
        try:
            yield appliance
        finally:
            appliance.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
