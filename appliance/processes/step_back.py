# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Back to older software: the store that newer software wrote is put aside, and nothing that came is lost.

The new store is built beside the old one: the copy that was kept before the newer software changed it, what
people said and what was refused since, and every original that came since, taken in again from the spool. It
takes its place in one rename, so that a cut leaves the old one or the new one; a build that was cut begins
anew. What the newer software found is found again by the older one, and sent again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import apsw

from appliance.clock import Clock
from appliance.config import Settings
from appliance.domain.acquisition import Door, Urgency
from appliance.domain.audit import AuditEvent, AuditKind
from appliance.durable import make_folder, sync_folder
from appliance.errors import StoreError
from appliance.layout import Layout
from appliance.processes.rebuild import LEDGERS, Original, salvage, shared_columns, take_in
from appliance.store.audit import note_alone
from appliance.store.connection import Database
from appliance.store.migrating import kept_store, migrations

BUILT_IN: Final = "stepping-back"
"""Folder beside the store."""
_LOG, _INDEX = "-wal", "-shm"


@dataclass(frozen=True, slots=True, kw_only=True)
class SteppedBack:
    """What came of it."""

    from_version: int
    to_version: int
    files: int
    """Originals that came since, taken in again."""
    damaged_files: int
    ledger_rows: int
    newer_store: str
    """Where the newer one lies now, relative to the data folder."""


def is_too_new(layout: Layout) -> bool:
    """Whether newer software wrote the store. Raises StoreError when it cannot be read."""
    return layout.database.exists() and _version_of(layout.database) > len(migrations())


def step_back(settings: Settings, layout: Layout, clock: Clock) -> SteppedBack:
    """Build the store anew and put it in its place. Nothing may run meanwhile. Raises StoreError, OSError."""
    known, found = len(migrations()), _version_of(layout.database)
    work = layout.database.parent / BUILT_IN
    shutil.rmtree(work, ignore_errors=True)
    make_folder(work)
    _empty_log(layout.database)
    built = work / layout.database.name
    copy = kept_store(layout.database, most=known)
    if copy is not None:
        shutil.copyfile(copy, built)
    with Database.open(built, data=layout.data, clock=clock) as database:
        with database.transaction():
            rows = sum(salvage(database, layout.database, table) for table in LEDGERS)
            came = list(_came_since(database, layout))
        files, damaged = take_in(database, settings, layout, clock, came)
        what = (("store", f"{found} to {known}"), ("files", str(files)), ("ledger rows", str(rows)))
        note_alone(database, AuditEvent(kind=AuditKind.STORE_REBUILT, who="update", about=what))
    _empty_log(built)
    aside = _put_in_place(built, layout)
    shutil.rmtree(work, ignore_errors=True)
    shutil.rmtree(layout.selftest, ignore_errors=True)  # its store is of the newer version, too
    return SteppedBack(
        from_version=found,
        to_version=known,
        files=files,
        damaged_files=damaged,
        ledger_rows=rows,
        newer_store=str(aside.relative_to(layout.data)),
    )


def _version_of(file: Path) -> int:
    try:
        connection = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            return int(str(connection.execute("PRAGMA user_version").fetchall()[0][0]))
        finally:
            connection.close()
    except apsw.Error as error:
        raise StoreError(
            f"{file} cannot be read ({error}).", remedy="Check its disk; `scanside store check` says more."
        ) from error


def _empty_log(file: Path) -> None:
    """Bring everything into the file itself. Raises StoreError when somebody still has it open."""
    connection = apsw.Connection(str(file))
    try:
        busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()[0][0]
    finally:
        connection.close()
    log = file.with_name(file.name + _LOG)
    if busy or (log.exists() and log.stat().st_size):
        raise StoreError(
            f"Somebody has {file} open.", remedy="Stop the appliance and whatever reads its store, try again."
        )


def _came_since(database: Database, layout: Layout) -> Iterator[Original]:
    """Rows of files that only the newer store has; those that gave no exam are copied as they are.

    What was removed or found damaged since is so in the older store, too.
    """
    newer = apsw.Connection(str(layout.database), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        names = shared_columns(database, newer, "file")
        marks, columns = ", ".join("?" * len(names)), ", ".join(names)
        here = {row[0] for row in database.read("SELECT sha256 FROM file")}
        fates = "removed_at_utc, damaged_at_utc"
        asked = f"SELECT sha256, path, door, source, urgency, status, {fates} FROM file ORDER BY rowid"  # noqa: S608
        for sha256, path, door, source, urgency, status, removed, damaged in newer.execute(asked):
            if sha256 in here:
                database.read(
                    "UPDATE file SET removed_at_utc = ?, damaged_at_utc = ? WHERE sha256 = ?",
                    (removed, damaged, sha256),
                )
            elif status != "accepted" or removed is not None:
                row = newer.execute(f"SELECT {columns} FROM file WHERE sha256 = ?", (sha256,)).fetchall()[0]  # noqa: S608
                database.read(f"INSERT OR IGNORE INTO file ({columns}) VALUES ({marks})", tuple(row))  # noqa: S608
            elif (layout.data / path).is_file():
                yield Original(
                    path=layout.data / path, door=Door(door), source=source, urgency=Urgency(urgency)
                )
    finally:
        newer.close()


def _put_in_place(built: Path, layout: Layout) -> Path:
    """The newer store keeps a second name aside; then the built one takes its place."""
    fd = os.open(built, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
    number, folder = 1, layout.database.parent
    while (aside := folder / f"aside-{number}").exists():
        number += 1
    make_folder(aside)
    os.link(layout.database, aside / layout.database.name)
    sync_folder(aside)
    for ending in (_LOG, _INDEX):  # empty, or a log of the newer store would be read into the older one
        layout.database.with_name(layout.database.name + ending).unlink(missing_ok=True)
    sync_folder(folder)
    built.replace(layout.database)
    sync_folder(folder)
    return aside
