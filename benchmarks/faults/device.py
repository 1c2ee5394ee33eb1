# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A device of which only the doors are open: the product's supervisor and its watcher, on a disk of its own.

`python -m benchmarks.faults.device DATA` runs it until SIGTERM.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from threading import Event
from types import TracebackType

from pydicom import Dataset, dcmread
from pynetdicom import AE
from pynetdicom.sop_class import (  # type: ignore[attr-defined]  # names made at run time
    DigitalXRayImageStorageForPresentation,
)
from typing_extensions import Self

from appliance.clock import SystemClock
from appliance.layout import Layout
from appliance.logs import start_logs
from appliance.processes.supervisor import supervise
from appliance.processes.table import PROCESSES

STOP_PATIENCE_S = 30.0


class Device:
    """The running device. A context manager."""

    def __init__(self, layout: Layout, *, port: int, log: Path) -> None:
        self.port = port
        layout.data.mkdir(parents=True, exist_ok=True)
        layout.create()
        with log.open("ab") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.faults.device", str(layout.data)],
                env={
                    **os.environ,
                    "SCANSIDE__LISTENER__PORT": str(port),
                    "SCANSIDE__INTAKE__RESCAN_INTERVAL_S": "1",
                },
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )

    def store(self, image: Path) -> int | None:
        """Send it by C-STORE: the status that it was answered with; None: nobody was there to answer."""
        with socket.socket() as probe:  # the library leaves its own socket open where nobody listens
            if probe.connect_ex(("127.0.0.1", self.port)) != 0:
                return None
        sender = AE()
        sender.acse_timeout = sender.dimse_timeout = sender.network_timeout = 30
        sender.connection_timeout = 5
        dataset = dcmread(image)
        sender.add_requested_context(
            DigitalXRayImageStorageForPresentation, dataset.file_meta.TransferSyntaxUID
        )
        association = sender.associate("127.0.0.1", self.port, ae_title="SCANSIDE")
        if not association.is_established:
            transport = association.dul.socket
            if transport is not None and transport.socket is not None:
                transport.socket.close()  # one that never came to a connection is left open by the library
            return None
        answer: Dataset = association.send_c_store(dataset)
        association.release()
        return int(answer.Status) if "Status" in answer else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _main(data: Path) -> int:
    start_logs("run")
    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    doors = tuple(row for row in PROCESSES if row.name == "watcher")
    return supervise(layout=Layout(data=data), config=None, clock=SystemClock(), stop=stop, rows=doors)


if __name__ == "__main__":
    sys.exit(_main(Path(sys.argv[1])))
