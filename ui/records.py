# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the poller hands to the view state: plain values read from the store, nothing of Qt or SQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from appliance.domain.expected import ExpectedStep, ListState
from appliance.domain.job import Lane
from appliance.domain.result import LaneResult
from appliance.monitor.fault import Fault
from appliance.monitor.proof import Proof
from appliance.store.board import BoardEntry, Counts
from appliance.store.decisions import Decision
from appliance.store.opinions import Act, Deed, Opinion
from appliance.store.punctuality import Tally
from ui.device_record import DeviceRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamRecord:
    """One acquisition with everything that is known about it so far."""

    entry: BoardEntry
    landed_ns: int | None
    """Monotonic time of the first sight of its last file; None when that was before this boot."""
    decision: Decision | None = None
    """What a person decided about this version."""
    repeats_today: int | None = None
    """Repeats of this view of this patient that were ordered today; None: the header does not say whose."""
    view_folder: Path | None = None
    """The folder that holds `view.json`; None: no picture has been made (yet)."""
    view_mark: int = 0
    """Differs after the worker has added to the view."""
    opinions: tuple[Opinion, ...] = ()
    """The newest one on each finding of this version."""
    deeds: tuple[Deed, ...] = ()
    """What was done with this version: at most one of each act."""

    order: ExpectedStep | None = None
    """The step of the worklist that it belongs to; None: no worklist, or to none."""
    nothing_more_comes: bool = False
    """The modality reported the end of the study, and all that it made is here."""

    def deed(self, act: Act) -> Deed | None:
        """The one time that it was done; None: not yet."""
        return next((deed for deed in self.deeds if deed.act is act), None)

    def result(self, lane: Lane) -> LaneResult | None:
        """The lane's answer to the newest version, or None."""
        found = self.entry.lane(lane)
        return found.result if found is not None else None

    def waiting_s(self, now_ns: int) -> float | None:
        """Seconds since it landed; None where that is not known."""
        return None if self.landed_ns is None else (now_ns - self.landed_ns) / 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A process's last sign of life."""

    process: str
    """watcher, worker, sender."""
    beat_ns: int | None
    """Monotonic time of the sign; None: not in this boot."""
    beat_at_utc: datetime | None
    state: str
    """What the process says about itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthRecord:
    """What the store, the processes and the disk say about the device."""

    counts: Counts
    signs: tuple[Sign, ...]
    disk_used_fraction: float | None
    """0 to 1, of the file system that holds the data folder."""
    device: DeviceRecord | None = None
    """The machine itself and its receivers; None: nobody looked."""
    proof: Proof | None = None
    """The worker's last answer to a known question; None: there never was one."""
    faults: tuple[Fault, ...] = ()
    """Why processes could not start."""
    oldest_unsent_at_utc: datetime | None = None
    """Since when the oldest file waits for its receiver; None: none does, or it is not known."""

    def sign(self, process: str) -> Sign | None:
        """The last sign of life of one process."""
        return next((sign for sign in self.signs if sign.process == process), None)

    def fault(self, process: str) -> Fault | None:
        """Why one process could not start; None when it did."""
        return next((fault for fault in self.faults if fault.process == process), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedRecord:
    """Who is on the worklist and has no image yet."""

    state: ListState
    age_min: float | None
    """Of the list."""
    steps: tuple[ExpectedStep, ...]
    """By time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardRecord:
    """One reading of the store."""

    exams: tuple[ExamRecord, ...]
    """Last arrived first."""
    health: HealthRecord
    read_ns: int
    """Monotonic time of the reading."""
    read_at_utc: datetime
    punctuality: Tally | None = None
    """How many of today's exams were checked in time; None: not counted yet."""
    expected: ExpectedRecord | None = None
    """None: no worklist is set up."""
    late_view_s: float = 20.0
    """How long a study is held open for its next view (PRODUCT.md, C3: 00:52)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreTrouble:
    """The store could not be read or written."""

    what: str
    remedy: str
    since_ns: int
    """Monotonic time of the first failed reading in a row."""
