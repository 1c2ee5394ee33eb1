# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A device that does not stay up does less, and comes back by itself or by a person."""

from __future__ import annotations

import os
import subprocess
import sys
import time  # noqa: TID251  (processes live in real time)
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event

import psutil

from appliance.clock import ManualClock, SystemClock
from appliance.config import Settings
from appliance.layout import Layout
from appliance.monitor.boots import GOOD_AFTER_S, NOTICE, SAFE_AFTER, BootCounter, Level
from appliance.monitor.fault import read_fault
from appliance.monitor.heartbeat import read_beat
from appliance.processes.supervisor import _Health, supervise
from appliance.processes.table import rows_for


def wait_until(condition: Callable[[], object], *, limit_s: float = 60.0) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def test_in_safe_mode_only_the_watcher_runs_until_a_person_ends_it(layout: Layout) -> None:
    counter = BootCounter(layout.boots)
    for _ in range(SAFE_AFTER):
        counter.begin()
    environment = {**os.environ, "SCANSIDE__LISTENER__ENABLED": "false"}
    command = [sys.executable, "-m", "appliance", "run", "--data", str(layout.data)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as running, ended(running):

        def names() -> list[str]:
            return sorted(filter(None, map(name_of, psutil.Process(running.pid).children())))

        wait_until(lambda: read_beat(layout.run, "watcher", SystemClock()) is not None)
        assert names() == ["watcher"]
        fault = read_fault(layout.run, NOTICE)
        assert fault is not None
        assert "only receives and shows" in fault.what
        counter.reset()
        wait_until(lambda: names() == sorted(row.name for row in rows_for(Settings())))
        assert read_fault(layout.run, NOTICE) is None
    assert counter.read().bad_starts == 0


@contextmanager
def ended(running: subprocess.Popen[bytes]) -> Iterator[None]:
    """A test that fails leaves nothing running."""
    try:
        yield
    finally:
        running.terminate()


def name_of(child: psutil.Process) -> str:
    """Of a process of the table; empty for one that has just ended."""
    try:
        command = child.cmdline()
    except psutil.Error:
        return ""
    return command[command.index("appliance.processes") + 1] if "appliance.processes" in command else ""


def test_a_supervisor_that_is_killed_counts_and_one_that_is_stopped_does_not(layout: Layout) -> None:
    stop = Event()
    stop.set()
    supervise(layout=layout, config=None, clock=SystemClock(), stop=stop, rows=())
    assert BootCounter(layout.boots).read().bad_starts == 0


def test_a_device_that_stays_up_is_good_again(layout: Layout) -> None:
    clock = ManualClock()
    counter = BootCounter(layout.boots)
    for _ in range(SAFE_AFTER):
        counter.begin()
    health = _Health(layout, clock)
    assert health.level is Level.SAFE
    clock.advance(GOOD_AFTER_S - 1)
    assert not health.look(all_up=True)
    assert not health.look(all_up=False)  # one has ended: the time begins anew
    clock.advance(GOOD_AFTER_S - 1)
    assert not health.look(all_up=True)
    clock.advance(2)
    assert health.look(all_up=True)
    assert health.level is Level.WITHOUT_AI
    clock.advance(GOOD_AFTER_S + 1)
    assert health.look(all_up=True)
    assert health.level is Level.NORMAL
