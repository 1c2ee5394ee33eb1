# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A real web server on this machine that answers what a test says."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What came."""

    path: str
    headers: dict[str, str]
    body: bytes


Answer = Callable[[Request], tuple[int, bytes]]


@contextmanager
def web_server(answer: Answer, *, context: ssl.SSLContext | None = None, port: int = 0) -> Iterator[str]:
    """Yields its address."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, content = answer(Request(path=self.path, headers=dict(self.headers), body=body))
            try:
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except OSError:
                return  # whoever asked waits no longer

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    class Server(ThreadingHTTPServer):
        daemon_threads = False

        def handle_error(self, *_: object) -> None:
            """A client that breaks off is what some tests are about."""

    server = Server(("127.0.0.1", port), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"{'https' if context else 'http'}://127.0.0.1:{server.server_address[1]}/base"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Slow:
    """An answer that waits until the test lets it go."""

    def __init__(self) -> None:
        self._let_go = Event()

    def __call__(self, _: Request) -> tuple[int, bytes]:
        self._let_go.wait(30)
        return 200, b""

    def let_go(self) -> None:
        self._let_go.set()
