# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Opening the store: one SQLite file in WAL mode that keeps every commit through a power cut.

`synchronous=FULL` because anything less loses acknowledged commits when the plug is pulled; the library
must be at least 3.51.3, the first without the WAL-reset corruption (sqlite.org/wal.html, 2026-03-13).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol, TypeAlias

import apsw
from typing_extensions import Self

from appliance.clock import Clock
from appliance.device_key import audit_key_of, device_key
from appliance.errors import StoreError
from appliance.layout import Layout

Row: TypeAlias = tuple[Any, ...]

OLDEST_SQLITE: Final = (3, 51, 3)
"""First SQLite without the WAL-reset bug."""
BUSY_TIMEOUT_MS: Final = 10_000
"""How long to wait for another process's transaction; ours last milliseconds."""
MIGRATIONS: Final = Path(__file__).parent / "migrations"


class Execute(Protocol):
    """Runs one statement of the open transaction and returns its rows."""

    def __call__(self, sql: str, values: tuple[Any, ...] = (), /) -> list[Row]:
        """Raises apsw.Error; the transaction then rolls back."""


class Database:
    """A connection to the store. Safe to share between threads; one per process.

    `data` is the data folder: paths in rows are relative to it.
    """

    def __init__(self, connection: apsw.Connection, *, data: Path, clock: Clock) -> None:
        self._connection = connection
        self._lock = threading.RLock()
        self._key: bytes | None = None
        self._afterwards: dict[str, Callable[[], None]] = {}
        self.data = data
        self.clock = clock

    @property
    def sealing_key(self) -> bytes:
        """What the rows of the audit trail are sealed with. Raises ConfigError when the key is damaged."""
        if self._key is None:
            self._key = audit_key_of(device_key(Layout(data=self.data).keys))
        return self._key

    def after_commit(self, name: str, do: Callable[[], None]) -> None:
        """Have something done once the open transaction is durable; the last one of a name counts."""
        self._afterwards[name] = do

    @classmethod
    def open(cls, file: Path, *, data: Path, clock: Clock) -> Self:
        """Open for reading and writing; create and migrate as needed.

        Raises StoreError when the file cannot be opened or was written by a newer version, ConfigError when
        the device's key cannot be used: then no row of the audit trail could be sealed.
        """
        _require_safe_sqlite()
        with _in_words(file):
            file.parent.mkdir(parents=True, exist_ok=True)
            connection = apsw.Connection(str(file))
            connection.set_busy_timeout(BUSY_TIMEOUT_MS)
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
                connection.execute(f"PRAGMA {pragma}").fetchall()
        database = cls(connection, data=data, clock=clock)
        database._migrate()
        _ = database.sealing_key
        return database

    @classmethod
    def open_to_read(cls, file: Path, *, data: Path, clock: Clock) -> Self:
        """Open an existing store to look at it. Nothing can be changed through this connection."""
        _require_safe_sqlite()
        if not file.exists():
            raise StoreError(
                f"There is no store at {file}.", remedy="Start the appliance there: scanside run --data DIR."
            )
        with _in_words(file):
            connection = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)
            connection.set_busy_timeout(BUSY_TIMEOUT_MS)
            connection.execute("PRAGMA query_only=ON").fetchall()
        database = cls(connection, data=data, clock=clock)
        version, known = int(database.read("PRAGMA user_version")[0][0]), len(_migrations())
        if version != known:
            database.close()
            raise StoreError(
                f"The store at {file} is of version {version}; this software reads {known}.",
                remedy="Start the appliance once: it brings an older store up to date."
                if version < known
                else "Install the newer software again; nothing has been changed.",
            )
        return database

    def _migrate(self) -> None:
        files = _migrations()
        with self.transaction() as write:
            done = int(write("PRAGMA user_version")[0][0])
            if done > len(files):
                raise StoreError(
                    f"The store is of version {done}; this software knows {len(files)}.",
                    remedy="Install the newer software again; nothing has been changed.",
                )
            for number, file in enumerate(files[done:], start=done + 1):
                self._connection.execute(file.read_text(encoding="utf-8")).fetchall()
                write(f"PRAGMA user_version={number}")

    @contextmanager
    def transaction(self) -> Iterator[Execute]:
        """All of it or nothing of it. Durable when the block has ended without an error.

        Inside another one of the same thread it is a part of that one.
        """
        with self._lock, _in_words(Path(self._connection.filename)):
            inside_another: bool = self._connection.in_transaction
            if inside_another:
                yield self._execute
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._execute
            except BaseException:
                self._afterwards.clear()
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            afterwards, self._afterwards = self._afterwards, {}
            self._connection.execute("COMMIT")
            for do in afterwards.values():
                do()

    def read(self, sql: str, values: tuple[Any, ...] = ()) -> list[Row]:
        """All rows of one query."""
        with self._lock, _in_words(Path(self._connection.filename)):
            return self._execute(sql, values)

    def change_mark(self) -> int:
        """A number that differs after another connection has committed. Costs next to nothing."""
        return int(self.read("PRAGMA data_version")[0][0])

    def _execute(self, sql: str, values: tuple[Any, ...] = ()) -> list[Row]:
        return self._connection.execute(sql, values).fetchall()

    def close(self) -> None:
        """Give the file back."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _migrations() -> list[Path]:
    return sorted(MIGRATIONS.glob("*.sql"))


def _require_safe_sqlite() -> None:
    version = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
    if version < OLDEST_SQLITE:
        raise StoreError(
            f"SQLite {apsw.sqlite_lib_version()} can damage the store when two processes write.",
            remedy="Install apsw 3.51.3 or newer.",
        )


@contextmanager
def _in_words(file: Path) -> Iterator[None]:
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
        raise StoreError(
            f"{file} cannot be read as a store ({error}).",
            remedy="Check the disk first, then restore a backup. The originals are in the spool folder.",
        ) from error
    except (apsw.IOError, apsw.CantOpenError, apsw.ReadOnlyError, apsw.PermissionsError) as error:
        raise StoreError(
            f"{file} cannot be written or read ({error}).",
            remedy="Check that its disk is mounted, writable and not full.",
        ) from error
