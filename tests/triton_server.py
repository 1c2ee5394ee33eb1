# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A real Triton server on this machine, as `make setup-triton` brings it (CPU, Python backend)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import sysconfig
import time  # noqa: TID251  (a test waits for real processes)
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import pytest
from typing_extensions import Self

from appliance.engines.kserve import Connection, InferenceServer
from appliance.errors import EngineError
from tests.running import free_port

HOME = Path(sys.prefix) / "triton" / "pytriton" / "tritonserver"
BINARY = HOME / "bin" / "tritonserver"
STUB = HOME / "backends" / "python" / "triton_python_backend_stub"
LIBPYTHON = Path(sysconfig.get_config_var("LIBDIR") or "/") / str(sysconfig.get_config_var("INSTSONAME"))
START_LIMIT_S = 60.0
LOOK_INTERVAL_S = 0.05


def skip_without_triton() -> None:
    """The reason is shown in the test report."""
    if not BINARY.is_file() or not STUB.is_file():
        pytest.skip("no Triton server here: `make setup-triton` installs it where it can")
    if not LIBPYTHON.is_file():
        pytest.skip("Triton's Python backend needs libpython as a shared library, and this Python has none")


def at(address: str, **changes: object) -> InferenceServer:
    """A server on this machine, without TLS unless the test says otherwise."""
    known: dict[str, object] = {
        "address": address,
        "tls": False,
        "ca_file": None,
        "certificate_file": None,
        "key_file": None,
        "deadline_ms": 20_000.0,
        "connect_deadline_ms": 5_000.0,
        "require_sums": True,
    }
    return InferenceServer(**(known | changes))  # type: ignore[arg-type]  # a test's mistake fails here


class RunningTriton:
    """`tritonserver` on a model repository and a port of its own; ended with all its processes."""

    def __init__(self, repository: Path, log: Path, **options: str) -> None:
        """`options`: more of the server's own, dashes for underscores."""
        self.port = free_port()
        self.log = log
        self._command = [
            str(BINARY),
            f"--model-repository={repository}",
            f"--backend-directory={HOME / 'backends'}",
            "--allow-http=false",
            "--allow-metrics=false",
            "--grpc-address=127.0.0.1",
            f"--grpc-port={self.port}",
            f"--backend-config=python,shm-region-prefix-name=scanside-{self.port}-",
            *(f"--{name.replace('_', '-')}={value}" for name, value in options.items()),
        ]
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "LD_LIBRARY_PATH": str(LIBPYTHON.parent)}
        environment["PYTHONPATH"] = sysconfig.get_path("purelib")
        with self.log.open("ab") as log:
            return subprocess.Popen(
                self._command, env=environment, stdout=log, stderr=log, start_new_session=True
            )

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def wait(self, server: InferenceServer | None = None) -> None:
        """Until it answers; it does so only once all its models are loaded."""
        deadline = time.monotonic() + START_LIMIT_S
        while True:
            assert self.process.poll() is None, self.log.read_text(encoding="utf-8", errors="replace")[-4000:]
            connection = Connection(server or at(self.address, connect_deadline_ms=500.0))
            try:
                connection.server_words()
            except EngineError:
                assert time.monotonic() < deadline, "Triton does not answer"
                time.sleep(LOOK_INTERVAL_S)
            else:
                return
            finally:
                connection.close()

    def kill(self) -> None:
        """kill -9: the server and the processes of its models, which are all in a session of their own."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for left in Path("/dev/shm").glob(f"scanside-{self.port}-*"):
            left.unlink(missing_ok=True)

    def start_again(self) -> None:
        """On the same port."""
        self.process = self._start()
        self.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
