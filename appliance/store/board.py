# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The store as a reader sees it: one entry per acquisition, with what its lanes say, newest need first.

For the kiosk and for `scanside results`. Reads only; works through a read-only connection.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from appliance.domain.acquisition import Completeness, Instance, Kind, Urgency
from appliance.domain.job import JobState, Lane
from appliance.domain.record import from_json
from appliance.domain.result import LaneResult
from appliance.store.carried import CARRIED_SQL
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
    " (SELECT f.instance FROM file f WHERE f.acquisition_id = a.acquisition_id ORDER BY f.arrival LIMIT 1),"
    " last.landed_at_utc, last.noticed_ns, last.boot_id"
    " FROM acquisition a JOIN file last ON last.rowid = (SELECT f.rowid FROM file f"
    " WHERE f.acquisition_id = a.acquisition_id ORDER BY f.arrival DESC LIMIT 1)"
)
_LANES_SQL = (
    "SELECT j.acquisition_id, j.lane, j.state, j.reason, r.record, r.committed_ns, r.boot_id FROM job j"
    " JOIN acquisition a USING (acquisition_id, version)"
    " LEFT JOIN result r USING (acquisition_id, version, lane)"
    " WHERE a.sequence BETWEEN ? AND ? ORDER BY j.job_id"
)


class Board:
    """Reads what there is to see."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def entries(self, *, limit: int = 200) -> tuple[BoardEntry, ...]:
        """The newest acquisitions, last arrived first."""
        return self._whole(self._database.read(f"{_ENTRY_SQL} ORDER BY a.sequence DESC LIMIT ?", (limit,)))

    def every_entry(self) -> Iterator[BoardEntry]:
        """All acquisitions in order of arrival, read one by one."""
        for (sequence,) in self._database.read("SELECT sequence FROM acquisition ORDER BY sequence"):
            rows = self._database.read(f"{_ENTRY_SQL} WHERE a.sequence = ?", (sequence,))
            yield from self._whole(rows)

    def entry(self, acquisition_id: str) -> BoardEntry | None:
        """One acquisition."""
        rows = self._database.read(f"{_ENTRY_SQL} WHERE a.acquisition_id = ?", (acquisition_id,))
        return next(iter(self._whole(rows)), None)

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
            "SELECT (SELECT count(*) FROM file WHERE status = 'quarantined'),"  # noqa: S608  (no value in it)
            " (SELECT count(*) FROM acquisition WHERE completeness = 'RECEIVING'),"
            " (SELECT count(*) FROM outbox WHERE done = 0 AND step = 'send' AND stored = 0"
            f" AND NOT EXISTS ({CARRIED_SQL})),"  # a stick is on its way: nothing is being sent
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

    def _whole(self, rows: Sequence[Row]) -> tuple[BoardEntry, ...]:
        """Entries with their lanes, which are read together: two queries for any number of entries."""
        if not rows:
            return ()
        sequences = [row[0] for row in rows]
        lanes: dict[str, list[Row]] = {}
        for acquisition_id, *lane in self._database.read(_LANES_SQL, (min(sequences), max(sequences))):
            lanes.setdefault(acquisition_id, []).append(tuple(lane))
        return tuple(_entry(row, lanes.get(row[1], ())) for row in rows)


def _entry(row: Row, lanes: Sequence[Row]) -> BoardEntry:
    sequence, acquisition_id, version, kind, completeness, evidence, urgency, slices, files, instance = row[
        :10
    ]
    landed, noticed_ns, boot_id = row[10:]
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
        lanes=tuple(_lane(lane, noticed_ns, boot_id) for lane in lanes),
    )


def _lane(row: Row, noticed_ns: int, boot_id: str) -> LaneEntry:
    lane, state, reason, record, committed_ns, result_boot = row
    return LaneEntry(
        lane=Lane(lane),
        state=JobState(state),
        reason=reason,
        result=from_json(LaneResult, record) if record else None,
        landed_to_committed_ms=(
            (committed_ns - noticed_ns) / 1e6 if record and result_boot == boot_id else None
        ),
    )
