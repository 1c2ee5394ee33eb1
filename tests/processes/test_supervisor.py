# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The supervisor with real children: restarts, stops, gives up on wrong settings, pauses a crash loop."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time  # noqa: TID251  (processes live in real time)
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event

import psutil
import pytest
from structlog.testing import capture_logs

from appliance.clock import ManualClock, SystemClock
from appliance.errors import ExitCode
from appliance.layout import Layout
from appliance.monitor.fault import read_fault
from appliance.monitor.heartbeat import read_beat
from appliance.processes.lock import AlreadyRunningError, only_one
from appliance.processes.supervisor import _Child, supervise
from appliance.processes.table import (
    KIOSK,
    PAST_BUDGET_S,
    PROCESSES,
    RESTART_PAUSE_S,
    RESTARTS_AT_ONCE,
    ProcessRow,
)
from appliance.store.connection import Database
from tests.running import RunningAppliance

SENDER = next(row for row in PROCESSES if row.name == "sender")
"""The one that starts quickest."""
STOP_LIMIT_S = 10.0
FOUND_LIMIT_S = 10.0


@pytest.fixture(scope="module")
def appliance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningAppliance]:
    with RunningAppliance(tmp_path_factory.mktemp("run") / "data") as running:
        running.wait_for_the_door()
        yield running


def wait_until(condition: Callable[[], object], *, limit_s: float = 30.0) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_a_killed_child_comes_back_with_another_pid(appliance: RunningAppliance) -> None:
    before = appliance.child("sender")
    assert before is not None
    before.kill()

    def is_back() -> bool:
        child = appliance.child("sender")
        return child is not None and child.pid != before.pid

    wait_until(is_back)


def test_all_processes_stop_within_seconds(appliance: RunningAppliance) -> None:
    wait_until(lambda: all(appliance.child(row.name) for row in PROCESSES))
    children = psutil.Process(appliance.process.pid).children(recursive=True)
    started = time.monotonic()
    assert appliance.stop() == ExitCode.OK
    assert time.monotonic() - started < STOP_LIMIT_S
    _, alive = psutil.wait_procs(children, timeout=2)
    assert alive == []


def test_wrong_settings_of_a_child_end_everything_with_78(layout: Layout, tmp_path: Path) -> None:
    config = tmp_path / "settings.toml"
    config.write_text("[worker]\nthreads = 0\n", encoding="utf-8")
    before = set(psutil.Process().children())
    code = supervise(layout=layout, config=config, clock=SystemClock(), stop=Event())
    assert code == ExitCode.CONFIG
    left = [fault for row in PROCESSES if (fault := read_fault(layout.run, row.name)) is not None]
    assert left
    assert all("threads" in fault.what and fault.remedy for fault in left)
    assert set(psutil.Process().children()) <= before


def test_a_second_supervisor_is_refused(layout: Layout) -> None:
    with only_one(layout.run, "run"), pytest.raises(AlreadyRunningError):
        supervise(layout=layout, config=None, clock=SystemClock(), stop=Event())


def test_a_child_whose_supervisor_is_dead_already_does_not_begin(layout: Layout) -> None:
    command = [sys.executable, "-m", "appliance.processes", "sender", "--data", str(layout.data)]
    done = subprocess.run([*command, "--parent", "1"], check=False, timeout=30)
    assert done.returncode == ExitCode.OK
    assert list(layout.run.iterdir()) == []


def test_a_child_dies_with_its_supervisor(layout: Layout) -> None:
    code = (
        "import pathlib, sys, threading\n"
        "from appliance.clock import SystemClock\n"
        "from appliance.layout import Layout\n"
        "from appliance.processes.supervisor import supervise\n"
        "layout = Layout(data=pathlib.Path(sys.argv[1]))\n"
        "supervise(layout=layout, config=None, clock=SystemClock(), stop=threading.Event())\n"
    )
    environment = {**os.environ, "SCANSIDE__LISTENER__ENABLED": "false"}
    with subprocess.Popen([sys.executable, "-c", code, str(layout.data)], env=environment) as supervisor:
        wait_until(lambda: len(psutil.Process(supervisor.pid).children()) == len(PROCESSES))
        children = psutil.Process(supervisor.pid).children()
        supervisor.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs(children, timeout=STOP_LIMIT_S)
    assert alive == []


def child_of(layout: Layout, clock: ManualClock, row: ProcessRow = SENDER) -> _Child:
    return _Child(row, arguments=("--data", str(layout.data)), layout=layout, clock=clock)


def running_pid(child: _Child) -> int | None:
    return None if child._process is None else child._process.pid


# Trace: REQ-055
def test_a_crash_loop_is_slowed_down_and_never_given_up(layout: Layout) -> None:
    clock = ManualClock()
    child = child_of(layout, clock, ProcessRow(name="nobody", owns="nothing", silent_limit_s=60))
    with capture_logs() as logs:
        for _ in range(RESTARTS_AT_ONCE):
            assert child.look() is None
            started = child._process
            assert started is not None
            assert started.wait(30) == ExitCode.USAGE
            assert child.look() is None
        for _ in range(3):
            assert child.look() is None
            assert running_pid(child) is None
        clock.advance(RESTART_PAUSE_S - 1)
        child.look()
        assert running_pid(child) is None
        clock.advance(1)
        child.look()
        assert running_pid(child) is not None
        child.tell_to_stop()
        child.wait_until_stopped()
    events = [entry["event"] for entry in logs]
    assert events.count("process ended") == RESTARTS_AT_ONCE
    assert events.count("restarting too often, pausing") == 1


# Trace: REQ-018
def test_a_child_without_a_sign_of_life_is_killed_and_started_again(layout: Layout) -> None:
    clock = ManualClock()
    child = child_of(layout, clock)
    with capture_logs() as logs:
        child.look()
        first = running_pid(child)
        assert first is not None
        clock.advance(SENDER.silent_limit_s - 1)
        child.look()
        assert psutil.Process(first).is_running()
        clock.advance(2)
        child.look()
        assert child._process is not None
        assert child._process.wait(10) == -signal.SIGKILL
        child.look()
        child.look()
        assert running_pid(child) not in (None, first)
        child.tell_to_stop()
        child.wait_until_stopped()
    assert [entry["event"] for entry in logs] == ["no sign of life, killing", "process ended"]


def test_only_the_beat_of_this_very_process_counts(layout: Layout) -> None:
    clock = ManualClock()
    child = child_of(layout, clock)
    child.look()
    pid = running_pid(child)
    assert pid is not None
    clock.advance(SENDER.silent_limit_s + 1)
    beat = {
        "process": SENDER.name,
        "pid": pid,
        "beat_ns": clock.monotonic_ns(),
        "boot_id": "manual",
        "state": "waiting",
    }
    file = layout.run / f"{SENDER.name}.beat"
    with capture_logs() as logs:
        file.write_text(json.dumps(beat), encoding="utf-8")
        child.look()
        assert logs == []
        file.write_text(json.dumps({**beat, "pid": 1}), encoding="utf-8")
        child.look()
        child.wait_until_stopped()
    assert [entry["event"] for entry in logs] == ["no sign of life, killing"]


def test_a_process_that_promised_a_sign_is_killed_soon_after_it_is_due(layout: Layout) -> None:
    clock = ManualClock()
    child = child_of(layout, clock)
    child.look()
    pid = running_pid(child)
    assert pid is not None
    beat = {
        "process": SENDER.name,
        "pid": pid,
        "beat_ns": clock.monotonic_ns(),
        "boot_id": "manual",
        "state": "working: quality",
        "budget_s": 8.0,
    }
    (layout.run / f"{SENDER.name}.beat").write_text(json.dumps(beat), encoding="utf-8")
    with capture_logs() as logs:
        clock.advance(8 + PAST_BUDGET_S - 0.1)
        child.look()
        assert logs == []
        clock.advance(0.2)
        child.look()
        child.wait_until_stopped()
    assert [(entry["event"], entry["doing"]) for entry in logs] == [
        ("no sign of life, killing", "working: quality")
    ]
    assert PAST_BUDGET_S < FOUND_LIMIT_S


@pytest.mark.timeout(120)
def test_a_frozen_screen_is_started_again(layout: Layout) -> None:
    pytest.importorskip("PyQt6")
    Database.open(layout.database, data=layout.data, clock=SystemClock()).close()
    child = _Child(
        replace(KIOSK, silent_limit_s=60),
        arguments=("--data", str(layout.data)),
        layout=layout,
        clock=SystemClock(),
    )
    child.look()
    try:
        wait_until(lambda: beat_pid(layout) == running_pid(child), limit_s=60)
        frozen = running_pid(child)
        assert frozen is not None
        os.kill(frozen, signal.SIGSTOP)

        def is_back() -> bool:
            child.look()
            return beat_pid(layout) not in (None, frozen)

        wait_until(is_back, limit_s=60)
    finally:
        child.tell_to_stop()
        child.wait_until_stopped()


def beat_pid(layout: Layout) -> int | None:
    beat = read_beat(layout.run, KIOSK.name, SystemClock())
    return None if beat is None else beat.pid
