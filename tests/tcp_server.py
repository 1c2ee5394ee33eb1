# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A server on this machine that does with each connection what a test says."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

Talk = Callable[[socket.socket], None]


@contextmanager
def tcp_server(talk: Talk, *, context: ssl.SSLContext | None = None, port: int = 0) -> Iterator[int]:
    """Yields its port. One connection after the other; the last one may take as long as the test does."""
    listening = socket.create_server(("127.0.0.1", port))

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return  # closed below
            connection.settimeout(10)
            try:
                if context is not None:
                    connection = context.wrap_socket(connection, server_side=True)
                talk(connection)
            except OSError:
                continue  # whoever called has gone
            finally:
                connection.close()

    thread = Thread(target=serve)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()
