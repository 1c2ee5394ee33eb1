# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""One life of the process inside the jail, seen from outside: start, talk in lines, kill."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Final

from appliance.clock import NS_PER_MS, NS_PER_S, Clock
from appliance.config import ReadingSettings
from appliance.errors import EngineError

_MODULE: Final = "appliance.intake.jail_child"
_START_TIMEOUT_S: Final = 60.0
"""Importing takes 0.6 s on a quiet machine; a cold SD card and a busy processor take many times that."""
_RECEIVE_BYTES: Final = 1 << 18
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_LONGEST_LINE_BYTES: Final = 1 << 26
"""A frame header with a full VOI table is 0.5 MB, the positions of 65535 frames are 4 MB."""
_INHERITED: Final = ("PATH", "LD_LIBRARY_PATH", "HOME", "LANG", "TZ")
_QUIET: Final = MappingProxyType(
    {
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONSAFEPATH": "1",
    }
)
"""Threads reserve address space, which is what the jail bounds."""


class ProcessGoneError(Exception):
    """The process ended by itself, or said something that is not a line of ours."""


class JailProcess:
    """A started child. Its owner must `kill` it in the end."""

    def __init__(self, settings: ReadingSettings, clock: Clock) -> None:
        self._clock = clock
        self._received = b""
        self.known_buffers: set[int] = set()
        """Numbers of the shared buffers that it has mapped."""
        self._channel, inside = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with inside, _closing_on_error(self._channel):
            limits = (settings.memory_bytes, settings.max_frame_bytes, os.getpid())
            self._process = subprocess.Popen(
                [sys.executable, "-m", _MODULE, str(inside.fileno()), *map(str, limits)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(inside.fileno(),),
                cwd="/",
                env=_environment(),
            )
        self._ready = False

    @property
    def pid(self) -> int:
        """Process id, for measuring and for tests."""
        return self._process.pid

    def wait_until_ready(self) -> None:
        """Raises EngineError when the process does not come up: that is never a file's fault."""
        if self._ready:
            return
        try:
            line = self.receive(self._clock.monotonic_ns() + round(_START_TIMEOUT_S * NS_PER_S))
        except ProcessGoneError as error:
            line = None
            reason = f"it ended with {self.end_words()}"
            cause: Exception | None = error
        else:
            reason, cause = f"it was not ready after {_START_TIMEOUT_S:g} s", None
        if line is None:
            self.kill()
            raise EngineError(
                f"The process that reads images could not be started: {reason}.",
                remedy="Check free memory and the installation with `scanside doctor`.",
            ) from cause
        self._ready = True

    def send(self, line: bytes, descriptors: tuple[int, ...]) -> None:
        """One line, and the descriptors of new buffers. Raises ProcessGoneError."""
        try:
            if descriptors:
                sent = socket.send_fds(self._channel, [line], list(descriptors))
                line = line[sent:]
            if line:
                self._channel.sendall(line)
        except OSError as error:
            raise ProcessGoneError from error

    def receive(self, deadline_ns: int) -> str | None:
        """The next line, or None at the deadline (monotonic). Raises ProcessGoneError."""
        poller = select.poll()
        poller.register(self._channel, select.POLLIN)
        pieces = [self._received]
        size = len(self._received)
        while b"\n" not in pieces[-1]:
            left_ms = (deadline_ns - self._clock.monotonic_ns()) / NS_PER_MS
            if left_ms <= 0 or not poller.poll(left_ms):
                self._received = b"".join(pieces)
                return None
            try:
                received = self._channel.recv(_RECEIVE_BYTES)
            except OSError as error:
                raise ProcessGoneError from error
            size += len(received)
            if not received or size > _LONGEST_LINE_BYTES:
                raise ProcessGoneError
            pieces.append(received)
        line, _, self._received = b"".join(pieces).partition(b"\n")
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ProcessGoneError from error

    def computed_s(self) -> float:
        """Seconds of a processor that it has had so far, all its threads together (proc(5), stat)."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii", errors="replace")
        user, system = fields.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / _TICKS_PER_S

    def has_ended(self) -> bool:
        """True where it is gone without having been asked."""
        return self._process.poll() is not None

    def end_words(self) -> str:
        """How it ended: the signal's name or the exit code."""
        code = self._process.wait()
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"

    def kill(self) -> None:
        """End it at once and collect it. It holds nothing that would be lost."""
        self._process.kill()
        self._process.wait()
        self._channel.close()


@contextmanager
def _closing_on_error(channel: socket.socket) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        channel.close()
        raise EngineError(
            f"The process that reads images could not be started: {error.strerror}.",
            remedy="Check free memory and the installation with `scanside doctor`.",
        ) from error


def _environment() -> dict[str, str]:
    """What the child needs to find the same code; no settings, no secrets."""
    path = os.pathsep.join(os.path.abspath(entry) for entry in sys.path if entry)  # noqa: PTH100  no links resolved
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return {**inherited, **_QUIET, "PYTHONPATH": path}
