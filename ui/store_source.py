# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The store and the device as the poller reads them: one read-only connection, small files, the disk."""

from __future__ import annotations

import math
import shutil
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Final

import structlog
from typing_extensions import Self

from appliance.clock import NS_PER_S, Clock
from appliance.config import Settings
from appliance.domain.view import VIEW_FILE
from appliance.errors import StoreError
from appliance.layout import Layout
from appliance.monitor.boots import NOTICE
from appliance.monitor.fault import SETTINGS, Fault, read_fault
from appliance.monitor.heartbeat import read_beat
from appliance.monitor.proof import read_proof
from appliance.store.board import Board, BoardEntry
from appliance.store.connection import Database
from appliance.store.decisions import Choice, Decision, Decisions
from appliance.store.opinions import Opinions
from appliance.store.outbox import Outbox
from ui.commands import Command
from ui.day_counts import DayCounts
from ui.device_source import DeviceSource
from ui.order_source import OrderSource
from ui.records import BoardRecord, ExamRecord, HealthRecord, Sign

EXAMS_ON_BOARD: Final = 120
"""Newest exams that the list holds: the busiest hour that PRODUCT.md knows (C1)."""
_PROCESSES: Final = ("watcher", "worker", "sender")


class StoreSource:
    """An open store, for one thread. A context manager."""

    def __init__(
        self,
        layout: Layout,
        clock: Clock,
        *,
        device: DeviceSource | None = None,
        settings: Settings | None = None,
    ) -> None:
        """Without `settings` no worklist is shown, and times are as shipped."""
        self._layout = layout
        self._clock = clock
        self._database = Database.open_to_read(layout.database, data=layout.data, clock=clock)
        self._board = Board(self._database)
        self._decisions = Decisions(self._database)
        self._today = DayCounts(self._database, clock)
        self._device = device or DeviceSource(clock)
        self._orders = OrderSource(self._database, settings or Settings())
        self._mark: int | None = None

    def changed(self) -> bool:
        """Whether another process has committed since the last look: one page read."""
        before, self._mark = self._mark, self._database.change_mark()
        return before != self._mark

    def read(self) -> BoardRecord:
        """The newest exams and the device's health. Raises StoreError."""
        self._today.look()
        boot_id = self._clock.boot_id()
        exams = tuple(self._exam(entry, boot_id) for entry in self._board.entries(limit=EXAMS_ON_BOARD))
        exams = self._orders.matched(self._answered(exams))
        return BoardRecord(
            exams=exams,
            expected=self._orders.expected(exams),
            late_view_s=self._orders.late_view_s,
            health=self._health(),
            read_ns=self._clock.monotonic_ns(),
            read_at_utc=self._clock.now_utc(),
            punctuality=self._today.punctuality,
        )

    def decide(self, exam_id: str, version: int, choice: Choice, reason: str | None) -> None:
        """Write a person's decision down, durably. Raises StoreError: then nothing was written."""
        layout = self._layout
        with Database.open(layout.database, data=layout.data, clock=self._clock) as writing:
            told = Decisions(writing).decide(exam_id, version, choice, reason=reason)
        if told:  # DICOM has no message that takes a note back: somebody has to ask there
            structlog.get_logger().warning("receivers keep a rejection note taken back", receivers=told)

    def write(self, command: Command) -> None:
        """Write any other tap down, durably. Raises StoreError: then nothing was written."""
        layout = self._layout
        with Database.open(layout.database, data=layout.data, clock=self._clock) as writing:
            command.apply(writing)

    def close(self) -> None:
        """Let go of the store."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _exam(self, entry: BoardEntry, boot_id: str) -> ExamRecord:
        folder = self._layout.view_of(entry.acquisition_id, entry.version)
        mark = _changed_ns(folder / VIEW_FILE)
        return ExamRecord(
            entry=entry,
            landed_ns=entry.noticed_ns if entry.boot_id == boot_id else None,
            decision=self._decision(entry),
            repeats_today=self._today.repeats_of(entry.first),
            view_folder=folder if mark else None,
            view_mark=mark,
        )

    def _answered(self, exams: tuple[ExamRecord, ...]) -> tuple[ExamRecord, ...]:
        """The exams with what people answered: two queries, however many exams there are."""
        ledger, ids = Opinions(self._database), [exam.entry.acquisition_id for exam in exams]
        opinions, deeds = ledger.newest(ids), ledger.deeds(ids)
        return tuple(
            replace(
                exam,
                opinions=tuple(
                    o
                    for o in opinions
                    if (o.subject.acquisition_id, o.subject.version)
                    == (exam.entry.acquisition_id, exam.entry.version)
                ),
                deeds=tuple(
                    d
                    for d in deeds
                    if (d.acquisition_id, d.version) == (exam.entry.acquisition_id, exam.entry.version)
                ),
            )
            for exam in exams
        )

    def _decision(self, entry: BoardEntry) -> Decision | None:
        """The newest decision, unless the images have changed since."""
        decision = self._decisions.latest(entry.acquisition_id)
        return decision if decision is not None and decision.version == entry.version else None

    def _health(self) -> HealthRecord:
        try:
            usage = shutil.disk_usage(self._layout.data)
        except OSError:
            disk = None
        else:
            disk = (usage.total - usage.free) / usage.total if usage.total else None
        return HealthRecord(
            counts=self._board.counts(),
            signs=tuple(self._sign(process) for process in _PROCESSES),
            disk_used_fraction=disk,
            device=self._device.read(self._database),
            proof=read_proof(self._layout.run, self._clock),
            faults=_faults(self._layout),
            oldest_unsent_at_utc=self._oldest_unsent(),
        )

    def _oldest_unsent(self) -> datetime | None:
        """When the file that waits longest was written; it is never rewritten."""
        path = Outbox(self._database).longest_waiting()
        changed_ns = _changed_ns(path) if path is not None else 0
        return datetime.fromtimestamp(changed_ns / NS_PER_S, timezone.utc) if changed_ns else None

    def _sign(self, process: str) -> Sign:
        beat = read_beat(self._layout.run, process, self._clock)
        if beat is None or not math.isfinite(beat.age_s):
            return Sign(process=process, beat_ns=None, beat_at_utc=None, state="")
        return Sign(
            process=process,
            beat_ns=self._clock.monotonic_ns() - round(beat.age_s * NS_PER_S),
            beat_at_utc=self._clock.now_utc() - timedelta(seconds=beat.age_s),
            state=beat.state,
        )


def open_store(
    layout: Layout, clock: Clock, *, device: DeviceSource | None = None, settings: Settings | None = None
) -> StoreSource:
    """The store; where there is none because a process could not start, StoreError says that instead."""
    try:
        return StoreSource(layout, clock, device=device, settings=settings)
    except StoreError as error:
        for fault in _faults(layout):
            raise StoreError(fault.what, remedy=fault.remedy) from error
        raise


def _faults(layout: Layout) -> tuple[Fault, ...]:
    found = (read_fault(layout.run, process) for process in ("run", NOTICE, SETTINGS, *_PROCESSES))
    return tuple(fault for fault in found if fault is not None)


def _changed_ns(file: Path) -> int:
    """When a file was last changed; 0 when it is not there."""
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0
