# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What has not come to its end: jobs by lane and state, and what each receiver has yet to take."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from appliance.clock import NS_PER_S
from appliance.store.connection import Database

_OLDEST_SQL: Final = (
    "SELECT min(queued_ns) FROM job WHERE state = 'queued' AND state != 'done' AND lane = ? AND boot_id = ?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneWaiting:
    """Jobs of one lane in one state."""

    lane: str
    state: str
    count: int
    oldest_s: float | None
    """Of the queued ones of this boot; None: none of them waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverWaiting:
    """What one receiver has yet to take."""

    receiver: str
    count: int
    oldest_at_utc: datetime | None
    """When the one that was queued first came in, or was found out; None: the store does not say."""


class Waiting:
    """Reads only, and only rows that are open."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lanes(self) -> tuple[LaneWaiting, ...]:
        """Every lane and state that is not done."""
        read = self._database.read
        clock = self._database.clock
        rows = read("SELECT lane, state, count(*) FROM job WHERE state != 'done' GROUP BY lane, state")
        found = []
        for lane, state, count in rows:
            oldest_ns = read(_OLDEST_SQL, (lane, clock.boot_id()))[0][0] if state == "queued" else None
            age_s = None if oldest_ns is None else (clock.monotonic_ns() - oldest_ns) / NS_PER_S
            found.append(LaneWaiting(lane=lane, state=state, count=count, oldest_s=age_s))
        return tuple(found)

    def quarantined_reasons(self) -> tuple[tuple[str, int], ...]:
        """Why jobs were set aside as the input's fault, with how many."""
        rows = self._database.read(
            "SELECT reason, count(*) FROM job WHERE state = 'quarantined' AND state != 'done' GROUP BY reason"
        )
        return tuple((reason or "", count) for reason, count in rows)

    def receiving(self) -> int:
        """Acquisitions of which more is expected."""
        rows = self._database.read("SELECT count(*) FROM acquisition WHERE completeness = 'RECEIVING'")
        return int(rows[0][0])

    def renders(self) -> int:
        """Results that are not DICOM objects yet."""
        rows = self._database.read("SELECT count(*) FROM outbox WHERE done = 0 AND step = 'render'")
        return int(rows[0][0])

    def receivers(self) -> tuple[ReceiverWaiting, ...]:
        """Every receiver for which something waits."""
        rows = self._database.read(
            "SELECT peer, count(*), min(outbox_id) FROM outbox WHERE done = 0 AND step = 'send' GROUP BY peer"
        )
        return tuple(
            ReceiverWaiting(receiver=peer, count=count, oldest_at_utc=self._since(oldest))
            for peer, count, oldest in rows
        )

    def away(self) -> tuple[tuple[str, datetime | None], ...]:
        """Every receiver that was ever asked, and since when it takes nothing."""
        rows = self._database.read("SELECT peer, away_since_utc FROM peer_standing")
        return tuple((peer, datetime.fromisoformat(since) if since else None) for peer, since in rows)

    def _since(self, outbox_id: int) -> datetime | None:
        """An original lies under its content's hash, a result in the folder of its acquisition's version."""
        read = self._database.read
        path = Path(read("SELECT path FROM outbox WHERE outbox_id = ?", (outbox_id,))[0][0])
        rows = read("SELECT landed_at_utc FROM file WHERE sha256 = ?", (path.stem,))
        if not rows:
            acquisition_id, _, version = path.parent.name.rpartition("-v")
            rows = read(
                "SELECT min(committed_at_utc) FROM result WHERE acquisition_id = ? AND version = ?",
                (acquisition_id, int(version) if version.isdecimal() else -1),
            )
        return datetime.fromisoformat(rows[0][0]) if rows and rows[0][0] else None
