# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What was flushed is compared: a disk that lies is found out, and another process's work is no lie."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import apsw
import pytest

from appliance.store import read_back
from appliance.store.opening import open_for_reading, open_for_writing

PAGE_BYTES = 4096


@pytest.fixture
def closing() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite"


def writer(file: Path, closing: ExitStack) -> apsw.Connection:
    """A process of the appliance, as far as SQLite can tell. It moves the log only when it is told to."""
    connection = open_for_writing(file, create=True).connection
    closing.callback(connection.close, force=True)
    connection.execute("PRAGMA wal_autocheckpoint=0").fetchall()
    return connection


def put(connection: apsw.Connection, value: str) -> None:
    connection.execute("INSERT OR REPLACE INTO kept VALUES (1, ?)", (value,))


def move_the_log(connection: apsw.Connection) -> bool:
    """As much of it into the store as its readers allow; whether that was all."""
    (_, in_log, moved), *_ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    return bool(in_log == moved)


def test_a_page_that_another_process_wrote_anew_is_no_lie(file: Path, closing: ExitStack) -> None:
    one, other = writer(file, closing), writer(file, closing)
    one.execute("CREATE TABLE kept (id INTEGER PRIMARY KEY, value TEXT)")
    one.execute("CREATE TABLE on_another_page (id INTEGER)")
    put(one, "old")
    reader = open_for_reading(file).connection
    closing.callback(reader.close, force=True)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM kept").fetchall()  # holds back what is committed from now on
    one.execute("INSERT INTO on_another_page VALUES (1)")
    assert not move_the_log(one), "SQLite does not flush here: there is more in the log"
    reader.execute("COMMIT")
    put(one, "newer")
    assert move_the_log(other)
    one.execute("INSERT INTO on_another_page VALUES (2)")
    assert move_the_log(one)
    assert one.execute("SELECT value FROM kept").fetchall() == [("newer",)]


def test_what_was_taken_back_is_no_lie_either(file: Path, closing: ExitStack) -> None:
    one, other = writer(file, closing), writer(file, closing)
    one.execute("CREATE TABLE kept (id INTEGER PRIMARY KEY, value TEXT)")
    one.execute("PRAGMA cache_size=10").fetchall()
    one.execute("BEGIN IMMEDIATE")
    for number in range(200):  # far more than the cache holds
        one.execute("INSERT INTO kept VALUES (?, ?)", (number, "x" * PAGE_BYTES))
    one.execute("ROLLBACK")
    other.execute("BEGIN IMMEDIATE")
    for number in range(100):
        other.execute("INSERT INTO kept VALUES (?, ?)", (number, "y" * PAGE_BYTES))
    other.execute("COMMIT")
    put(one, "z")
    assert one.execute("SELECT count(*) FROM kept").fetchall() == [(100,)]


class ForgetfulFile(apsw.VFSFile):
    """A file of a disk that takes writes, says so, and keeps none of them."""

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802  (SQLite's)
        if not ForgetfulDisk.forgets or offset == 0:
            super().xWrite(data, offset)


class ForgetfulDisk(apsw.VFS):
    """Forgets what is written to the store, not to its log, while `forgets`."""

    forgets = False

    def __init__(self) -> None:
        super().__init__("forgetful", base="unix")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        is_store = bool(flags[0] & apsw.SQLITE_OPEN_MAIN_DB)
        return (ForgetfulFile if is_store else apsw.VFSFile)("unix", name, flags)


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[ForgetfulDisk]]:
    disk = ForgetfulDisk()
    monkeypatch.setattr(read_back, "SYSTEM", "forgetful")
    monkeypatch.setattr(read_back, "NAME", "read-back-of-forgetful")
    monkeypatch.setattr(read_back, "_VFS", [])
    read_back.reads_back.cache_clear()
    yield ForgetfulDisk
    ForgetfulDisk.forgets = False
    read_back.reads_back.cache_clear()
    disk.unregister()


def test_a_page_that_the_store_forgets_is_found(
    file: Path, closing: ExitStack, forgetful: type[ForgetfulDisk]
) -> None:
    one = writer(file, closing)
    one.execute("CREATE TABLE kept (id INTEGER PRIMARY KEY, value TEXT)")
    put(one, "old")
    forgetful.forgets = True
    with pytest.raises(apsw.IOError, match="gave back other bytes"):
        move_the_log(one)


def test_a_page_that_is_forgotten_in_a_part_of_the_move_is_found_at_the_next_commit(
    file: Path, closing: ExitStack, forgetful: type[ForgetfulDisk]
) -> None:
    one = writer(file, closing)
    one.execute("CREATE TABLE kept (id INTEGER PRIMARY KEY, value TEXT)")
    one.execute("CREATE TABLE on_another_page (id INTEGER)")
    put(one, "old")
    reader = open_for_reading(file).connection
    closing.callback(reader.close, force=True)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM kept").fetchall()
    one.execute("INSERT INTO on_another_page VALUES (1)")
    forgetful.forgets = True
    assert not move_the_log(one), "SQLite flushes nothing here"
    forgetful.forgets = False
    reader.execute("COMMIT")
    with pytest.raises(apsw.IOError, match="gave back other bytes"):
        put(one, "newest")
