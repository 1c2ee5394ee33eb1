# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The store and the device as the poller reads them: one read-only connection, small files, the disk."""

from __future__ import annotations

import math
import shutil
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Final

from typing_extensions import Self

from appliance.clock import NS_PER_S, Clock
from appliance.domain.view import VIEW_FILE
from appliance.layout import Layout
from appliance.monitor.heartbeat import read_beat
from appliance.store.board import Board, BoardEntry
from appliance.store.connection import Database
from appliance.store.decisions import Choice, Decision, Decisions
from appliance.store.outbox import Outbox
from ui.records import BoardRecord, ExamRecord, HealthRecord, Sign

EXAMS_ON_BOARD: Final = 60
"""Newest exams that the list holds: half an hour of the busiest hour that PRODUCT.md knows (C1)."""
_PROCESSES: Final = ("watcher", "worker", "sender")


class StoreSource:
    """An open store, for one thread. A context manager."""

    def __init__(self, layout: Layout, clock: Clock) -> None:
        self._layout = layout
        self._clock = clock
        self._database = Database.open_to_read(layout.database, data=layout.data, clock=clock)
        self._board = Board(self._database)
        self._decisions = Decisions(self._database)
        self._mark: int | None = None

    def changed(self) -> bool:
        """Whether another process has committed since the last look: one page read."""
        before, self._mark = self._mark, self._database.change_mark()
        return before != self._mark

    def read(self) -> BoardRecord:
        """The newest exams and the device's health. Raises StoreError."""
        return BoardRecord(
            exams=tuple(self._exam(entry) for entry in self._board.entries(limit=EXAMS_ON_BOARD)),
            health=self._health(),
            read_ns=self._clock.monotonic_ns(),
            read_at_utc=self._clock.now_utc(),
        )

    def decide(self, exam_id: str, version: int, choice: Choice, reason: str | None) -> None:
        """Write a person's decision down, durably. Raises StoreError: then nothing was written."""
        layout = self._layout
        with Database.open(layout.database, data=layout.data, clock=self._clock) as writing:
            Decisions(writing).decide(exam_id, version, choice, reason=reason)

    def close(self) -> None:
        """Let go of the store."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _exam(self, entry: BoardEntry) -> ExamRecord:
        folder = self._layout.view_of(entry.acquisition_id, entry.version)
        mark = _changed_ns(folder / VIEW_FILE)
        return ExamRecord(
            entry=entry,
            landed_ns=entry.noticed_ns if entry.boot_id == self._clock.boot_id() else None,
            decision=self._decision(entry),
            view_folder=folder if mark else None,
            view_mark=mark,
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


def _changed_ns(file: Path) -> int:
    """When a file was last changed; 0 when it is not there."""
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0
