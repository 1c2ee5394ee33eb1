# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The store as of one moment, copied while others write to it; and whether a store at rest is whole."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import apsw

from appliance.clock import Clock
from appliance.domain.audit import AuditHead
from appliance.errors import StoreError
from appliance.store.audit import Trail
from appliance.store.audit_check import check_trail
from appliance.store.connection import Database, in_words
from appliance.store.migrating import migrations
from appliance.store.opening import BUSY_TIMEOUT_MS, open_for_reading


class NewerStoreError(StoreError):
    """A store that newer software wrote."""


def copy_store(source: Path, target: Path) -> None:
    """SQLite's online backup, all pages in one read transaction: writers go on. Raises StoreError."""
    with in_words(source):
        opened = apsw.Connection(
            f"{source.as_uri()}?mode=ro", flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
        )
        opened.set_busy_timeout(BUSY_TIMEOUT_MS)
        try:
            made = apsw.Connection(str(target))
            try:
                with made.backup("main", opened, "main") as backup:
                    backup.step(-1)
                made.execute("PRAGMA journal_mode=DELETE").fetchall()
            finally:
                made.close()
        finally:
            opened.close()
    handle = os.open(target, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedStore:
    """What is known of a store at rest whose pages are whole."""

    head: AuditHead
    version: int
    faults: tuple[str, ...]
    """Of its audit trail."""


def checked_store(
    file: Path, data: Path, clock: Clock, *, key: bytes | None, beside: list[AuditHead | str]
) -> CheckedStore:
    """Read all of it, of an older version, too.

    `key`: with what the trail's rows were sealed; None: only their chain is compared. Raises StoreError when
    its pages are not whole, NewerStoreError when this software does not know its version.
    """
    with (
        in_words(file),
        Database(
            open_for_reading(file), file=file, data=data, clock=clock, again=open_for_reading
        ) as database,
    ):
        version = int(database.read("PRAGMA user_version")[0][0])
        known = len(migrations())
        if version > known:
            raise NewerStoreError(
                f"The store is of version {version}; this software knows {known}.",
                remedy="Install the newer software.",
            )
        answer = str(database.read("PRAGMA integrity_check(1)")[0][0])
        if answer != "ok":
            raise StoreError(f"The store is damaged: {answer}.", remedy="`scanside store check` says more.")
        report = check_trail(Trail(database), key=key, beside=beside)
        return CheckedStore(head=Trail(database).head(), version=version, faults=report.faults)
