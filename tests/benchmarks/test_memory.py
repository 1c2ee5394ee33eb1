# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from appliance.clock import SystemClock
from appliance.config import MIB
from benchmarks.memory import cpu_percent, roles, wait_until_quiet, watched_memory

GROW = "import sys, time\nkept = bytearray(64 << 20)\nprint('grown', flush=True)\ntime.sleep(60)"
SPIN = "print('spinning', flush=True)\nwhile True: pass"


@pytest.fixture
def child(request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has printed its first line."""
    with subprocess.Popen([sys.executable, *request.param], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


@pytest.mark.parametrize(
    ("child", "role"),
    [
        (["-c", GROW, "appliance.processes", "worker", "--data", "x"], "worker"),
        (["-c", GROW, "-m", "ui", "--data", "x"], "kiosk"),
        (["-c", GROW, "appliance.intake.child"], "jail of the run"),
    ],
    indirect=["child"],
)
def test_processes_are_known_by_what_they_are(child: subprocess.Popen[bytes], role: str) -> None:
    known = roles(psutil.Process(os.getpid()))
    assert known[os.getpid()] == "run"
    assert known[child.pid] == role


@pytest.mark.parametrize("child", [["-c", GROW, "appliance.processes", "worker"]], indirect=True)
def test_memory_is_what_the_process_holds(child: subprocess.Popen[bytes]) -> None:
    with watched_memory(os.getpid(), SystemClock()) as watch:
        watch.look()
    assert child.poll() is None
    (worker,) = (use for use in watch.use() if use.role == "worker")
    assert 64 * MIB < worker.highest_bytes < 128 * MIB
    assert worker.first_quarter_bytes == worker.last_quarter_bytes


@pytest.mark.parametrize("child", [["-c", SPIN, "appliance.processes", "worker"]], indirect=True)
def test_a_spinning_process_is_not_idle(child: subprocess.Popen[bytes]) -> None:
    clock = SystemClock()
    spent = cpu_percent(os.getpid(), clock, seconds=0.5)
    assert spent["worker"] > 15
    child.kill()
    child.wait()
    wait_until_quiet(os.getpid(), clock)
    assert "worker" not in cpu_percent(os.getpid(), clock, seconds=0.1)
