# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Bundles of others that were opened here, and what became of each file: what receipts are written from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from appliance.domain.audit import AuditEvent, AuditKind
from appliance.store.audit import note
from appliance.store.connection import Database
from appliance.store.courier_receipts import FileOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedBundle:
    """One bundle of one device."""

    device: str
    """Fingerprint of the key that signed it."""
    bundle: int
    bundle_id: str
    manifest_sha256: str
    site_name: str
    opened_at_utc: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedFile:
    """A file of it."""

    item: int
    sha256: str
    size_bytes: int


class CourierOpened:
    """The receiving side's memory."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, device: str, bundle: int) -> OpenedBundle | None:
        """What is known of that bundle; None: it never came."""
        found = [opened for opened in self.every(device) if opened.bundle == bundle]
        return found[0] if found else None

    def every(self, device: str | None = None) -> tuple[OpenedBundle, ...]:
        """All bundles, of one device or of everybody, by number."""
        rows = self._database.read(
            "SELECT device, bundle, bundle_id, manifest_sha256, site_name, opened_at_utc"
            " FROM courier_opened WHERE ?1 IS NULL OR device = ?1 ORDER BY device, bundle",
            (device,),
        )
        return tuple(
            OpenedBundle(
                device=device,
                bundle=bundle,
                bundle_id=bundle_id,
                manifest_sha256=manifest,
                site_name=site,
                opened_at_utc=opened,
            )
            for device, bundle, bundle_id, manifest, site, opened in rows
        )

    def remember(self, opened: OpenedBundle, files: Iterable[OpenedFile], *, receipts: Iterable[str]) -> None:
        """It is here. `receipts`: ids of receipts that its sender says have come home."""
        with self._database.transaction() as write:
            write(
                "INSERT OR IGNORE INTO courier_opened (device, bundle, bundle_id, manifest_sha256, site_name,"
                " opened_at_utc) VALUES (?, ?, ?, ?, ?, ?)",
                (
                    opened.device,
                    opened.bundle,
                    opened.bundle_id,
                    opened.manifest_sha256,
                    opened.site_name,
                    opened.opened_at_utc,
                ),
            )
            for file in files:
                write(
                    "INSERT OR IGNORE INTO courier_opened_file (device, bundle, item, sha256, size_bytes)"
                    " VALUES (?, ?, ?, ?, ?)",
                    (opened.device, opened.bundle, file.item, file.sha256, file.size_bytes),
                )
            for receipt in receipts:
                write(
                    "INSERT OR IGNORE INTO courier_confirmed (device, receipt_id) VALUES (?, ?)",
                    (opened.device, receipt),
                )
            what = (("device", opened.device), ("bundle", str(opened.bundle)))
            note(self._database, write, AuditEvent(kind=AuditKind.TAKEN_IN, who="courier", about=what))

    def confirmed(self, device: str, receipt_id: str) -> bool:
        """Does the device have that receipt already?"""
        return bool(
            self._database.read(
                "SELECT 1 FROM courier_confirmed WHERE device = ? AND receipt_id = ?", (device, receipt_id)
            )
        )

    def accepted(self, device: str, bundle: int, items: Iterable[int]) -> None:
        """These files are where they belong."""
        with self._database.transaction() as write:
            for item in items:
                write(
                    "UPDATE courier_opened_file SET outcome = 'accepted', reason = NULL"
                    " WHERE device = ? AND bundle = ? AND item = ?",
                    (device, bundle, item),
                )

    def refused(self, device: str, bundle: int, items: Iterable[int] | None, *, reason: str) -> None:
        """These files (None: all) are not taken here, and why. Accepted ones stay so."""
        with self._database.transaction() as write:
            write(
                "UPDATE courier_opened_file SET outcome = 'refused', reason = ? WHERE device = ?"
                " AND bundle = ? AND outcome IS NOT 'accepted'"
                " AND (?4 IS NULL OR item IN (SELECT value FROM json_each(?4)))",
                (reason, device, bundle, None if items is None else f"[{','.join(map(str, items))}]"),
            )

    def missing(self, device: str, bundle: int) -> frozenset[int]:
        """Numbers of the files that are not accepted yet."""
        rows = self._database.read(
            "SELECT item FROM courier_opened_file WHERE device = ? AND bundle = ?"
            " AND outcome IS NOT 'accepted'",
            (device, bundle),
        )
        return frozenset(row[0] for row in rows)

    def outcomes(self, device: str, bundle: int) -> tuple[FileOutcome, ...]:
        """What a receipt says: the files of which something is known."""
        rows = self._database.read(
            "SELECT sha256, outcome, reason FROM courier_opened_file WHERE device = ? AND bundle = ?"
            " AND outcome IS NOT NULL ORDER BY item",
            (device, bundle),
        )
        return tuple(
            FileOutcome(
                sha256=sha256, refused=None if outcome == "accepted" else (reason or "no reason given")
            )
            for sha256, outcome, reason in rows
        )
