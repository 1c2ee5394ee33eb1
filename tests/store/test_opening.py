# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Opening the store: anew after a fault, never made a second time, and readable on a full disk."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

import apsw
import pytest

from appliance.clock import ManualClock
from appliance.errors import StoreError
from appliance.store.connection import Database
from appliance.store.opening import open_for_reading
from appliance.store.reserve import Reserve
from benchmarks.faults.full_disk import fill
from benchmarks.faults.loop_disk import LoopDisk, why_not

DISK_MIB = 64


def count(database: Database) -> int:
    return int(database.read("SELECT count(*) FROM settled")[0][0])


def add(database: Database, name: bytes) -> None:
    with database.transaction() as write:
        write("INSERT INTO settled (path, size_bytes, mtime_ns, inode) VALUES (?, 0, 0, 0)", (name,))


def test_after_a_fault_the_same_file_is_opened_anew(database: Database) -> None:
    add(database, b"a")
    before = database._connection
    database._faulty = True
    add(database, b"b")
    assert database._connection is not before
    assert count(database) == 2


def test_a_store_that_has_gone_is_not_made_anew(database: Database) -> None:
    file = Path(database._connection.filename)
    for part in file.parent.iterdir():
        part.unlink()
    database._faulty = True
    with pytest.raises(StoreError, match="cannot be written or read"):
        count(database)
    assert not file.exists()


def test_a_commit_that_fails_ends_its_transaction(database: Database) -> None:
    database._connection.set_commit_hook(lambda: True)
    with pytest.raises(apsw.ConstraintError):
        add(database, b"a")
    database._connection.set_commit_hook(None)
    add(database, b"b")
    with Database.open_to_read(
        Path(database._connection.filename), data=database.data, clock=ManualClock()
    ) as other:
        assert count(other) == 1, "what came after it was committed, not swallowed"


def test_the_reserve_is_given_up_once_and_laid_by_again(database: Database) -> None:
    reserve = Reserve(Path(database._connection.filename))
    assert reserve.give_up()
    assert not reserve.give_up()
    reserve.keep()
    assert reserve.give_up()


@pytest.mark.skipif(why_not() is not None, reason=str(why_not()))
@pytest.mark.parametrize("index", [True, False])
def test_a_full_disk_can_be_read_and_a_write_has_its_reserve(
    database: Database, tmp_path: Path, *, index: bool
) -> None:
    add(database, b"a")
    file = Path(database._connection.filename)
    with LoopDisk(tmp_path / "loop", size_mib=DISK_MIB) as disk:
        store = disk.root / "store"
        shutil.copytree(file.parent, store, ignore=None if index else shutil.ignore_patterns("*-shm"))
        shutil.copytree(database.data / "keys", disk.root / "keys")
        fill(disk.root / "foreign")
        moved = store / file.name
        opened = open_for_reading(moved)
        assert opened.connection.execute("SELECT count(*) FROM settled").fetchall() == [(1,)]
        assert opened.stands_in or index
        opened.connection.close()
        with Database.open(moved, data=disk.root, clock=ManualClock()) as writing:
            with suppress(StoreError):  # the one that finds the disk full frees the reserve for the next
                add(writing, b"b")
            add(writing, b"c")
            assert count(writing) >= 2
