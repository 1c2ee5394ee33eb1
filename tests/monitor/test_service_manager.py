# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What systemd hears, at a real socket: from the heartbeat, and from a real process of the table."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.clock import ManualClock
from appliance.monitor.heartbeat import BEAT_INTERVAL_S, Heartbeat
from appliance.monitor.service_manager import tell_alive, tell_ready, tell_stopping

PATIENCE_S = 60.0


class Manager:
    """The receiving end, as systemd has it."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address)
        self._socket.settimeout(PATIENCE_S)

    def next(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in self._socket.recv(4096).decode().splitlines())

    def is_silent(self) -> bool:
        self._socket.setblocking(False)
        try:
            self._socket.recv(4096)
        except BlockingIOError:
            return True
        finally:
            self._socket.settimeout(PATIENCE_S)
        return False

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    listening = Manager(str(tmp_path / "notify"))
    yield listening
    listening.close()


def test_ready_alive_stopping(manager: Manager) -> None:
    tell_ready()
    assert manager.next() == {"READY": "1"}
    tell_alive("working:\n triage")
    assert manager.next() == {"WATCHDOG": "1", "STATUS": "working: triage"}
    tell_stopping()
    assert manager.next() == {"STOPPING": "1"}


def test_an_abstract_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"scanside-test-{os.getpid()}"
    monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
    listening = Manager(f"\0{name}")
    tell_ready()
    assert listening.next() == {"READY": "1"}
    listening.close()


@pytest.mark.parametrize("name", ["", "/nowhere/notify", "@scanside-nobody", "nonsense"])
def test_nobody_listens(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", name)
    tell_ready()
    tell_alive("waiting")


def test_the_heartbeat_feeds_the_watchdog(manager: Manager, tmp_path: Path) -> None:
    clock = ManualClock()
    beat = Heartbeat(tmp_path, "worker", clock)
    beat.beat("waiting")
    assert manager.next() == {"READY": "1"}
    assert manager.next()["WATCHDOG"] == "1"
    beat.beat("waiting")
    assert manager.is_silent()
    clock.advance(BEAT_INTERVAL_S * 1.1)
    beat.beat("waiting")
    assert manager.next()["WATCHDOG"] == "1"


# Trace: REQ-018
def test_a_real_process_tells_and_a_stopped_one_does_not(manager: Manager, tmp_path: Path) -> None:
    """SIGSTOP is what a hung main loop looks like from outside: the watchdog must starve."""
    sender = subprocess.Popen(
        [sys.executable, "-m", "appliance.processes", "sender", "--data", str(tmp_path / "data")],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
    )
    try:
        assert manager.next() == {"READY": "1"}
        assert manager.next()["WATCHDOG"] == "1"
        assert manager.next()["WATCHDOG"] == "1"
        sender.send_signal(signal.SIGSTOP)
        while not manager.is_silent():
            pass
        manager._socket.settimeout(2.5)
        with pytest.raises(TimeoutError):
            manager.next()
        sender.send_signal(signal.SIGCONT)
        manager._socket.settimeout(PATIENCE_S)
        assert manager.next()["WATCHDOG"] == "1"
        sender.terminate()
        while "STOPPING" not in manager.next():
            pass
        assert sender.wait(PATIENCE_S) == 0
    finally:
        sender.kill()
        sender.wait()
