# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""How the courier stands: what waits, which bundles are on their way, since when. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from appliance.store.carried import CARRIED_SQL
from appliance.store.connection import Database
from appliance.store.courier import MINE_SQL


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleStanding:
    """One bundle that this device packed."""

    bundle: int
    file_name: str
    state: str
    """packing, packed, handed, abandoned or closed."""
    packed_at_utc: datetime
    size_bytes: int | None
    files: int
    exams: int
    accepted: int
    refused: int

    @property
    def unanswered(self) -> int:
        """Files of which no receipt says anything."""
        return self.files - self.accepted - self.refused


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierStanding:
    """All of it."""

    waiting_files: int
    """Not on any stick."""
    waiting_exams: int
    carried_files: int
    """With the courier, no receipt yet."""
    last_stick_at_utc: datetime | None
    bundles: tuple[BundleStanding, ...]
    """Newest first."""


class CourierStandings:
    """Asks the store."""

    def __init__(self, database: Database, *, peer: str) -> None:
        self._database = database
        self._peer = peer

    def now(self, *, limit: int = 1000) -> CourierStanding:
        """How it stands. Raises StoreError."""
        read = self._database.read
        waiting = [
            row[0] for row in read(f"SELECT path {MINE_SQL} AND NOT EXISTS ({CARRIED_SQL})", (self._peer,))
        ]
        total = read(f"SELECT count(*) {MINE_SQL}", (self._peer,))[0][0]
        last = read(
            "SELECT packed_at_utc FROM courier_bundle WHERE state IN ('handed', 'closed')"
            " ORDER BY bundle DESC LIMIT 1"  # by number: the clock may have been set since
        )
        return CourierStanding(
            waiting_files=len(waiting),
            waiting_exams=len({exam for exam in map(self._exam, waiting) if exam is not None}),
            carried_files=total - len(waiting),
            last_stick_at_utc=datetime.fromisoformat(last[0][0]) if last else None,
            bundles=self.bundles(limit=limit),
        )

    def _exam(self, path: str) -> str | None:
        folder, _, name = path.rpartition("/")
        if folder.startswith("spool"):
            rows = self._database.read(
                "SELECT acquisition_id FROM file WHERE sha256 = ?", (name.partition(".")[0],)
            )
            return rows[0][0] if rows else None
        return folder.rpartition("/")[2].rpartition("-v")[0] or None

    def bundles(self, *, limit: int) -> tuple[BundleStanding, ...]:
        """The newest ones."""
        rows = self._database.read(
            "SELECT b.bundle, b.file_name, b.state, b.packed_at_utc, b.size_bytes, count(i.item),"
            " count(DISTINCT i.acquisition_id), coalesce(sum(i.outcome = 'accepted'), 0),"
            " coalesce(sum(i.outcome = 'refused'), 0)"
            " FROM courier_bundle b LEFT JOIN courier_item i USING (bundle)"
            " GROUP BY b.bundle ORDER BY b.bundle DESC LIMIT ?",
            (limit,),
        )
        return tuple(
            BundleStanding(
                bundle=bundle,
                file_name=name,
                state=state,
                packed_at_utc=datetime.fromisoformat(packed),
                size_bytes=size,
                files=files,
                exams=exams,
                accepted=accepted,
                refused=refused,
            )
            for bundle, name, state, packed, size, files, exams, accepted, refused in rows
        )

    def without_receipt(self) -> tuple[int, ...]:
        """Numbers of the bundles on the way of which some file is not accounted for, oldest first."""
        rows = self._database.read("SELECT bundle FROM courier_bundle WHERE state = 'handed' ORDER BY bundle")
        return tuple(row[0] for row in rows)
