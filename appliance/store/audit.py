# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The audit trail: each row's hash holds the hash of the row before it, and is sealed with the device's key.

A row is written in the transaction of what it records, so that there is never the one without the other.
After the commit the end of the trail is written to a file outside the database (anchors.py): a trail whose
end is cut off, or a database that is replaced, contradicts it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any, Final

from appliance.domain.acquisition import LandedFile
from appliance.domain.audit import AuditEvent, AuditHead, AuditKind, AuditOutcome, AuditRow
from appliance.store.anchors import append_anchor
from appliance.store.connection import Database, Execute

BEFORE_THE_FIRST: Final = "0" * 64
"""The hash that the first row follows."""
ROWS_AT_ONCE: Final = 1000
STUDY_DIGITS: Final = 32
"""128 bits: no two studies share a name, and nobody guesses one."""


def note(database: Database, write: Execute, event: AuditEvent) -> None:
    """Append a row. Call inside the transaction that makes it true. Raises StoreError."""
    rows = write("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1")
    last, before = rows[0] if rows else (0, BEFORE_THE_FIRST)
    at_utc = database.clock.now_utc().isoformat()
    record = record_of(event, at_utc=at_utc)
    number = last + 1
    row_hash = hash_of(before, number, record)
    write(
        "INSERT INTO audit (number, record, hash, seal) VALUES (?, ?, ?, ?)",
        (number, record, row_hash, seal_of(database.sealing_key, row_hash)),
    )
    head = AuditHead(count=number, hash=row_hash, at_utc=at_utc)
    database.after_commit("anchor", lambda: append_anchor(database.data, database.sealing_key, head))


def note_alone(database: Database, event: AuditEvent) -> None:
    """Append a row about something that is not in the store. Raises StoreError."""
    with database.transaction() as write:
        note(database, write, event)


def note_landed(
    database: Database,
    write: Execute,
    file: LandedFile,
    status: str,
    *,
    bad: bool,
    exam: str | None,
    study: str | None,
) -> None:
    """Append the row of a file that came. `study`: its StudyInstanceUID, of which only a stand-in is kept."""
    event = AuditEvent(
        kind=AuditKind.LANDED,
        who="watcher",
        outcome=AuditOutcome.MINOR_FAILURE if bad else AuditOutcome.SUCCESS,
        exam=exam,
        study=study_name(database, study) if study else None,
        about=(("content", file.sha256), ("door", file.door.value), ("status", status)),
    )
    note(database, write, event)


def record_of(event: AuditEvent, *, at_utc: str) -> str:
    """The event as text; the same event gives the same text."""
    content: dict[str, Any] = {
        "at_utc": at_utc,
        "kind": event.kind.value,
        "who": event.who,
        "outcome": event.outcome.value,
        "exam": event.exam,
        "study": event.study,
        "about": [list(pair) for pair in event.about],
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def row_of(number: int, record: str) -> AuditRow:
    """A row read back. Raises ValueError, KeyError or TypeError for a text that `record_of` did not write."""
    content = json.loads(record)
    event = AuditEvent(
        kind=AuditKind(content["kind"]),
        who=content["who"],
        outcome=AuditOutcome(content["outcome"]),
        exam=content["exam"],
        study=content["study"],
        about=tuple((name, value) for name, value in content["about"]),
    )
    return AuditRow(number=number, at_utc=content["at_utc"], event=event)


def hash_of(before: str, number: int, record: str) -> str:
    """What a row's hash must be."""
    return hashlib.sha256(f"{before}\n{number}\n{record}".encode()).hexdigest()


def seal_of(key: bytes, row_hash: str) -> str:
    """What only this device can make of a hash."""
    return hmac.new(key, row_hash.encode(), hashlib.sha256).hexdigest()


def study_name(database: Database, study_instance_uid: str) -> str:
    """A study as only this device can name it."""
    tag = hmac.new(database.sealing_key, f"study {study_instance_uid}".encode(), hashlib.sha256)
    return tag.hexdigest()[:STUDY_DIGITS]


class Trail:
    """The trail, to be read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def head(self) -> AuditHead:
        """Where it ends."""
        rows = self._database.read("SELECT number, hash, record FROM audit ORDER BY number DESC LIMIT 1")
        if not rows:
            return AuditHead(count=0, hash=BEFORE_THE_FIRST, at_utc="")
        number, row_hash, record = rows[0]
        return AuditHead(count=number, hash=row_hash, at_utc=json.loads(record)["at_utc"])

    def raw(self) -> Iterator[tuple[int, str, str, str]]:
        """Number, record, hash and seal of every row, by number; not more than ROWS_AT_ONCE in memory."""
        after: int | None = None
        while True:
            rows = self._database.read(
                "SELECT number, record, hash, seal FROM audit WHERE ?1 IS NULL OR number > ?1"
                " ORDER BY number LIMIT ?2",
                (after, ROWS_AT_ONCE),
            )
            if not rows:
                return
            yield from ((row[0], row[1], row[2], row[3]) for row in rows)
            after = rows[-1][0]

    def rows(self) -> Iterator[AuditRow]:
        """Every row, oldest first. Raises ValueError, KeyError or TypeError for one that was meddled with."""
        for number, record, _, _ in self.raw():
            yield row_of(number, record)

    def latest(self, kind: AuditKind) -> AuditRow | None:
        """The newest row of a kind."""
        rows = self._database.read(
            "SELECT number, record FROM audit WHERE json_extract(record, '$.kind') = ?"
            " ORDER BY number DESC LIMIT 1",
            (kind.value,),
        )
        return row_of(*rows[0]) if rows else None
