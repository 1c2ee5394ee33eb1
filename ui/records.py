# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the poller hands to the view state: plain values read from the store, nothing of Qt or SQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from appliance.domain.acquisition import Acquisition
from appliance.domain.job import JobState, Lane
from appliance.domain.result import LaneResult


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneJob:
    """Where one lane's job for the newest version of an acquisition stands."""

    lane: Lane
    state: JobState
    reason: str | None = None
    """Why it failed or was set aside, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamRecord:
    """One acquisition with everything that is known about it so far."""

    acquisition: Acquisition
    results: tuple[LaneResult, ...]
    """Of any version; only those of the newest version are shown as answers."""
    jobs: tuple[LaneJob, ...]
    waiting_s: float | None
    """Seconds since it landed; None where that is not known."""
    landed_at_utc: datetime | None
    view_folder: Path | None = None
    """The folder that holds `view.json`; None: no picture has been made (yet)."""

    def result(self, lane: Lane) -> LaneResult | None:
        """The lane's answer to the newest version, or None."""
        version = self.acquisition.version
        return next((r for r in self.results if r.lane is lane and r.version == version), None)

    def job(self, lane: Lane) -> LaneJob | None:
        """The lane's job for the newest version, or None."""
        return next((job for job in self.jobs if job.lane is lane), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """A process's last sign of life."""

    process: str
    """watcher, worker, sender."""
    age_s: float | None
    """Seconds since the sign; None: not in this boot."""
    beat_at_utc: datetime | None
    detail: str = ""
    """What the process says about itself: the engine in use, a full disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthRecord:
    """What the store and the disk say about the device."""

    heartbeats: tuple[Heartbeat, ...]
    queued: int
    """Jobs of the quality and triage lanes that wait or run."""
    oldest_queued_s: float | None
    quarantined: int
    failed: int
    last_result_at_utc: datetime | None
    unsent: int
    """Results that a receiver has not taken yet."""
    disk_used_fraction: float | None
    """0 to 1, of the file system that holds the data folder."""

    def heartbeat(self, process: str) -> Heartbeat | None:
        """The last sign of life of one process."""
        return next((beat for beat in self.heartbeats if beat.process == process), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardRecord:
    """One reading of the store."""

    exams: tuple[ExamRecord, ...]
    health: HealthRecord
    read_ns: int
    """Monotonic time of the reading."""
    read_at_utc: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreTrouble:
    """The store could not be read."""

    what: str
    remedy: str
    since_ns: int
    """Monotonic time of the first failed reading in a row."""
