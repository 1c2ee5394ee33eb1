# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A wire that breaks in one way, in front of a real archive: it stalls, closes one half, or is cut."""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from threading import Event, Thread
from types import TracebackType
from typing import Literal

from typing_extensions import Self

CHUNK_BYTES = 16384
SMALL_BUFFER_BYTES = 4096
LOOK_S = 0.05

Fault = Literal["stalls", "closes its half", "is cut"]


class BadWire:
    """Passes on to `target` until `after_bytes` came from the caller; then its fault, until it is mended."""

    def __init__(self, target: int, fault: Fault, *, after_bytes: int) -> None:
        self._target = target
        self._fault = fault
        self._after_bytes = after_bytes
        self._mended, self._over = Event(), Event()
        self._threads: list[Thread] = []
        self.broke = 0
        self._door = socket.socket()
        self._door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER_BYTES)
        self._door.bind(("127.0.0.1", 0))
        self._door.listen()
        self._door.settimeout(LOOK_S)
        self.port: int = self._door.getsockname()[1]

    def mend(self) -> None:
        self._mended.set()

    def _start(self, work: Thread) -> None:
        self._threads.append(work)
        work.start()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                near, _ = self._door.accept()
            except TimeoutError:
                continue
            far = socket.create_connection(("127.0.0.1", self._target))
            self._start(Thread(target=self._forward, args=(near, far)))
            self._start(Thread(target=self._back, args=(far, near)))

    def _forward(self, near: socket.socket, far: socket.socket) -> None:
        """From the caller to the archive, where the fault is."""
        passed = 0
        try:
            while data := near.recv(CHUNK_BYTES):
                far.sendall(data)
                passed += len(data)
                if passed >= self._after_bytes and not self._mended.is_set():
                    self.broke += 1
                    self._break(near)
                    return
        except OSError:
            return
        finally:
            _end(far)
            near.close()

    def _break(self, near: socket.socket) -> None:
        if self._fault == "is cut":
            near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset
        elif self._fault == "stalls":
            self._over.wait(10)
        else:
            near.shutdown(socket.SHUT_WR)
            while near.recv(CHUNK_BYTES):  # it still reads, and throws away
                pass

    def _back(self, far: socket.socket, near: socket.socket) -> None:
        try:
            while data := far.recv(CHUNK_BYTES):
                near.sendall(data)
        except OSError:
            return

    def __enter__(self) -> Self:
        self._start(Thread(target=self._accept))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(15)
        self._door.close()


def _end(connection: socket.socket) -> None:
    """Also for the thread that waits for its bytes: closing alone does not wake it."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
