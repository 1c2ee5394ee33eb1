# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Figure: what is put into a watched folder is taken, whatever happens to the events and to the folder.

One watcher, the real process with the real jail, store and DICOM door, and two folders: the inbox, whose
interpreter is hogged while a burst comes and which is deleted and made again, and a share without events
that goes away and stops answering. Every file is an image of its own; at the end each must be accepted, once.
"""

from __future__ import annotations

import io
import math
import os
import re
import shutil
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
from benchmarks.faults.figure import Run
from benchmarks.faults.held_interpreter import HOG_FILE, OVERFLOWS_FILE
from benchmarks.faults.share import Share, why_no_share
from benchmarks.faults.tiny_images import tiny_radiograph, tiny_radiographs

BURST_FILES: Final = 60_000
OTHER_FILES: Final = 2_000
OUTAGE_S: Final = 300.0
SILENCE_S: Final = 45.0
"""How long the share's server does not answer."""
SENT_NUMBER: Final = 50_000_000
"""The number of the image that is sent by DICOM meanwhile; the others' numbers stay below."""
NOTICED_LIMIT_S: Final = 30.0
"""From the end of the cause to where every file is either taken or in the queue."""
LANDED_LIMIT_S: Final = 1800.0
"""Patience. How long taking them takes is the device's speed and is reported, not judged."""
STARTED_LIMIT_S: Final = 60.0
SLOWEST_LOOK_S: Final = 0.2
QUEUE_LENGTH: Final = Path("/proc/sys/fs/inotify/max_queued_events")
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


def may_shorten() -> bool:
    """Whether the kernel's queue may be made shorter here."""
    return os.access(QUEUE_LENGTH, os.W_OK)


@contextmanager
def short_queue(length: int) -> Iterator[None]:
    """Queues of events that are made inside the block hold no more, where that is allowed."""
    if not may_shorten():
        yield
        return
    before = QUEUE_LENGTH.read_text(encoding="ascii")
    QUEUE_LENGTH.write_text(str(length), encoding="ascii")
    try:
        yield
    finally:
        QUEUE_LENGTH.write_text(before, encoding="ascii")


def burst(site: Site, files: int) -> dict[str, Any]:
    """Many files at once while the interpreter is held."""
    before, start_ns = site.overflows(), site.clock.monotonic_ns()
    with site.hogged():
        site.write(site.layout.inbox, files)
        wrote_s = (site.clock.monotonic_ns() - start_ns) / NS_PER_S
    counts = site.after_the_cause(files)
    return counts | {"wrote_s": round(wrote_s, 1), "overflows": site.overflows() - before}


def no_events(site: Site, files: int) -> dict[str, Any]:
    """Another machine writes to the share."""
    site.write(site.share.behind, files)
    return site.after_the_cause(files)


def outage(site: Site, files: int, *, seconds: float) -> dict[str, Any]:
    """The share goes away while files are being taken from it, and more come before it is back."""
    site.write(site.share.behind, files // 2)
    site.share.go_away()
    site.write(site.share.behind, files - files // 2)
    site.pause(seconds)
    site.share.come_back()
    return site.after_the_cause(files) | {"away_s": seconds, "lines_of_log": site.said("cannot be read")}


def silence(site: Site, files: int, *, seconds: float) -> dict[str, Any]:
    """The share's server does not answer for a while: who asks it waits, and nobody else does."""
    site.write(site.share.behind, files // 2)
    site.share.stop_answering()
    start_ns = site.clock.monotonic_ns()
    site.write(site.share.behind, files - files // 2)
    said_s = site.wait(site.silent, NOTICED_LIMIT_S)
    before = site.landed()
    site.write(site.layout.inbox, 1)
    other_s = site.wait(lambda: site.landed() > before, NOTICED_LIMIT_S)
    sent = site.send()
    beat_age_s = site.beat_age_s()
    site.pause(seconds - (site.clock.monotonic_ns() - start_ns) / NS_PER_S)
    site.share.answer_again()
    counts = site.after_the_cause(files)
    site.wait(lambda: not site.silent(), NOTICED_LIMIT_S)
    return counts | {
        "silent_s": seconds,
        "said_s": round(said_s, 1),
        "other_folder_s": round(other_s, 1),
        "sent": sent,
        "beat_age_s": round(beat_age_s, 1),
        "lines_of_log": [site.said("does not answer"), site.said("answers again")],
    }


def root_again(site: Site, files: int) -> dict[str, Any]:
    """The inbox is deleted with all that is in it, and made again with other files."""
    shutil.rmtree(site.layout.inbox)
    site.pause(1.0)
    site.layout.inbox.mkdir()
    site.write(site.layout.inbox, files)
    return site.after_the_cause(files)


def run(run: Run) -> None:
    """The figure."""
    why_not = why_no_share()
    files, others = run.rounds(BURST_FILES), run.rounds(OTHER_FILES)
    phases: dict[str, Callable[[Site], dict[str, Any]]] = {
        "burst": lambda site: burst(site, files),
        "root_again": lambda site: root_again(site, others),
    }
    if why_not is None:
        phases |= {
            "no_events": lambda site: no_events(site, others),
            "outage": lambda site: outage(site, others, seconds=OUTAGE_S * run.amount),
            "silence": lambda site: silence(site, others, seconds=SILENCE_S * run.amount),
        }
    counts = run.counted() or {"phases": {}, "failures": []}
    counts["without_a_share"] = why_not
    for done, (name, phase) in enumerate(phases.items()):
        run.progress(name, done, len(phases))
        if name in counts["phases"]:
            continue
        shutil.rmtree(run.folder / name, ignore_errors=True)  # of a run that was interrupted
        with Site(run.folder / name) as site:
            counted = phase(site)
        counts["phases"][name] = counted
        counts["failures"] += failures(name, counted)
        run.note(counts)
        shutil.rmtree(run.folder / name)
    run.progress("done", len(phases), len(phases))


def failures(name: str, counted: dict[str, Any]) -> list[str]:
    """What a phase did not keep, in words."""
    found = []
    if counted["lost_or_double"]:
        found.append(f"{name}: {counted['lost_or_double']} files lost or taken twice")
    if counted["noticed_s"] > NOTICED_LIMIT_S:
        found.append(f"{name}: noticed after {counted['noticed_s']} s")
    if "said_s" in counted and not math.isfinite(counted["said_s"] + counted["other_folder_s"]):
        found.append(f"{name}: not said, or a file of another folder was not taken meanwhile")
    if not counted.get("sent", True):
        found.append(f"{name}: the DICOM door did not take an image meanwhile")
    return found
