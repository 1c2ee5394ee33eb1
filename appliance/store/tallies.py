# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Counts that are kept, and how far they have come: a question about 100,000 exams reads a hundred rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Final, TypeAlias

from appliance.domain.acquisition import Kind, Urgency
from appliance.domain.record import from_json
from appliance.domain.result import EngineUse, LaneResult
from appliance.store.connection import Database, Row

Key: TypeAlias = tuple[str, tuple[str, ...]]
"""Name of a count, and the values of its labels."""

RESULT: Final = "result"
FILE: Final = "file"

_SELECT_SQL: Final = (
    "SELECT r.rowid, r.record, r.boot_id, r.committed_ns, a.kind, a.urgency, f.boot_id, f.noticed_ns,"
    " r.committed_at_utc"
    " FROM result r JOIN acquisition a USING (acquisition_id)"
    " LEFT JOIN file f ON f.rowid = (SELECT l.rowid FROM file l WHERE l.acquisition_id = r.acquisition_id"
    "  ORDER BY l.arrival DESC LIMIT 1)"
)
_AFTER_SQL: Final = f"{_SELECT_SQL} WHERE r.rowid > ? ORDER BY r.rowid LIMIT ?"
_BETWEEN_SQL: Final = (
    f"{_SELECT_SQL} WHERE r.rowid > ? AND r.committed_at_utc >= ? AND r.committed_at_utc < ?"
    " ORDER BY r.rowid LIMIT ?"
)
ROWS_AT_ONCE: Final = 500
"""Of a period: so many results are in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResult:
    """One lane's result, with what is needed to say whether it was in time."""

    rowid: int
    result: LaneResult
    kind: Kind
    urgency: Urgency
    took_ns: int | None
    """From the first sight of the last file to the commit; None across a restart of the device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """One file that came in."""

    rowid: int
    door: str
    status: str
    reason: str | None


class Tallies:
    """Reads what is new, and keeps what was counted."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def position(self, source: str) -> int:
        """The last row of that table that is counted; 0: none is."""
        rows = self._database.read("SELECT last_rowid FROM tally_position WHERE source = ?", (source,))
        return int(rows[0][0]) if rows else 0

    def results_after(self, rowid: int, *, limit: int) -> tuple[StoredResult, ...]:
        """The next results in the order of their commits."""
        rows = self._database.read(_AFTER_SQL, (rowid, limit))
        return tuple(_stored_result(row) for row in rows)

    def results_between(self, since: datetime, until: datetime) -> Iterator[tuple[datetime, StoredResult]]:
        """Results that were committed from `since` on and before `until`, each with that time."""
        last = 0
        between = tuple(moment.astimezone(timezone.utc).isoformat() for moment in (since, until))
        while rows := self._database.read(_BETWEEN_SQL, (last, *between, ROWS_AT_ONCE)):
            for row in rows:
                yield datetime.fromisoformat(row[8]), _stored_result(row)
            last = rows[-1][0]

    def files_after(self, rowid: int, *, limit: int) -> tuple[StoredFile, ...]:
        """The next files in the order in which they came."""
        rows = self._database.read(
            "SELECT rowid, door, status, reason FROM file WHERE rowid > ? ORDER BY rowid LIMIT ?",
            (rowid, limit),
        )
        return tuple(
            StoredFile(rowid=number, door=door, status=status, reason=reason)
            for number, door, status, reason in rows
        )

    def add(self, counts: Mapping[Key, float], *, source: str, last_rowid: int) -> None:
        """Add to what is kept, and say how far that goes: together, or not at all."""
        with self._database.transaction() as write:
            for (name, labels), value in counts.items():
                write(
                    "INSERT INTO tally (name, labels, value) VALUES (?, ?, ?)"
                    " ON CONFLICT (name, labels) DO UPDATE SET value = value + excluded.value",
                    (name, json.dumps(labels), value),
                )
            write(
                "INSERT INTO tally_position (source, last_rowid) VALUES (?, ?)"
                " ON CONFLICT (source) DO UPDATE SET last_rowid = excluded.last_rowid",
                (source, last_rowid),
            )

    def every(self) -> dict[Key, float]:
        """All counts."""
        rows = self._database.read("SELECT name, labels, value FROM tally")
        return {(name, tuple(json.loads(labels))): float(value) for name, labels, value in rows}

    def note_engines(self, uses: Mapping[str, EngineUse]) -> None:
        """Who answered last, task by task."""
        with self._database.transaction() as write:
            for use in uses.values():
                write(
                    "INSERT OR REPLACE INTO engine_in_use (task, model, engine, fallback_reason)"
                    " VALUES (?, ?, ?, ?)",
                    (use.task, use.model, use.engine, use.fallback_reason),
                )

    def engines(self) -> dict[str, EngineUse]:
        """Who answered last for each task that was ever answered."""
        rows = self._database.read("SELECT task, model, engine, fallback_reason FROM engine_in_use")
        return {
            task: EngineUse(task=task, model=model, engine=engine, fallback_reason=reason)
            for task, model, engine, reason in rows
        }


def _stored_result(row: Row) -> StoredResult:
    number, record, boot_id, committed_ns, kind, urgency, landed_boot, noticed_ns = row[:8]
    return StoredResult(
        rowid=number,
        result=from_json(LaneResult, record),
        kind=Kind(kind),
        urgency=Urgency(urgency),
        took_ns=committed_ns - noticed_ns if boot_id == landed_boot else None,
    )
