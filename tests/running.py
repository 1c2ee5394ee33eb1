# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The real appliance, started as a person would start it, for tests that need all of it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time  # noqa: TID251  (a test waits for real processes)
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil
from typing_extensions import Self

from appliance.commands.results import stored_lines
from appliance.errors import StoreError
from appliance.layout import Layout

LOOK_INTERVAL_S = 0.1
CHILD_LIMIT_S = 60
FINAL = {"done", "refused", "quarantined", "ignored", "failed"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class RunningAppliance:
    """`scanside run` on a data folder of its own; stopped at the end of the block."""

    def __init__(self, data: Path, **settings: str) -> None:
        self.layout = Layout(data=data)
        self.layout.create()
        self.port = free_port()
        self.metrics_port = free_port()
        self.log = data / "appliance.log"
        self._environment = {
            **os.environ,
            "SCANSIDE__LISTENER__PORT": str(self.port),
            "SCANSIDE__METRICS__PORT": str(self.metrics_port),
            "SCANSIDE__INTAKE__SERIES_QUIET_S": "2",
            **settings,
        }
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "appliance", "run", "--data", str(self.layout.data)],
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    def lines(self) -> list[dict[str, Any]]:
        try:
            return list(stored_lines(self.layout))
        except StoreError:  # it is still being made
            return []

    def wait_for(
        self, condition: Callable[[list[dict[str, Any]]], bool], *, limit_s: float
    ) -> list[dict[str, Any]]:
        """The lines, once the condition holds; AssertionError with the end of the log otherwise."""
        deadline = time.monotonic() + limit_s
        lines: list[dict[str, Any]] = []
        while time.monotonic() < deadline:
            lines = self.lines()
            if condition(lines):
                return lines
            time.sleep(LOOK_INTERVAL_S)
        states = [(line["files"][:1], line["status"], line["reason"]) for line in lines]
        tail = self.log.read_text(encoding="utf-8", errors="replace")[-4000:]
        raise AssertionError(f"after {limit_s} s: {states}\n{tail}")

    def wait_for_answers(self, count: int, *, limit_s: float = 60) -> list[dict[str, Any]]:
        """The lines, once there are `count` and each has its last word."""
        return self.wait_for(
            lambda lines: len(lines) >= count and all(line["status"] in FINAL for line in lines),
            limit_s=limit_s,
        )

    def child(self, name: str) -> psutil.Process | None:
        """A process of the table; None between two lives."""
        for child in psutil.Process(self.process.pid).children():
            try:
                if name in child.cmdline():
                    return child
            except psutil.Error:
                continue
        return None

    def kill(self, name: str) -> None:
        """kill -9, as soon as it lives."""
        deadline = time.monotonic() + CHILD_LIMIT_S
        while (child := self.child(name)) is None:
            assert time.monotonic() < deadline, f"{name} does not come back"
            time.sleep(LOOK_INTERVAL_S)
        child.send_signal(signal.SIGKILL)

    def wait_for_the_door(self) -> None:
        """Until the DICOM port takes connections."""
        deadline = time.monotonic() + CHILD_LIMIT_S
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert time.monotonic() < deadline, "the listener did not open"
            time.sleep(LOOK_INTERVAL_S)

    def kill_all_and_start_again(self) -> None:
        """The plug: every process at once, the supervisor first; then somebody switches it on again."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        for child in children:
            try:
                child.kill()
            except psutil.NoSuchProcess:
                continue
        self.process.wait()
        psutil.wait_procs(children, timeout=10)
        self.process = self._start()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
