# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Opening the store: one SQLite file in WAL mode that keeps every commit through a power cut.

`synchronous=FULL` because anything less loses acknowledged commits when the plug is pulled; the library
must be at least 3.51.3, the first without the WAL-reset corruption (sqlite.org/wal.html, 2026-03-13). What is
flushed is read back (`read_back`).

A connection that met a fault of the disk is not used again: the next statement opens the file anew, and never
makes one. So work goes on when the disk is back, and a store that only seemed malformed is read again.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol, TypeAlias

import apsw
from typing_extensions import Self

from appliance.clock import Clock
from appliance.errors import StoreError
from appliance.layout import Layout
from appliance.store import opening
from appliance.store.migrating import keep_before, migrations
from appliance.store.opening import BUSY_TIMEOUT_MS, Opened, open_for_reading, open_for_writing
from appliance.store.reserve import Reserve

Row: TypeAlias = tuple[Any, ...]

OLDEST_SQLITE: Final = opening.OLDEST_SQLITE
FAULTS_OF_THE_DISK: Final = (
    apsw.IOError,
    apsw.CantOpenError,
    apsw.ReadOnlyError,
    apsw.CorruptError,
    apsw.NotADBError,
    apsw.ProtocolError,
)
"""After one of these a connection is not to be trusted. A vanished disk reads as a malformed file, too."""
_CHUNK_BYTES: Final = 1 << 20


class Execute(Protocol):
    """Runs one statement of the open transaction and returns its rows."""

    def __call__(self, sql: str, values: tuple[Any, ...] = (), /) -> list[Row]:
        """Raises apsw.Error; the transaction then rolls back."""


class Database:
    """A connection to the store. Safe to share between threads; one per process.

    `data` is the data folder: paths in rows are relative to it.
    """

    def __init__(
        self, opened: Opened, *, file: Path, data: Path, clock: Clock, again: Callable[[Path], Opened]
    ) -> None:
        """`again` opens the file another time, without making it."""
        self._opened = opened
        self._file = file
        self._again = again
        self._faulty = False
        self._changes_of_stand_ins = 0
        self._lock = threading.RLock()
        self._key: bytes | None = None
        self._afterwards: dict[str, Callable[[], None]] = {}
        self._depth = 0
        self.data = data
        self.clock = clock

    @property
    def sealing_key(self) -> bytes:
        """What the rows of the audit trail are sealed with.

        Raises ConfigError when the key is damaged, StoreError when it can be neither read nor made.
        """
        if self._key is None:
            from appliance.device_key import audit_key_of, device_key  # noqa: PLC0415  (who only reads seals nothing)

            folder = Layout(data=self.data).keys
            try:
                self._key = audit_key_of(device_key(folder))
            except OSError as error:
                raise StoreError(
                    f"The device's key in {folder} can be neither read nor made: {error.strerror}.",
                    remedy="Check that the disk is mounted, writable and not full.",
                ) from error
        return self._key

    def after_commit(self, name: str, do: Callable[[], None]) -> None:
        """Have something done once the open transaction is durable; the last one of a name counts."""
        self._afterwards[name] = do

    @classmethod
    def open(cls, file: Path, *, data: Path, clock: Clock) -> Self:
        """Open for reading and writing; create and migrate as needed.

        A copy of an older store is kept first. Raises StoreError when the file cannot be opened or copied, or
        was written by a newer version, ConfigError when the device's key cannot be used: then no row of the
        audit trail could be sealed.
        """
        with _opening(file):
            opened = open_for_writing(file, create=True)
        again = functools.partial(open_for_writing, create=False)
        database = cls(opened, file=file, data=data, clock=clock, again=again)
        try:
            database._migrate()
            _ = database.sealing_key
        except BaseException:
            database.close()
            raise
        return database

    @classmethod
    def open_to_read(cls, file: Path, *, data: Path, clock: Clock) -> Self:
        """Open an existing store to look at it. Nothing can be changed through this connection."""
        with _opening(file):
            opened = open_for_reading(file)
        database = cls(opened, file=file, data=data, clock=clock, again=open_for_reading)
        try:
            database._require_known_version()
        except BaseException:
            database.close()
            raise
        return database

    @property
    def _connection(self) -> apsw.Connection:
        return self._opened.connection

    def _require_known_version(self) -> None:
        version, known = int(self.read("PRAGMA user_version")[0][0]), len(migrations())
        if version != known:
            raise StoreError(
                f"The store at {self._file} is of version {version}; this software reads {known}.",
                remedy="Start the appliance once: it brings an older store up to date."
                if version < known
                else "Install the newer software again; nothing has been changed.",
            )

    def _migrate(self) -> None:
        files = migrations()
        with self.transaction() as write:
            done = int(write("PRAGMA user_version")[0][0])
            if done > len(files):
                raise StoreError(
                    f"The store is of version {done}; this software knows {len(files)}.",
                    remedy="Install the newer software again; nothing has been changed.",
                )
            if 0 < done < len(files):
                keep_before(self._file, done)
            for number, file in enumerate(files[done:], start=done + 1):
                self._connection.execute(file.read_text(encoding="utf-8")).fetchall()
                write(f"PRAGMA user_version={number}")

    @contextmanager
    def transaction(self) -> Iterator[Execute]:
        """All of it or nothing of it. Durable when the block has ended without an error.

        Inside another one of the same thread it is a part of that one.
        """
        with self._lock, self._watched():
            if self._depth:
                yield self._execute
                return
            self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield self._execute
                self._connection.execute("COMMIT")
            except BaseException:
                self._afterwards.clear()
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            finally:
                self._depth -= 1
            afterwards, self._afterwards = self._afterwards, {}
            for do in afterwards.values():
                do()

    def read(self, sql: str, values: tuple[Any, ...] = ()) -> list[Row]:
        """All rows of one query."""
        with self._lock, self._watched():
            return self._execute(sql, values)

    def change_mark(self) -> int:
        """A number that differs after another connection has committed. Costs next to nothing."""
        with self._lock:
            if self._opened.stands_in:  # it does not see what others commit: look again, and call it a change
                self._faulty = True
                self._changes_of_stand_ins -= 1
                self.read("SELECT 1")
                return self._changes_of_stand_ins
            return int(self.read("PRAGMA data_version")[0][0])

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Open the file anew after a fault of the disk; note a new one."""
        with in_words(self._file):
            if self._faulty and not self._depth:
                self._open_again()
            try:
                yield
            except FAULTS_OF_THE_DISK:
                self._faulty = True
                raise
            except apsw.FullError:
                Reserve(self._file).give_up()  # whoever tries again has room for it
                raise

    def _open_again(self) -> None:
        self._connection.close(force=True)
        with _opening(self._file):
            self._opened = self._again(self._file)
        self._faulty = False

    def _execute(self, sql: str, values: tuple[Any, ...] = ()) -> list[Row]:
        return self._connection.execute(sql, values).fetchall()

    def close(self) -> None:
        """Give the file back. What cannot be moved out of the log now stays there, and loses nothing."""
        with self._lock:
            try:
                self._connection.close(force=self._faulty)
            except (*FAULTS_OF_THE_DISK, apsw.FullError):
                self._connection.close(force=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


@contextmanager
def in_words(file: Path) -> Iterator[None]:
    """SQLite's errors as ours. Never "delete it": a vanished disk also reads as a malformed file."""
    try:
        yield
    except apsw.FullError as error:
        raise StoreError(
            f"The disk of {file} is full.", remedy="Free some space; work resumes by itself."
        ) from error
    except apsw.BusyError as error:
        raise StoreError(
            f"Another program has kept {file} locked for {BUSY_TIMEOUT_MS // 1000} s.",
            remedy="Close whatever has the file open.",
        ) from error
    except (apsw.CorruptError, apsw.NotADBError) as error:
        if (words := disk_trouble(file)) is not None:
            raise StoreError(
                f"The disk of {file} cannot be read ({words}).",
                remedy="Check that its disk is there and healthy; the store itself may be whole.",
            ) from error
        raise StoreError(
            f"{file} cannot be read as a store ({error}).",
            remedy="Check the disk first, then restore a backup. The originals are in the spool folder.",
        ) from error
    except (*FAULTS_OF_THE_DISK, apsw.PermissionsError) as error:
        raise StoreError(
            f"{file} cannot be written or read ({error}).",
            remedy="Check that its disk is mounted, writable and not full.",
        ) from error


@contextmanager
def _opening(file: Path) -> Iterator[None]:
    try:
        with in_words(file):
            yield
    except OSError as error:
        raise StoreError(
            f"{file} cannot be opened ({error.strerror or type(error).__name__}).",
            remedy="Check that its disk is mounted, writable and not full.",
        ) from error


def disk_trouble(file: Path) -> str | None:
    """Why the file cannot be read from its disk from end to end, in words; None: it can."""
    try:
        with file.open("rb") as opened:
            while opened.read(_CHUNK_BYTES):
                pass
    except OSError as error:
        return error.strerror or type(error).__name__
    return None
