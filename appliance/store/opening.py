# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Connections to the store's file: to write, and to look at it even where the disk takes nothing any more."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import apsw

from appliance.errors import StoreError
from appliance.store.read_back import reads_back
from appliance.store.reserve import Reserve

OLDEST_SQLITE: Final = (3, 51, 3)
"""First SQLite without the WAL-reset bug."""
BUSY_TIMEOUT_MS: Final = 10_000
"""How long to wait for another process's transaction; ours last milliseconds."""
MEMORY: Final = Path("/dev/shm")  # noqa: S108  (the folder made there has a random name and is private)
"""A file system that no disk stands behind."""
_LOG, _INDEX = "-wal", "-shm"
_CANNOT_BE_OPENED: Final = (apsw.IOError, apsw.CantOpenError, apsw.ReadOnlyError, apsw.FullError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A connection, and whether it is the usual one."""

    connection: apsw.Connection
    stands_in: bool = False
    """True: it may not see what is written from now on; open again to find out."""


def open_for_writing(file: Path, *, create: bool) -> Opened:
    """Through what reads back. Raises apsw.Error, OSError.

    Without `create` the file has to be there: a store that was open is never made anew, whatever became of
    its disk.
    """
    require_safe_sqlite()
    flags = apsw.SQLITE_OPEN_READWRITE
    if create:
        file.parent.mkdir(parents=True, exist_ok=True)
        flags |= apsw.SQLITE_OPEN_CREATE
    try:
        opened = _write_connection(file, flags)
    except (apsw.FullError, apsw.IOError, apsw.CantOpenError):
        if not Reserve(file).give_up():
            raise
        opened = _write_connection(file, flags)
    else:
        Reserve(file).keep()
    return Opened(connection=opened)


def _write_connection(file: Path, flags: int) -> apsw.Connection:
    connection = apsw.Connection(str(file), flags=flags, vfs=reads_back())
    try:
        connection.set_busy_timeout(BUSY_TIMEOUT_MS)
        # Without spilling, a change that is taken back has written nothing, which reading back relies on.
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "cache_spill=OFF",
            "user_version",
        ):
            connection.execute(f"PRAGMA {pragma}").fetchall()
    except BaseException:
        connection.close(force=True)
        raise
    return connection


def open_for_reading(file: Path) -> Opened:
    """To look only. Raises StoreError where there is none, apsw.Error, OSError.

    SQLite wants to make files beside the store before it reads. Where the disk is full or read-only that
    fails, and a stand-in is read: the store itself with its log, without making anything.
    """
    require_safe_sqlite()
    if not file.exists():
        raise StoreError(
            f"There is no store at {file}.", remedy="Start the appliance there: scanside run --data DIR."
        )
    try:
        return Opened(connection=_read_connection(f"{file.as_uri()}?mode=ro"))
    except _CANNOT_BE_OPENED:
        return Opened(connection=_stand_in(file), stands_in=True)


def _stand_in(file: Path) -> apsw.Connection:
    """What the disk holds now. Never with `immutable` beside a log: that would be an older store."""
    if file.with_name(file.name + _INDEX).exists():
        try:
            return _read_connection(f"{file.as_uri()}?mode=ro&readonly_shm=1")
        except _CANNOT_BE_OPENED:
            pass  # the index is of no use: as if there was none
    log = file.with_name(file.name + _LOG)
    if not log.exists() or log.stat().st_size == 0:
        return _read_connection(f"{file.as_uri()}?mode=ro&immutable=1")
    with tempfile.TemporaryDirectory(dir=MEMORY, prefix="scanside-") as folder:
        copy = Path(folder) / file.name
        shutil.copyfile(file, copy)
        shutil.copyfile(log, copy.with_name(copy.name + _LOG))
        return _read_connection(f"{copy.as_uri()}?mode=ro")  # open files outlive their names


def _read_connection(uri: str) -> apsw.Connection:
    connection = apsw.Connection(uri, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
    try:
        connection.set_busy_timeout(BUSY_TIMEOUT_MS)
        connection.execute("PRAGMA query_only=ON").fetchall()
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
    except BaseException:
        connection.close(force=True)
        raise
    return connection


def require_safe_sqlite() -> None:
    """Raise StoreError for a library that can damage the store."""
    version = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
    if version < OLDEST_SQLITE:
        raise StoreError(
            f"SQLite {apsw.sqlite_lib_version()} can damage the store when two processes write.",
            remedy="Install apsw 3.51.3 or newer.",
        )
