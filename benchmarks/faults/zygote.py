# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A process that has loaded everything, and forks a driver of the line whenever it is told to.

Loading takes a second, a driver that is to be cut lives for less. Each driver starts from the same memory,
so the same work makes the same system calls in the same order: the n-th of them can be made to fail.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import cv2
import structlog
from typing_extensions import Self

from appliance.errors import ScansideError
from appliance.logs import start_logs
from appliance.store.connection import Database
from benchmarks.faults.line_driver import Order, drive, warm_up

GO: Final = signal.SIGUSR1
WELL: Final = 0
SAID_SO: Final = 3
"""The product reported the fault in its own words, and stopped."""
CONTROLS: Final = ("normal", "no_fsync")
"""Protections that a driver may be started without, to see that the harness notices."""


class Zygote:
    """The process, seen from the harness. A context manager."""

    def __init__(self, source: Path) -> None:
        """`source`: an image to warm up with."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.faults.zygote", str(source)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._line() == "ready"

    def start(self, order: Order, *, without: str | None = None, waits: bool = False) -> int:
        """Fork a driver; its process id. `waits`: it does nothing before it gets GO."""
        self._tell(
            {
                "data": str(order.data),
                "acknowledged": str(order.acknowledged),
                "received": str(order.received),
                "most_renders": order.most_renders,
                "without": without,
                "waits": waits,
            }
        )
        return int(self._line())

    def wait(self) -> int:
        """Until the driver has ended: its exit code, negative for a signal."""
        self._tell({})
        return int(self._line())

    def _tell(self, what: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if not line:
            raise RuntimeError("the zygote has died")
        return line

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


def _serve(source: Path) -> None:
    start_logs("driver")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    cv2.setNumThreads(0)  # a fork keeps no threads
    with tempfile.TemporaryDirectory() as folder:
        warm_up(Path(folder) / "warm", source)
    signal.pthread_sigmask(signal.SIG_BLOCK, {GO})
    print("ready", flush=True)
    pid = 0
    for line in sys.stdin:
        told = json.loads(line)
        if not told:
            status = os.waitpid(pid, 0)[1]
            print(os.waitstatus_to_exitcode(status), flush=True)
            continue
        pid = os.fork()
        if pid == 0:
            _be_a_driver(told)
        print(pid, flush=True)


def _be_a_driver(told: dict[str, Any]) -> None:
    code = 1
    try:
        if told["waits"]:
            signal.sigwait({GO})
        _leave_out(told["without"])
        drive(
            Order(
                data=Path(told["data"]),
                acknowledged=Path(told["acknowledged"]),
                received=Path(told["received"]),
                most_renders=told["most_renders"],
            )
        )
        code = WELL
    except (ScansideError, OSError):
        code = SAID_SO
    except BaseException:  # the product let something through that is not one of its errors
        traceback.print_exc()
    finally:
        os._exit(code)


def _leave_out(protection: str | None) -> None:
    """Only in this process, and only to see that its absence is found."""
    if protection == "no_fsync":
        os.fsync = lambda fd: None  # noqa: ARG005
        os.posix_fadvise = lambda *_: None  # it would have the pages written
    if protection == "normal":
        migrate = Database._migrate  # noqa: SLF001

        def weaken(self: Database) -> None:
            migrate(self)
            self.read("PRAGMA synchronous=NORMAL")

        Database._migrate = weaken  # type: ignore[method-assign]  # noqa: SLF001


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
