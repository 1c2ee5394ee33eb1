# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The store as a reader sees it: one entry per acquisition, with what its lanes say, newest need first.

For the kiosk and for `scanside results`. Reads only; works through a read-only connection.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from appliance.domain.acquisition import Completeness, Instance, Kind, Urgency
from appliance.domain.job import JobState, Lane
from appliance.domain.record import from_json
from appliance.domain.result import LaneResult
from appliance.store.connection import Database, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneEntry:
    """How far one lane is with the current version."""

    lane: Lane
    state: JobState
    reason: str | None
    """Why it failed, was quarantined or came back; None when there is nothing to say."""
    result: LaneResult | None
    landed_to_committed_ms: float | None
    """From the last file's first sight to the commit, on the monotonic clock; None across a reboot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardEntry:
    """One acquisition."""

    sequence: int
    """Order of arrival."""
    acquisition_id: str
    version: int
    kind: Kind
    completeness: Completeness
    evidence: str
    urgency: Urgency
    first: Instance
    """The first instance that arrived: its header speaks for the acquisition."""
    instance_count: int
    slice_count: int
    landed_at_utc: datetime
    """When its last file landed."""
    noticed_ns: int
    """Monotonic time of the first sight of its last file; compare within `boot_id` only."""
    boot_id: str
    lanes: tuple[LaneEntry, ...]
    """In lane order; empty while the acquisition is still being received."""

    def lane(self, lane: Lane) -> LaneEntry | None:
        """One lane's entry; None while it has no job."""
        return next((entry for entry in self.lanes if entry.lane is lane), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """A file that gave no acquisition: quarantined or ignored, with the reason."""

    source: str
    path: str
    status: str
    reason: str
    landed_at_utc: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The store in numbers."""

    queued: int
    leased: int
    failed: int
    quarantined_files: int
    receiving: int
    unsent: int
    """Files that still wait for a peer."""
    last_result_at_utc: datetime | None


_ENTRY_SQL = (
    "SELECT a.sequence, a.acquisition_id, a.version, a.kind, a.completeness, a.evidence, a.urgency,"
    " json_array_length(a.slices),"
    " (SELECT count(*) FROM file f WHERE f.acquisition_id = a.acquisition_id),"
    " (SELECT f.instance FROM file f WHERE f.acquisition_id = a.acquisition_id ORDER BY f.arrival LIMIT 1)"
    " FROM acquisition a"
)


class Board:
    """Reads what there is to see."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def entries(self, *, limit: int = 200) -> tuple[BoardEntry, ...]:
        """The newest acquisitions, last arrived first."""
        rows = self._database.read(f"{_ENTRY_SQL} ORDER BY a.sequence DESC LIMIT ?", (limit,))
        return tuple(self._entry(row) for row in rows)

    def every_entry(self) -> Iterator[BoardEntry]:
        """All acquisitions in order of arrival, read one by one."""
        for (sequence,) in self._database.read("SELECT sequence FROM acquisition ORDER BY sequence"):
            rows = self._database.read(f"{_ENTRY_SQL} WHERE a.sequence = ?", (sequence,))
            yield from (self._entry(row) for row in rows)

    def entry(self, acquisition_id: str) -> BoardEntry | None:
        """One acquisition."""
        rows = self._database.read(f"{_ENTRY_SQL} WHERE a.acquisition_id = ?", (acquisition_id,))
        return self._entry(rows[0]) if rows else None

    def sources(self, acquisition_id: str) -> tuple[str, ...]:
        """The names under which its files came, in order of arrival."""
        rows = self._database.read(
            "SELECT source FROM file WHERE acquisition_id = ? ORDER BY arrival", (acquisition_id,)
        )
        return tuple(row[0] for row in rows)

    def set_aside(self, *, limit: int = 100_000) -> tuple[SetAside, ...]:
        """Files that were quarantined or ignored, last first."""
        rows = self._database.read(
            "SELECT source, path, status, reason, landed_at_utc FROM file WHERE status != 'accepted'"
            " ORDER BY rowid DESC LIMIT ?",
            (limit,),
        )
        return tuple(
            SetAside(
                source=source,
                path=path,
                status=status,
                reason=reason or "",
                landed_at_utc=datetime.fromisoformat(landed),
            )
            for source, path, status, reason, landed in rows
        )

    def counts(self) -> Counts:
        """Numbers for the health bar."""
        jobs: dict[str, int] = dict(self._database.read("SELECT state, count(*) FROM job GROUP BY state"))
        others = self._database.read(
            "SELECT (SELECT count(*) FROM file WHERE status = 'quarantined'),"
            " (SELECT count(*) FROM acquisition WHERE completeness = 'RECEIVING'),"
            " (SELECT count(*) FROM outbox WHERE done = 0 AND step = 'send'),"
            " (SELECT max(committed_at_utc) FROM result)"
        )[0]
        return Counts(
            queued=jobs.get(JobState.QUEUED.value, 0),
            leased=jobs.get(JobState.LEASED.value, 0),
            failed=jobs.get(JobState.FAILED.value, 0),
            quarantined_files=others[0],
            receiving=others[1],
            unsent=others[2],
            last_result_at_utc=datetime.fromisoformat(others[3]) if others[3] else None,
        )

    def _entry(self, row: Row) -> BoardEntry:
        (
            sequence,
            acquisition_id,
            version,
            kind,
            completeness,
            evidence,
            urgency,
            slices,
            files,
            instance,
        ) = row
        landed, noticed_ns, boot_id = self._database.read(
            "SELECT landed_at_utc, noticed_ns, boot_id FROM file WHERE acquisition_id = ?"
            " ORDER BY arrival DESC LIMIT 1",
            (acquisition_id,),
        )[0]
        return BoardEntry(
            sequence=sequence,
            acquisition_id=acquisition_id,
            version=version,
            kind=Kind(kind),
            completeness=Completeness(completeness),
            evidence=evidence,
            urgency=Urgency(urgency),
            first=from_json(Instance, instance),
            instance_count=files,
            slice_count=slices,
            landed_at_utc=datetime.fromisoformat(landed),
            noticed_ns=noticed_ns,
            boot_id=boot_id,
            lanes=self._lanes(acquisition_id, version, noticed_ns, boot_id),
        )

    def _lanes(
        self, acquisition_id: str, version: int, noticed_ns: int, boot_id: str
    ) -> tuple[LaneEntry, ...]:
        rows = self._database.read(
            "SELECT j.lane, j.state, j.reason, r.record, r.committed_ns, r.boot_id FROM job j"
            " LEFT JOIN result r USING (acquisition_id, version, lane)"
            " WHERE j.acquisition_id = ? AND j.version = ? ORDER BY j.job_id",
            (acquisition_id, version),
        )
        return tuple(
            LaneEntry(
                lane=Lane(lane),
                state=JobState(state),
                reason=reason,
                result=from_json(LaneResult, record) if record else None,
                landed_to_committed_ms=(
                    (committed_ns - noticed_ns) / 1e6 if record and result_boot == boot_id else None
                ),
            )
            for lane, state, reason, record, committed_ns, result_boot in rows
        )
