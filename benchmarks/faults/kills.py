# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Figure `kills`: kill -9 in every stage of the pipeline, and of everything at once.

The appliance gets images all the time while its processes die: each life of a process has a stage in which it
is to be killed, the one that has been hit least. After each batch the images go on to their end undisturbed,
and everything is counted: what was given, what is in the store, what a real receiver (dcmtk's storescp) has.
"""

from __future__ import annotations

import json
import os
import random
import select
import shutil
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import IO, Any, Final

from typing_extensions import Self

from appliance.clock import NS_PER_S, SystemClock
from appliance.errors import StoreError
from appliance.layout import Layout
from appliance.store.connection import Database
from benchmarks.faults.archive import storescp
from benchmarks.faults.figure import Counts, Run
from benchmarks.faults.kill_check import failures_of
from benchmarks.faults.kill_feed import Feed
from benchmarks.faults.kill_marks import BY_A_FAULT, ENTRY, EXIT, INSIDE, STAGES, Kill, read_marks

EACH_STAGE: Final = 100
"""Kills in each of the twelve stages."""
A_BATCH: Final = 10
"""Kills in each stage between two counts of everything."""
AT_ONCE_SHARE: Final = 0.1
"""Of the deaths that take all other processes along: the plug."""
AHEAD: Final = 5
"""Images that wait for the worker: it should not be idle, nor should the queue grow."""
SETTLE_LIMIT_S: Final = 240.0
"""After the last kill everything must come to its end within this."""
PATIENCE_S: Final = 30.0
"""A life that has not met its stage by then gets another image, and another stage next time."""
FIRST_GUESS_S: Final = 0.004
LOOK_S: Final = 0.02


@dataclass(slots=True, kw_only=True)
class _Life:
    """A process that runs now."""

    pid: int
    marks: Path
    started_ns: int


@dataclass(slots=True, kw_only=True)
class _Tally:
    """What was counted."""

    kills: Counter[str] = field(default_factory=Counter)
    died_in: dict[str, Counter[str]] = field(
        default_factory=lambda: {process: Counter() for process in STAGES}
    )
    at_once: int = 0
    durations_s: dict[str, list[float]] = field(default_factory=dict)

    def of(self, stage: str) -> int:
        return sum(counter[stage] for counter in self.died_in.values())


def run(run: Run) -> None:
    """Batches until every stage has its kills. `failures` names every image that was lost, doubled, stuck."""
    wanted = run.rounds(EACH_STAGE)
    counts = run.counted() or {"histogram": {}, "kills": 0, "all_at_once": 0, "given": 0, "failures": []}
    counts["wanted_in_each_stage"] = wanted
    while min(_so_far(counts, stage) for stage in every_stage()) < wanted:
        counts["batches"] = batch = int(counts.get("batches", 0)) + 1
        kill_one_batch(run, counts, each=min(A_BATCH, wanted), wanted=wanted, seed=batch)
        run.note(counts)


def every_stage() -> tuple[str, ...]:
    """In the order in which an image passes them."""
    return tuple(stage for stages in STAGES.values() for stage in stages)


def _so_far(counts: Counts, stage: str) -> int:
    return int(counts["histogram"].get(stage, 0))


def kill_one_batch(run: Run, counts: Counts, *, each: int, wanted: int, seed: int) -> None:
    """Kill, let it settle, count, and forget the images."""
    data = run.folder / f"batch-{seed}"
    shutil.rmtree(data, ignore_errors=True)
    layout = Layout(data=data)
    data.mkdir(parents=True)
    proofs = run.folder / "engines"
    proofs.mkdir(exist_ok=True)
    layout.engine_cache.symlink_to(proofs)
    layout.create()
    received = data / "received"
    received.mkdir()
    with storescp(received) as port, _Killer(layout, port, seed=seed) as killer:
        goal = {stage: min(each, wanted - _so_far(counts, stage)) for stage in every_stage()}

        def tell() -> None:
            done = sum(min(_so_far(counts, stage) + killer.tally.of(stage), wanted) for stage in goal)
            run.progress("kills", done, wanted * len(goal))

        killer.kill_until(goal, tell)
        is_over = killer.settle()
        given = killer.feed.given
    stuck = () if is_over else (f"not at its end after {SETTLE_LIMIT_S:.0f} s",)
    failures = [*stuck, *failures_of(layout, received, given)]
    tally = killer.tally
    for process, counter in tally.died_in.items():
        for place, number in counter.items():
            name = place if place in every_stage() else f"{process} {place}"
            counts["histogram"][name] = _so_far(counts, name) + number
    counts["kills"] += sum(tally.kills.values())
    counts["all_at_once"] += tally.at_once
    counts["given"] += len(given)
    counts["failures"] += [f"batch {seed}: {words}" for words in failures]
    if failures:
        shutil.copytree(data, run.folder / f"failed-{seed}", symlinks=True, dirs_exist_ok=True)
    shutil.rmtree(data)


class _Killer:
    """The appliance under fire. A context manager: it owns the host of the processes."""

    def __init__(self, layout: Layout, port: int, *, seed: int) -> None:
        self._layout = layout
        self._clock = SystemClock()
        self._chance = random.Random(seed)  # noqa: S311  (which stage dies, not a secret)
        self.tally = _Tally()
        self.feed = Feed(layout.inbox, seed=seed)
        self._lives: dict[str, _Life] = {}
        self._number = 0
        self._goal: dict[str, int] = {}
        self._killing = True
        peer = {"name": "ARCHIVE", "host": "127.0.0.1", "port": port, "ae_title": "ARCHIVE"}
        environment = {
            **os.environ,
            "SCANSIDE__LISTENER__ENABLED": "false",
            "SCANSIDE__INTAKE__SERIES_QUIET_S": "2",
            "SCANSIDE__WORKER__ENGINES": '["ort"]',
            "SCANSIDE__WORKER__PRECISIONS": '["fp32"]',
            "SCANSIDE__WORKER__THREADS": "1",
            "SCANSIDE__SENDER__PEERS": json.dumps([peer]),
            "SCANSIDE__SENDER__RETRY_FIRST_S": "0.2",
            "SCANSIDE__SENDER__RETRY_LONGEST_S": "1",
        }
        log = (layout.data / "host.log").open("ab")
        with log:
            self._host = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.faults.kill_host", str(layout.data)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
                bufsize=0,  # a line that a buffer has already taken is invisible to select
            )

    def kill_until(self, goal: dict[str, int], tell: Any) -> None:
        """Until every stage has its kills."""
        self._goal = goal
        while any(self.tally.of(stage) < number for stage, number in goal.items()):
            self._step()
            tell()

    def settle(self) -> bool:
        """No more kills, no more images: everything comes to its end. False: it is stuck."""
        self._killing = False
        for life in self._lives.values():
            self._kill(life)  # its stage may still be waiting for it
        until_ns = self._clock.monotonic_ns() + round(SETTLE_LIMIT_S * NS_PER_S)
        while not (is_over := self._is_over()) and self._clock.monotonic_ns() < until_ns:
            self._step()
        return is_over

    def _step(self) -> None:
        for process in STAGES:
            if process not in self._lives:
                self._start(process)
        self._hear(LOOK_S)
        if not self._killing:
            return
        waiting = self._jobs("queued")
        if waiting is not None and self.feed.unlanded(self._landed()) + waiting / 3 < AHEAD:
            self.feed.next()
        now_ns = self._clock.monotonic_ns()
        for life in tuple(self._lives.values()):
            if now_ns - life.started_ns > PATIENCE_S * NS_PER_S:
                life.started_ns = now_ns
                self._kill(life)  # at an arbitrary moment, for once

    def _start(self, process: str) -> None:
        self._number += 1
        marks = self._layout.run / f"{process}-{self._number}.marks"
        order = {"process": process, "marks": str(marks), "kill": self._next_kill(process)}
        self._order(order)
        self._starting = (process, marks)
        while process not in self._lives:
            self._hear(1.0)

    def _order(self, order: dict[str, Any]) -> None:
        assert self._host.stdin is not None
        self._host.stdin.write(json.dumps(order).encode() + b"\n")
        self._host.stdin.flush()

    def _kill(self, life: _Life) -> None:
        """From outside, by the host: it alone knows that the number is still that process's."""
        self._order({"kill_pid": life.pid})

    def _next_kill(self, process: str) -> dict[str, Any] | None:
        missing = {s: self._goal.get(s, 0) - self.tally.of(s) for s in STAGES[process]}
        stage = max(missing, key=lambda name: (missing[name], self._chance.random()))
        if not self._killing or missing[stage] <= 0:
            return None
        took_s = median(self.tally.durations_s.get(stage, [FIRST_GUESS_S]))
        kill = Kill(
            stage=stage,
            how=self._chance.choice((ENTRY, INSIDE, INSIDE, EXIT)),
            delay_s=self._chance.uniform(0, took_s),
            occurrence=self._chance.choice((1, 1, 2)),
        )
        return asdict(kill)

    def _hear(self, limit_s: float) -> None:
        out: IO[bytes] | None = self._host.stdout
        assert out is not None
        while select.select([out], [], [], limit_s)[0]:
            line = out.readline()
            assert line, "the host has ended"
            said = json.loads(line)
            limit_s = 0.0
            if "started" in said:
                process, marks = self._starting
                self._lives[process] = _Life(
                    pid=said["started"], marks=marks, started_ns=self._clock.monotonic_ns()
                )
                return
            self._ended(said["ended"], said["code"])

    def _ended(self, pid: int, code: int) -> None:
        process = next(name for name, life in self._lives.items() if life.pid == pid)
        assert code != BY_A_FAULT, f"{process} ended with a fault of its own: see host.log"
        life = self._lives.pop(process)
        story = read_marks(life.marks)
        for stage, durations in story.durations_s.items():
            self.tally.durations_s.setdefault(stage, []).extend(durations[-20:])
        if code != -signal.SIGKILL or not self._killing:
            return
        self.tally.kills[process] += 1
        self.tally.died_in[process][story.died_in] += 1
        if self._lives and self._chance.random() < AT_ONCE_SHARE:
            self.tally.at_once += 1
            for other in self._lives.values():
                self._kill(other)

    def _is_over(self) -> bool:
        unsent = self._count("SELECT count(*) FROM outbox WHERE done = 0")
        return (
            self.feed.unlanded(self._landed()) == 0
            and self._jobs("queued") == self._jobs("leased") == unsent == 0
            and self._count("SELECT count(*) FROM acquisition WHERE completeness = 'RECEIVING'") == 0
        )

    def _jobs(self, state: str) -> int | None:
        return self._count("SELECT count(*) FROM job WHERE state = ?", state)

    def _landed(self) -> int:
        return self._count("SELECT count(*) FROM file") or 0

    def _count(self, sql: str, *values: str) -> int | None:
        """None: the store is not there yet."""
        try:
            layout = self._layout
            with Database.open_to_read(layout.database, data=layout.data, clock=self._clock) as store:
                return int(store.read(sql, values)[0][0])
        except StoreError:
            return None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._host.stdin is not None
        assert self._host.stdout is not None
        self._host.stdin.close()
        self._host.wait(30)
        self._host.stdout.close()
