# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Figure 9, a disk that is full, read-only or gone: nothing is acknowledged, all is readable, work resumes.

The product's supervisor and watcher run on a disk of their own. Images come by C-STORE and as files. While
the fault lasts no image may be answered with success and no file of a sender may change; what the
screen reads must be all that was acknowledged before, or, where there is no disk any more, words that
say so. When the cause ends, nobody touches the device.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import time  # noqa: TID251  (a real device works in real time)
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any, Final

import apsw
from pydicom import dcmread

from appliance.clock import SystemClock
from appliance.errors import StoreError
from appliance.layout import Layout
from appliance.monitor.heartbeat import read_beat
from appliance.store.board import Board
from appliance.store.connection import Database
from benchmarks.appliance_run import free_port
from benchmarks.faults.device import Device
from benchmarks.faults.figure import Run
from benchmarks.faults.loop_disk import MIB, LoopDisk
from benchmarks.faults.sources import Sources

CASES: Final = ("bytes", "inodes", "read-only", "vanished")
ROUNDS: Final = 5
DISK_MIB: Final = 400
"""More than the watcher keeps free (256 MiB)."""
INODES: Final = 2048
RESUMES_WITHIN_S: Final = 60.0
START_LIMIT_S: Final = 120.0
BEFORE: Final = 3
"""Images that are acknowledged before the fault."""
TRIES: Final = 4
"""Images that are sent while it lasts."""
LOOK_S: Final = 0.25


class Case:
    """One fault of one disk."""

    def __init__(self, name: str, folder: Path, disk: LoopDisk, images: Iterator[bytes]) -> None:
        self._name = name
        self._folder = folder
        self._disk = disk
        self._images = images
        self._number = 0
        self._layout = Layout(data=disk.root / "data")
        self._acknowledged: list[str] = []
        self.statuses: list[int | None] = []
        self.resumed_s: float | None = None
        self.said = ""
        self.wrong: list[str] = []

    def run(self) -> None:
        """From a device that works, through the fault, to one that works again."""
        inbox = self._layout.inbox
        with Device(self._layout, port=free_port(), log=self._folder / f"{self._name}.log") as device:
            if not _until(lambda: self._send(device), START_LIMIT_S):
                self.wrong.append("the device did not start")
                return
            for _ in range(BEFORE - 1):
                self._send(device)
            reader = self._reader()
            self._begin()
            waiting = inbox / "waits.dcm"
            content = next(self._images)
            if self._name in ("bytes", "inodes"):
                with suppress(OSError):  # there may be no room for it at all
                    waiting.write_bytes(content)
            for _ in range(TRIES):
                self._try(device)
            self._look(reader)
            reader.close()
            if self._name != "vanished":
                self._look_anew()
            beat = read_beat(self._layout.run, "watcher", SystemClock())
            self.said = beat.state if beat is not None else ""
            if "not receiving" not in self.said:
                self.wrong.append(f"the watcher does not say what is wrong: {self.said!r}")
            if waiting.exists() and waiting.read_bytes() not in (content, content[: waiting.stat().st_size]):
                self.wrong.append("a file of a sender is not as it was")
            self._end()
            began = time.monotonic()
            if _until(lambda: self._send(device), RESUMES_WITHIN_S):
                self.resumed_s = time.monotonic() - began
            else:
                self.wrong.append(f"not receiving again after {RESUMES_WITHIN_S:.0f} s")
            (inbox / "late.dcm").write_bytes(late := next(self._images))
            if not _until(lambda: self._knows(late), RESUMES_WITHIN_S):
                self.wrong.append("a file of the inbox is not taken")
        self._compare()

    def _image(self) -> Path:
        self._number += 1
        path = self._folder / f"image-{self._number}.dcm"
        path.write_bytes(next(self._images))
        return path

    def _send(self, device: Device) -> bool:
        image = self._image()
        if device.store(image) != 0:
            return False
        self._acknowledged.append(_uid(image.read_bytes()))
        return True

    def _try(self, device: Device) -> None:
        status = device.store(self._image())
        self.statuses.append(status)
        if status == 0:
            self.wrong.append("an image was acknowledged during the fault")

    def _begin(self) -> None:
        if self._name == "bytes":
            fill(self._disk.root / "foreign")
        elif self._name == "inodes":
            _use_up_inodes(self._disk.root / "foreign")
        elif self._name == "read-only":
            self._disk.fail()
        else:
            self._disk.shut_down()

    def _end(self) -> None:
        if self._name in ("bytes", "inodes"):
            shutil.rmtree(self._disk.root / "foreign")
        else:
            self._disk.come_back(still_open=True)

    def _reader(self) -> Database:
        layout = self._layout
        return Database.open_to_read(layout.database, data=layout.data, clock=SystemClock())

    def _look(self, reader: Database) -> None:
        """What a screen that is on reads: everything, or why not."""
        try:
            seen = {entry.first.sop_instance_uid for entry in Board(reader).entries()}
        except StoreError as error:
            if self._name != "vanished":
                self.wrong.append(f"the screen cannot read: {error}")
            return
        if not set(self._acknowledged) <= seen:
            self.wrong.append("the screen does not show what was acknowledged")

    def _look_anew(self) -> None:
        """What a screen reads that is switched on now."""
        try:
            with self._reader() as reader:
                self._look(reader)
        except StoreError as error:
            self.wrong.append(f"a screen that starts cannot read: {error}")

    def _knows(self, content: bytes) -> bool:
        sha256 = hashlib.sha256(content).hexdigest()
        with suppress(StoreError), self._reader() as reader:
            return bool(reader.read("SELECT 1 FROM file WHERE sha256 = ?", (sha256,)))
        return False

    def _compare(self) -> None:
        store = apsw.Connection(str(self._layout.database))
        if store.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
            self.wrong.append("the store is damaged")
        rows: list[Any] = store.execute(
            "SELECT json_extract(instance, '$.sop_instance_uid'), path, sha256 FROM file"
        ).fetchall()
        store.close()
        known = {uid for uid, _, _ in rows}
        self.wrong += [f"lost: {uid}" for uid in self._acknowledged if uid not in known]
        for _, path, sha256 in rows:
            if hashlib.sha256((self._layout.data / path).read_bytes()).hexdigest() != sha256:
                self.wrong.append(f"torn: {sha256}")


def run(run: Run) -> None:
    """See `Run`."""
    counts = run.counted()
    sources = Sources(run.folder / "sources")
    planned = [(number, name) for number in range(run.rounds(ROUNDS)) for name in CASES]
    images = islice(iter(sources), 1000 * counts.get("done", 0), None)
    for done, (number, name) in islice(enumerate(planned), counts.get("done", 0), None):
        run.progress(name, done, len(planned))
        case = try_case(name, run.folder / f"{number}-{name}", images)
        kept = counts.setdefault(name, {"rounds": 0, "statuses": {}, "resumed_s": [], "said": []})
        kept["rounds"] += 1
        for status in case.statuses:
            word = "no answer" if status is None else f"{status:04X}"
            kept["statuses"][word] = kept["statuses"].get(word, 0) + 1
        kept["resumed_s"].append(None if case.resumed_s is None else round(case.resumed_s, 1))
        kept["said"] = sorted({*kept["said"], case.said.replace(str(run.folder), "")})
        counts["failures"] = [*counts.get("failures", []), *(f"{name}: {words}" for words in case.wrong)]
        counts["done"] = done + 1
        run.note(counts)


def try_case(name: str, folder: Path, images: Iterator[bytes]) -> Case:
    """One fault on a disk of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    inodes = INODES if name == "inodes" else None
    with LoopDisk(folder, size_mib=DISK_MIB, inodes=inodes) as disk:
        case = Case(name, folder, disk, images)
        case.run()
    return case


def _uid(content: bytes) -> str:
    return str(dcmread(BytesIO(content), stop_before_pixels=True).SOPInstanceUID)


def _until(holds: Callable[[], bool], limit_s: float) -> bool:
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(LOOK_S)
    return False


def fill(folder: Path) -> None:
    """Every byte, in steps that get smaller."""
    folder.mkdir()
    for step_bytes in (16 * MIB, MIB, 1 << 14, 1 << 12):
        number = 0
        while True:
            number += 1
            try:
                fd = os.open(folder / f"{step_bytes}-{number}", os.O_WRONLY | os.O_CREAT)
            except OSError:
                return
            try:
                os.posix_fallocate(fd, 0, step_bytes)
            except OSError as error:
                if error.errno == errno.ENOSPC:
                    break
                raise
            finally:
                os.close(fd)


def _use_up_inodes(folder: Path) -> None:
    folder.mkdir()
    with suppress(OSError):
        for number in range(INODES * 2):
            (folder / str(number)).touch()
