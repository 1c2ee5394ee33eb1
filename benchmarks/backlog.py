# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The appliance starts in front of a full inbox: urgent first, memory bounded, nothing lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from appliance.clock import NS_PER_S
from appliance.domain.job import Lane
from appliance.errors import StoreError
from appliance.store.board import Board, BoardEntry
from benchmarks.appliance_run import Appliance, has_ended, running_appliance
from benchmarks.memory import MemoryUse, watched_memory
from benchmarks.plan import Workshop
from benchmarks.studies import write_backlog

TIMEOUT_S_PER_FILE: Final = 0.5
TIMEOUT_S: Final = 120.0
"""On top: starting, and proving models."""
LOOKS_PER_COUNT: Final = 100
"""Counting 10,000 rows once a second is next to nothing; a hundred times a second it would be a load."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BacklogReport:
    """What became of the files."""

    files: int
    answered: int
    """Acquisitions all of whose lanes have ended."""
    failed: int
    """Lanes of those that ended without a result."""
    lost: int
    """Files of which the store knows nothing."""
    seconds: float
    """From the start of the appliance to the last answer."""
    files_per_second: float
    urgent: int
    urgent_rank: float
    """Median place of the urgent ones' triage among all commits of that lane, as a share: 0 is first. They
    sort last in the inbox and are known to be urgent only when their header has been read."""
    urgent_after_seen_s: float
    """Longest time from the first sight of an urgent file, among all others, to its quality verdict."""
    memory: tuple[MemoryUse, ...]


def measure_backlog(workshop: Workshop) -> BacklogReport:
    """Fill the inbox, then start. Raises MeasuringError when not everything is answered in time."""
    plan, clock = workshop.plan, workshop.clock
    workshop.say(f"making a backlog of {plan.backlog_files} files")
    data = workshop.folder / "appliance"
    studies = write_backlog(data / "inbox", files=plan.backlog_files, urgent=plan.urgent_files)
    urgent = {study.study_instance_uid for study in studies[-plan.urgent_files :]}
    workshop.say("working the backlog off")
    start_ns = clock.monotonic_ns()
    with running_appliance(data, clock) as appliance:
        with watched_memory(appliance.pid, clock) as memory:
            appliance.wait_for(
                _Done(appliance, plan.backlog_files),
                timeout_s=TIMEOUT_S + TIMEOUT_S_PER_FILE * plan.backlog_files,
                what=f"answer {plan.backlog_files} files",
            )
            seconds = (clock.monotonic_ns() - start_ns) / NS_PER_S
        with appliance.store() as database:
            entries = tuple(Board(database).every_entry())
            aside = len(Board(database).set_aside())
    lost = plan.backlog_files - sum(entry.instance_count for entry in entries) - aside
    return _report(entries, urgent, lost=lost, files=plan.backlog_files, seconds=seconds, memory=memory.use())


class _Done:
    """Whether as many files are in the store as there are, and no job waits. Asked often, looks seldom."""

    def __init__(self, appliance: Appliance, files: int) -> None:
        self._appliance = appliance
        self._files = files
        self._calls = 0

    def __call__(self) -> bool:
        self._calls += 1
        if self._calls % LOOKS_PER_COUNT:
            return False
        try:
            with self._appliance.store() as database:
                counts = Board(database).counts()
                files = int(database.read("SELECT count(*) FROM file")[0][0])
        except StoreError:  # it is only just being made
            return False
        return files >= self._files and not counts.queued and not counts.leased and not counts.receiving


def _report(
    entries: tuple[BoardEntry, ...],
    urgent: set[str],
    *,
    lost: int,
    files: int,
    seconds: float,
    memory: tuple[MemoryUse, ...],
) -> BacklogReport:
    hurried = [entry for entry in entries if entry.first.study_instance_uid in urgent]
    order = np.sort([at for entry in entries if (at := _committed_ns(entry, Lane.TRIAGE)) is not None])
    places = [
        float(np.searchsorted(order, at)) / max(1, len(order))
        for entry in hurried
        if (at := _committed_ns(entry, Lane.TRIAGE)) is not None
    ]
    waits_ms = [
        lane.landed_to_committed_ms
        for entry in hurried
        if (lane := entry.lane(Lane.QUALITY)) is not None and lane.landed_to_committed_ms is not None
    ]
    ended = [entry for entry in entries if has_ended(entry)]
    return BacklogReport(
        files=files,
        answered=len(ended),
        failed=sum(lane.result is None for entry in ended for lane in entry.lanes),
        lost=lost,
        seconds=round(seconds, 2),
        files_per_second=round(files / seconds, 2),
        urgent=len(hurried),
        urgent_rank=round(float(np.median(places)), 4) if places else float("nan"),
        urgent_after_seen_s=round(max(waits_ms) / 1000, 3) if waits_ms else float("nan"),
        memory=memory,
    )


def _committed_ns(entry: BoardEntry, lane: Lane) -> int | None:
    found = entry.lane(lane)
    if found is None or found.landed_to_committed_ms is None:
        return None
    return entry.noticed_ns + round(found.landed_to_committed_ms * 1e6)
