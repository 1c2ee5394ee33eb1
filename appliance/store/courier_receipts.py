# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Receipts that came home: what they end, and what they put back in line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from appliance.domain.audit import AuditEvent, AuditKind
from appliance.store.audit import note
from appliance.store.connection import Database, Execute
from appliance.store.outbox import STEP_ASIDE_RANK
from appliance.store.peers import note_sent


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOutcome:
    """What became of a file at the other end."""

    sha256: str
    refused: str | None
    """Why it was refused there; None: it was accepted."""


class CourierReceipts:
    """What this device knows of receipts for its own bundles."""

    def __init__(self, database: Database, *, peer: str, instead_of: tuple[str, ...] = ()) -> None:
        self._database = database
        self._peer = peer
        self._instead_of = instead_of

    def known(self, receipt_id: str) -> bool:
        """Was it taken before?"""
        return bool(self._database.read("SELECT 1 FROM courier_receipt WHERE receipt_id = ?", (receipt_id,)))

    def newest(self, limit: int) -> tuple[str, ...]:
        """Ids of the receipts that were taken last."""
        rows = self._database.read(
            "SELECT receipt_id FROM courier_receipt ORDER BY rowid DESC LIMIT ?", (limit,)
        )
        return tuple(row[0] for row in rows)

    def bundle_id(self, bundle: int) -> str | None:
        """The secret name of one of our bundles; None: this device never made it."""
        rows = self._database.read("SELECT bundle_id FROM courier_bundle WHERE bundle = ?", (bundle,))
        return rows[0][0] if rows else None

    def contents(self, bundle: int) -> frozenset[str]:
        """SHA-256 of each file in it."""
        rows = self._database.read("SELECT sha256 FROM courier_item WHERE bundle = ?", (bundle,))
        return frozenset(row[0] for row in rows)

    def take(self, receipt_id: str, *, bundle: int, signer: str, outcomes: Iterable[FileOutcome]) -> None:
        """All that it says, in one transaction. A file that was accepted stays so, whatever comes later."""
        now = self._database.clock.now_utc()
        with self._database.transaction() as write:
            write(
                "INSERT OR IGNORE INTO courier_receipt (receipt_id, bundle, signer, taken_at_utc)"
                " VALUES (?, ?, ?, ?)",
                (receipt_id, bundle, signer, now.isoformat()),
            )
            for outcome in outcomes:
                if outcome.refused is None:
                    self._accepted(write, bundle, outcome.sha256)
                else:
                    self._refused(write, bundle, outcome.sha256, outcome.refused)
            write(
                "UPDATE courier_bundle SET state = 'closed' WHERE bundle = ?1"
                " AND NOT EXISTS (SELECT 1 FROM courier_item WHERE bundle = ?1 AND outcome IS NULL)",
                (bundle,),
            )
            note_sent(write, self._peer, at_utc=now)

    def _accepted(self, write: Execute, bundle: int, sha256: str) -> None:
        paths = write(
            "UPDATE courier_item SET outcome = 'accepted', reason = NULL"
            " WHERE bundle = ? AND sha256 = ? RETURNING path, kind",
            (bundle, sha256),
        )
        for path, kind in paths:
            if kind == "model":
                continue
            event = AuditEvent(
                kind=AuditKind.TRANSFERRED,
                who="courier",
                about=(("file", path), ("receiver", self._peer), ("bundle", str(bundle))),
            )
            note(self._database, write, event)
            for peer in (self._peer, *self._instead_of):
                write(
                    "UPDATE outbox SET done = 1, reason = ? WHERE step = 'send' AND done = 0"
                    " AND path = ? AND peer = ?",
                    (f"carried by the courier in bundle {bundle}", path, peer),
                )

    def _refused(self, write: Execute, bundle: int, sha256: str, reason: str) -> None:
        paths = write(
            "UPDATE courier_item SET outcome = 'refused', reason = ?"
            " WHERE bundle = ? AND sha256 = ? AND outcome IS NULL RETURNING path, kind",
            (reason, bundle, sha256),
        )
        for path, kind in paths:
            if kind == "model":
                continue
            write(
                "UPDATE outbox SET attempts = attempts + 1, reason = ?, rank = rank + ?"
                " WHERE step = 'send' AND done = 0 AND path = ? AND peer = ?",
                (f"refused at the other end: {reason}", STEP_ASIDE_RANK, path, self._peer),
            )
