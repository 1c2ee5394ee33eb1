# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The watcher that is put under faults of its folders, and what its store, its log and its beats say."""

from __future__ import annotations

import io
import math
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event
from typing import Any, Final

from pydicom import dcmread
from pynetdicom import AE
from typing_extensions import Self

from appliance.clock import NS_PER_S, SystemClock
from appliance.layout import Layout
from appliance.monitor.heartbeat import read_beat
from appliance.monitor.silent_folder import silent_folders
from appliance.processes.watcher import NAME
from appliance.store.connection import Database
from benchmarks.appliance_run import free_port
from benchmarks.faults.held_interpreter import HOG_FILE, OVERFLOWS_FILE
from benchmarks.faults.share import Share, why_no_share
from benchmarks.faults.tiny_images import tiny_radiograph, tiny_radiographs

SENT_NUMBER: Final = 50_000_000
"""The number of the image that is sent by DICOM meanwhile; the others' numbers stay below."""
NOTICED_LIMIT_S: Final = 30.0
"""From the end of the cause to where every file is either taken or in the queue."""
LANDED_LIMIT_S: Final = 1800.0
"""Patience. How long taking them takes is the device's speed and is reported, not judged."""
STARTED_LIMIT_S: Final = 60.0
SLOWEST_LOOK_S: Final = 0.2
_IN_THE_QUEUE: Final = re.compile(r"looking at (\d+) files")


class Site:
    """The watcher under fault, and what its store and its heartbeat say. A context manager."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.clock = SystemClock()
        self._settings = settings
        self.layout = Layout(data=folder / "data")
        self.layout.data.mkdir(parents=True, exist_ok=True)
        self.layout.create()
        self.share = Share(behind=folder / "behind", mounted=folder / "share")
        self._expected: dict[str, int] = {}
        self._next_number = 0
        self._port = free_port()
        self._waiter = Event()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            folders = "[]"
            if why_no_share() is None:
                stack.enter_context(self.share)
                folders = f'["{self.share.mounted}"]'
            self.database = stack.enter_context(
                Database.open(self.layout.database, data=self.layout.data, clock=self.clock)
            )
            environment = {
                **os.environ,
                "SCANSIDE__LISTENER__PORT": str(self._port),
                "SCANSIDE__INTAKE__FOLDERS": folders,
                **self._settings,
            }
            log = stack.enter_context((self.layout.data / "watcher.log").open("ab"))
            self._process = subprocess.Popen(
                (sys.executable, "-m", "benchmarks.faults.held_interpreter", str(self.layout.data)),
                env=environment,
                stdout=log,
                stderr=log,
            )
            stack.callback(self._end)
            self.wait(lambda: read_beat(self.layout.run, NAME, self.clock) is not None, STARTED_LIMIT_S)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *unused: object) -> None:
        self._stack.close()

    def _end(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STARTED_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @contextmanager
    def hogged(self) -> Iterator[None]:
        """The watcher's interpreter is held inside the block."""
        file = self.layout.data / HOG_FILE
        file.touch()
        try:
            yield
        finally:
            file.unlink()

    def write(self, folder: Path, count: int) -> None:
        """So many images that were never there before."""
        for content in tiny_radiographs(count, first=self._next_number):
            name = f"{self._next_number:08d}.dcm"
            (folder / name).write_bytes(content)
            self._expected[name] = 1
            self._next_number += 1

    def send(self) -> bool:
        """Send one image more by DICOM; whether it was acknowledged."""
        dataset = dcmread(io.BytesIO(tiny_radiograph(SENT_NUMBER)))
        application = AE()
        application.add_requested_context(dataset.SOPClassUID, dataset.file_meta.TransferSyntaxUID)
        application.dimse_timeout = application.network_timeout = NOTICED_LIMIT_S
        association = application.associate("127.0.0.1", self._port, ae_title="SCANSIDE")
        if not association.is_established:
            return False
        status = association.send_c_store(dataset)
        association.release()
        return bool(status) and status.Status == 0

    def landed(self) -> int:
        """How many are taken from the folders."""
        return int(self.database.read("SELECT count(*) FROM file WHERE door = 'folder'")[0][0])

    def silent(self) -> bool:
        """Whether the watcher says that the share does not answer."""
        beat = read_beat(self.layout.run, NAME, self.clock)
        named = silent_folders(beat.state) if beat is not None else ()
        return [one.path for one in named] == [str(self.share.mounted)]

    def beat_age_s(self) -> float:
        """Since the watcher's last sign of life."""
        beat = read_beat(self.layout.run, NAME, self.clock)
        return math.inf if beat is None else beat.age_s

    def noticed(self) -> int:
        """How many are taken, or in the queue."""
        landed = self.landed()
        beat = read_beat(self.layout.run, NAME, self.clock)
        found = _IN_THE_QUEUE.search(beat.state) if beat is not None else None
        return landed + (int(found[1]) if found else 0)

    def said(self, words: str) -> int:
        """How many lines of the log say that."""
        return (self.layout.data / "watcher.log").read_text("utf-8", "replace").count(words)

    def overflows(self) -> int:
        """How often the kernel's queue of events ran over."""
        file = self.layout.data / OVERFLOWS_FILE
        return int(file.read_text(encoding="ascii")) if file.exists() else 0

    def wait(self, condition: Callable[[], bool], limit_s: float) -> float:
        """Seconds until it held; infinite when it did not in time."""
        start_ns = self.clock.monotonic_ns()
        while not condition():
            passed_s = (self.clock.monotonic_ns() - start_ns) / NS_PER_S
            if passed_s > limit_s or self._process.poll() is not None:
                return float("inf")
            self._waiter.wait(SLOWEST_LOOK_S)
        return (self.clock.monotonic_ns() - start_ns) / NS_PER_S

    def pause(self, seconds: float) -> None:
        """Let the fault last."""
        self._waiter.wait(max(0.0, seconds))

    def after_the_cause(self, files: int) -> dict[str, Any]:
        """The cause has ended: how long noticing and taking take, and what is not as it should be."""
        total = len(self._expected)
        noticed_s = self.wait(lambda: self.noticed() >= total, NOTICED_LIMIT_S * 4)
        patience_s = LANDED_LIMIT_S if math.isfinite(noticed_s) else 0.0  # what nobody saw is not coming
        landed_s = noticed_s + self.wait(lambda: self.landed() >= total, patience_s)
        rows = self.database.read("SELECT source, status FROM file WHERE door = 'folder'")
        found = Counter(Path(source).name for source, status in rows if status == "accepted")
        wrong = (self._expected.keys() | found.keys()) - {
            name for name, count in found.items() if self._expected.get(name) == count
        }
        return {
            "files": files,
            "noticed_s": round(noticed_s, 1),
            "landed_s": round(landed_s, 1),
            "lost_or_double": len(wrong),
        }
