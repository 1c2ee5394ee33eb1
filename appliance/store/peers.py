# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""How the receivers do: when each last took a file, since when it takes none, what waits for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from appliance.store.connection import Database, Execute


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerStanding:
    """One receiver."""

    name: str
    waiting: int
    """Files that it has yet to take."""
    oldest_waiting_at_utc: datetime | None
    """When the original that waits longest landed here; None: none waits, or it is a result."""
    attempts: int
    """At the file that was tried most often of those that wait."""
    reason: str | None
    """What the receiver, or the network, said to that one last."""
    away_since_utc: datetime | None
    """First failure in a row; None: it takes files, or was never asked."""
    last_sent_at_utc: datetime | None
    """None: it has taken nothing since this device writes that down."""
    away_reason: str | None = None
    """Why it takes nothing, in words; None while it does."""
    needs_person: bool = False
    """It takes nothing until somebody changes something at one of the two ends."""
    unconfirmed: int = 0
    """Of those that wait: files that it took and has yet to confirm (storage commitment)."""


def note_sent(write: Execute, peer: str, *, at_utc: datetime) -> None:
    """It took a file. Call inside the transaction that says so."""
    write(
        "INSERT INTO peer_standing (peer, last_sent_at_utc) VALUES (?, ?)"
        " ON CONFLICT (peer) DO UPDATE SET"
        " last_sent_at_utc = excluded.last_sent_at_utc, away_since_utc = NULL, away_reason = NULL,"
        " needs_person = 0",
        (peer, at_utc.isoformat()),
    )


def note_away(write: Execute, peer: str, *, at_utc: datetime, reason: str, needs_person: bool) -> None:
    """It takes nothing now, and why. Call inside the transaction that says so."""
    write(
        "INSERT INTO peer_standing (peer, away_since_utc, away_reason, needs_person) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (peer) DO UPDATE SET"
        " away_since_utc = coalesce(peer_standing.away_since_utc, excluded.away_since_utc),"
        " away_reason = excluded.away_reason, needs_person = excluded.needs_person",
        (peer, at_utc.isoformat(), reason, int(needs_person)),
    )


class Peers:
    """The queue, receiver by receiver."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, name: str) -> PeerStanding:
        """That receiver. Raises StoreError."""
        read = self._database.read
        open_rows = "FROM outbox WHERE done = 0 AND step = 'send' AND peer = ?"
        waiting, oldest = read(f"SELECT count(*), min(outbox_id) {open_rows}", (name,))[0]
        tried = read(
            f"SELECT attempts, reason {open_rows} AND attempts > 0 ORDER BY attempts DESC LIMIT 1", (name,)
        )
        (unconfirmed,) = read(f"SELECT count(*) {open_rows} AND stored > 0", (name,))[0]
        noted = read(
            "SELECT away_since_utc, last_sent_at_utc, away_reason, needs_person FROM peer_standing"
            " WHERE peer = ?",
            (name,),
        )
        attempts, reason = tried[0] if tried else (0, None)
        away_since, last_sent, away_reason, needs_person = noted[0] if noted else (None, None, None, 0)
        return PeerStanding(
            name=name,
            waiting=waiting,
            oldest_waiting_at_utc=None if oldest is None else self._landed(oldest),
            attempts=attempts,
            reason=reason,
            away_since_utc=_moment(away_since),
            last_sent_at_utc=_moment(last_sent),
            away_reason=away_reason,
            needs_person=bool(needs_person),
            unconfirmed=unconfirmed,
        )

    def _landed(self, outbox_id: int) -> datetime | None:
        """Originals lie in the spool under the hash of their content."""
        path = self._database.read("SELECT path FROM outbox WHERE outbox_id = ?", (outbox_id,))[0][0]
        rows = self._database.read("SELECT landed_at_utc FROM file WHERE sha256 = ?", (Path(path).stem,))
        return _moment(rows[0][0]) if rows else None


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
