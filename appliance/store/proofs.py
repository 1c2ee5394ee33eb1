# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Reading what is stored again and again: a flipped bit is found within days, and said, instead of some day.

Also the way back: bytes that were removed or damaged and come again take their old place.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.domain.audit import AuditEvent, AuditKind, AuditOutcome
from appliance.errors import StoreError
from appliance.store.audit import note
from appliance.store.connection import Database

CHUNK_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file whose bytes are to be read and compared."""

    sha256: str
    path: Path
    size_bytes: int
    acquisition_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """A file that is not what was acknowledged."""

    acquisition_id: str | None
    """None: it gave no exam."""
    files: int
    since_utc: str


class Proofs:
    """Which file is next, and what became of it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def next(self) -> StoredFile | None:
        """The file that was compared least often, the oldest of these; None when nothing is stored."""
        rows = self._database.read(
            "SELECT sha256, path, size_bytes, acquisition_id FROM file WHERE removed_at_utc IS NULL"
            " AND path NOT LIKE 'quarantine/not-read/%' ORDER BY proofs, rowid LIMIT 1"
        )
        if not rows:
            return None
        sha256, path, size_bytes, acquisition_id = rows[0]
        return StoredFile(
            sha256=sha256,
            path=self._database.data / path,
            size_bytes=size_bytes,
            acquisition_id=acquisition_id,
        )

    def all_stored(self) -> Iterator[StoredFile]:
        """Every file whose bytes should be here."""
        rows = self._database.read(
            "SELECT sha256, path, size_bytes, acquisition_id FROM file WHERE removed_at_utc IS NULL"
            " AND path NOT LIKE 'quarantine/not-read/%' ORDER BY rowid"
        )
        for sha256, path, size_bytes, acquisition_id in rows:
            yield StoredFile(
                sha256=sha256,
                path=self._database.data / path,
                size_bytes=size_bytes,
                acquisition_id=acquisition_id,
            )

    def stored(self) -> tuple[int, int]:
        """How many files are stored, and how many bytes."""
        rows = self._database.read(
            "SELECT count(*), coalesce(sum(size_bytes), 0) FROM file WHERE removed_at_utc IS NULL"
        )
        return int(rows[0][0]), int(rows[0][1])

    def compared(self, file: StoredFile, *, good: bool) -> None:
        """Write down what was found. A file that is good again is damaged no more."""
        with self._database.transaction() as write:
            rows = write("SELECT damaged_at_utc, removed_at_utc FROM file WHERE sha256 = ?", (file.sha256,))
            known_damage, removed = rows[0]
            if removed is not None:  # meanwhile
                return
            now = self._database.clock.now_utc().isoformat()
            write(
                "UPDATE file SET proofs = proofs + 1, damaged_at_utc = CASE WHEN ?2 THEN NULL"
                " ELSE coalesce(damaged_at_utc, ?3) END WHERE sha256 = ?1",
                (file.sha256, good, now),
            )
            if not good and known_damage is None:
                event = AuditEvent(
                    kind=AuditKind.DAMAGED,
                    who="keeper",
                    outcome=AuditOutcome.SERIOUS_FAILURE,
                    exam=file.acquisition_id,
                    about=(("content", file.sha256),),
                )
                note(self._database, write, event)

    def damages(self) -> tuple[Damage, ...]:
        """What is damaged, by exam."""
        rows = self._database.read(
            "SELECT acquisition_id, count(*), min(damaged_at_utc) FROM file WHERE damaged_at_utc IS NOT NULL"
            " GROUP BY acquisition_id ORDER BY min(rowid)"
        )
        return tuple(
            Damage(acquisition_id=acquisition_id, files=files, since_utc=since)
            for acquisition_id, files, since in rows
        )

    def wanted(self, sha256: str) -> bool:
        """Whether these bytes are known, but are not here or not whole: welcome when they come again."""
        rows = self._database.read(
            "SELECT 1 FROM file WHERE sha256 = ? AND status != 'quarantined'"
            " AND (removed_at_utc IS NOT NULL OR damaged_at_utc IS NOT NULL)",
            (sha256,),
        )
        return bool(rows)

    def restored(self, sha256: str) -> None:
        """They came again, and lie at their place. Raises StoreError when they do not: no acknowledgement."""
        with self._database.transaction() as write:
            path, exam = write("SELECT path, acquisition_id FROM file WHERE sha256 = ?", (sha256,))[0]
            if not (self._database.data / path).is_file():
                raise StoreError(
                    "An image that came again is not at its place.",
                    remedy="Send it again: it will be taken.",
                )
            write(
                "UPDATE file SET removed_at_utc = NULL, damaged_at_utc = NULL, proofs = 0 WHERE sha256 = ?",
                (sha256,),
            )
            event = AuditEvent(
                kind=AuditKind.RESTORED, who="watcher", exam=exam, about=(("content", sha256),)
            )
            note(self._database, write, event)


def is_whole(file: StoredFile) -> bool:
    """Read it from the disk, not from memory, and compare. A file that cannot be read is not whole."""
    found = hashlib.sha256()
    try:
        handle = os.open(file.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            with suppress(OSError):  # not on every file system; the comparison then reads the cache
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            while chunk := os.read(handle, CHUNK_BYTES):
                found.update(chunk)
            with suppress(OSError):
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(handle)
    except OSError:
        return False
    return found.hexdigest() == file.sha256
