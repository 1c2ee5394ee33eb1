# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What waits for the courier, what they carry, and what the receipts that came home say about it.

A row of the outbox that the courier carries stays open until a receipt names it: a stick can be lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from appliance.domain.audit import AuditEvent, AuditKind
from appliance.domain.finding import Decision
from appliance.store.audit import note
from appliance.store.carried import CARRIED_SQL
from appliance.store.connection import Database
from appliance.store.outbox import FLAGGED_AHEAD, RESULT_RANK, STEP_ASIDE_RANK

Kind = Literal["original", "result", "model"]
PLAIN: Final = 2
NEED: Final = {Decision.PRESENT.value: 0, Decision.INDETERMINATE.value: 1}
"""Studies with such a finding go first; smaller is sooner, PLAIN is everything else."""
MINE_SQL: Final = "FROM outbox WHERE step = 'send' AND done = 0 AND peer = ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierFile:
    """A file that waits for the courier."""

    path: Path
    """Relative to the data folder."""
    kind: Kind
    """original or result; model for a bundle of a model that goes along."""
    study: str
    """What holds together: the study's UID, or the path of a file that belongs to none."""
    acquisition_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierItem:
    """A file in a bundle."""

    file: CourierFile
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedBundle:
    """A bundle that was begun and whose end is not written down."""

    bundle: int
    file_name: str
    sha256: str | None
    """Of the whole file on the stick; None: it was never whole."""
    size_bytes: int | None


class CourierOutbox:
    """The courier's part of the outbox."""

    def __init__(self, database: Database, *, peer: str, instead_of: tuple[str, ...] = ()) -> None:
        self._database = database
        self._peer = peer
        self._instead_of = instead_of

    def catch_up(self) -> None:
        """Take over what waits for the receivers that it stands in for, and leave what they have."""
        with self._database.transaction() as write:
            for other in self._instead_of:
                write(
                    "INSERT INTO outbox (step, path, peer, rank)"
                    " SELECT 'send', o.path, ?1, min(o.rank, ?3) FROM outbox o"
                    " WHERE o.step = 'send' AND o.done = 0 AND o.peer = ?2 AND NOT EXISTS"
                    " (SELECT 1 FROM outbox c WHERE c.step = 'send' AND c.path = o.path AND c.peer = ?1)"
                    " ORDER BY o.outbox_id",
                    (self._peer, other, RESULT_RANK),
                )
                write(
                    "UPDATE outbox SET done = 1, reason = ?3 WHERE step = 'send' AND done = 0 AND peer = ?1"
                    " AND EXISTS (SELECT 1 FROM outbox o WHERE o.step = 'send' AND o.done = 1"
                    " AND o.path = outbox.path AND o.peer = ?2)",
                    (self._peer, other, f"{other} took it over the network"),
                )

    def waiting(self) -> tuple[CourierFile, ...]:
        """What no courier carries now: positive studies first, then the oldest; a study's originals first."""
        rows = self._database.read(
            f"SELECT path, rank, outbox_id {MINE_SQL} AND NOT EXISTS ({CARRIED_SQL})",
            (self._peer,),
        )
        found = [(self._file(Path(path)), rank, outbox_id) for path, rank, outbox_id in rows]
        needs: dict[str, int] = {}
        oldest: dict[str, int] = {}
        seen: dict[str, int] = {}
        for file, _, outbox_id in found:
            oldest[file.study] = min(oldest.get(file.study, outbox_id), outbox_id)
            if file.acquisition_id is not None and file.acquisition_id not in seen:
                seen[file.acquisition_id] = self._need(file.acquisition_id)
            need = seen.get(file.acquisition_id or "", PLAIN)
            needs[file.study] = min(needs.get(file.study, PLAIN), need)
        found.sort(
            key=lambda row: (
                (row[1] + FLAGGED_AHEAD) // STEP_ASIDE_RANK,  # refused at the other end: behind all else
                needs[row[0].study],
                oldest[row[0].study],
                row[1],
                row[2],
            )
        )
        return tuple(file for file, _, _ in found)

    def _file(self, path: Path) -> CourierFile:
        """Originals lie in the spool under their content's hash, results in a folder of their version."""
        read = self._database.read
        original = path.parts[0] == "spool"
        if original:
            rows = read("SELECT acquisition_id FROM file WHERE sha256 = ?", (path.stem,))
            acquisition_id = rows[0][0] if rows else None
        else:
            acquisition_id = path.parent.name.rpartition("-v")[0]
        studies = read(
            "SELECT study_instance_uid FROM acquisition WHERE acquisition_id = ?", (acquisition_id,)
        )
        return CourierFile(
            path=path,
            kind="original" if original else "result",
            study=studies[0][0] if studies else str(path),
            acquisition_id=acquisition_id if studies else None,
        )

    def _need(self, acquisition_id: str) -> int:
        rows = self._database.read(
            "SELECT json_extract(f.value, '$.decision') FROM result r JOIN acquisition a"
            " USING (acquisition_id, version), json_each(r.record, '$.findings') f"
            " WHERE r.acquisition_id = ?",
            (acquisition_id,),
        )
        return min((NEED.get(row[0], PLAIN) for row in rows), default=PLAIN)

    def cannot_go(self, file: CourierFile, *, reason: str) -> None:
        """This file stays, and why."""
        with self._database.transaction() as write:
            write(
                "UPDATE outbox SET attempts = attempts + 1, reason = ?"
                " WHERE step = 'send' AND done = 0 AND path = ? AND peer = ?",
                (reason, str(file.path), self._peer),
            )

    def start(self, items: tuple[CourierItem, ...], *, bundle_id: str, file_name: str) -> int:
        """A new bundle with these files; its number. `file_name` has a place for it: {bundle}."""
        with self._database.transaction() as write:
            bundle = int(write("SELECT coalesce(max(bundle), 0) + 1 FROM courier_bundle")[0][0])
            write(
                "INSERT INTO courier_bundle (bundle, bundle_id, file_name, state, packed_at_utc)"
                " VALUES (?, ?, ?, 'packing', ?)",
                (bundle, bundle_id, file_name.format(bundle=bundle), self._now()),
            )
            for number, item in enumerate(items):
                write(
                    "INSERT INTO courier_item (bundle, item, path, kind, acquisition_id, sha256, size_bytes)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (
                        bundle,
                        number,
                        str(item.file.path),
                        item.file.kind,
                        item.file.acquisition_id,
                        item.sha256,
                        item.size_bytes,
                    ),
                )
        return bundle

    def started(self) -> tuple[StartedBundle, ...]:
        """Bundles that were begun when something went wrong."""
        rows = self._database.read(
            "SELECT bundle, file_name, sha256, size_bytes FROM courier_bundle"
            " WHERE state IN ('packing', 'packed') ORDER BY bundle"
        )
        return tuple(
            StartedBundle(bundle=bundle, file_name=name, sha256=sha256, size_bytes=size)
            for bundle, name, sha256, size in rows
        )

    def packed(self, bundle: int, *, sha256: str, size_bytes: int) -> None:
        """It lies whole on the stick, was read back, and gets its name next."""
        with self._database.transaction() as write:
            write(
                "UPDATE courier_bundle SET state = 'packed', sha256 = ?, size_bytes = ? WHERE bundle = ?",
                (sha256, size_bytes, bundle),
            )

    def handed(self, bundle: int) -> None:
        """It has its name on the stick: the courier has it from now on."""
        with self._database.transaction() as write:
            now = self._now()
            write(
                "UPDATE courier_bundle SET state = 'handed', packed_at_utc = ? WHERE bundle = ?",
                (now, bundle),
            )
            write(
                "UPDATE outbox SET reason = ? WHERE step = 'send' AND done = 0 AND peer = ? AND path IN"
                " (SELECT path FROM courier_item WHERE bundle = ? AND kind != 'model')",
                (f"with the courier since {now[:10]}, bundle {bundle}", self._peer, bundle),
            )
            what = (("bundle", str(bundle)), ("receiver", self._peer))
            note(self._database, write, AuditEvent(kind=AuditKind.EXPORTED, who="courier", about=what))

    def abandoned(self, bundle: int, *, reason: str | None = None) -> None:
        """It is not to be counted on: its files wait for the next stick. A receipt for it still counts."""
        with self._database.transaction() as write:
            write("UPDATE courier_bundle SET state = 'abandoned' WHERE bundle = ?", (bundle,))
            write(
                "UPDATE outbox SET reason = ? WHERE step = 'send' AND done = 0 AND peer = ? AND path IN"
                " (SELECT path FROM courier_item WHERE bundle = ? AND kind != 'model' AND outcome IS NULL)",
                (reason, self._peer, bundle),
            )

    def _now(self) -> str:
        return self._database.clock.now_utc().isoformat()
