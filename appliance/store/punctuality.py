# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Was the check in time? Counted from the store's own times, in public, and never better than it was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from appliance.clock import NS_PER_S
from appliance.domain.acquisition import Kind, Urgency
from appliance.domain.deadline import deadline_s
from appliance.domain.job import Lane
from appliance.domain.quality import Verdict
from appliance.store.connection import Database, Row

_SINCE_SQL = (
    "SELECT a.kind, f.boot_id, f.noticed_ns, r.boot_id, r.committed_ns,"
    " EXISTS (SELECT 1 FROM json_each(r.record, '$.quality') c"
    "  WHERE json_extract(c.value, '$.verdict') != ?)"
    " FROM (SELECT DISTINCT acquisition_id FROM file"
    "  WHERE status = 'accepted' AND landed_at_utc >= ? AND acquisition_id IS NOT NULL) t"
    " JOIN acquisition a ON a.acquisition_id = t.acquisition_id"
    " JOIN file f ON f.rowid = (SELECT l.rowid FROM file l WHERE l.acquisition_id = a.acquisition_id"
    "  ORDER BY l.arrival DESC LIMIT 1)"
    " LEFT JOIN result r ON r.acquisition_id = a.acquisition_id AND r.version = a.version AND r.lane = ?"
    " WHERE a.urgency != ?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The exams that landed since a moment, by when their check answered. Each is in one of these."""

    in_time: int
    late: int
    """Answered after the deadline, or not answered yet and past it."""
    pending: int
    """Not answered, and still in time."""
    unknown: int
    """The device was restarted between landing and answer: the two times do not compare."""
    without_check: int
    """Answered, but nothing in the image could be judged: neither in time nor late."""


def tally_since(database: Database, since: datetime) -> Tally:
    """Count what landed since then.

    What already waited when the device started is left out: no patient stood beside it.
    """
    rows = database.read(
        _SINCE_SQL,
        (
            Verdict.NOT_CHECKED.value,
            since.isoformat(),
            Lane.QUALITY.value,
            Urgency.BACKFILL.value,
        ),
    )
    clock = database.clock
    now_ns, boot_id = clock.monotonic_ns(), clock.boot_id()
    kinds = [_outcome(row, now_ns=now_ns, boot_id=boot_id) for row in rows]
    return Tally(
        in_time=kinds.count("in_time"),
        late=kinds.count("late"),
        pending=kinds.count("pending"),
        unknown=kinds.count("unknown"),
        without_check=kinds.count("without_check"),
    )


def _outcome(row: Row, *, now_ns: int, boot_id: str) -> str:
    kind, landed_boot, noticed_ns, answered_boot, committed_ns, judged = row
    answered = answered_boot is not None
    if answered and not judged:
        return "without_check"
    if landed_boot != (answered_boot if answered else boot_id):
        return "unknown"
    took_s = ((committed_ns if answered else now_ns) - noticed_ns) / NS_PER_S
    if took_s > deadline_s(Kind(kind)):
        return "late"
    return "in_time" if answered else "pending"
