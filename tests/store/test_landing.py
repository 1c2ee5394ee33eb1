# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Landing is one transaction; what comes back is what went in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.clock import ManualClock
from appliance.domain.acquisition import Acquisition, Urgency
from appliance.domain.job import JobState
from appliance.errors import StoreError
from appliance.store.board import Board
from appliance.store.connection import Database
from appliance.store.decisions import Choice, Decisions
from appliance.store.jobs import move
from appliance.store.landing import Landings
from appliance.store.outbox import Outbox

LandOne = Callable[..., Acquisition]


def test_an_acquisition_reads_back_as_it_was_landed(database: Database, land: LandOne) -> None:
    landed = land("a", urgency=Urgency.STAT)
    assert Landings(database).acquisition("a") == landed
    assert Landings(database).acquisition("b") is None


def test_the_same_bytes_twice_count_once(database: Database, land: LandOne) -> None:
    landed = land("a")
    land("a")
    found = Landings(database).find(landed.first.sha256)
    assert found is not None
    assert found.repeats == 1
    assert len(Board(database).entries()) == 1
    assert len(database.read("SELECT 1 FROM job")) == 3


def test_originals_wait_for_their_peer_from_the_same_transaction(database: Database, land: LandOne) -> None:
    landed = land("a")
    send = Outbox(database).next_send("pacs")
    assert send is not None
    assert send.path == database.data / "spool" / landed.first.sha256
    Outbox(database).not_sent(send, reason="no route")
    assert Outbox(database).next_send("pacs") is not None
    Outbox(database).sent(send)
    assert Outbox(database).next_send("pacs") is None


def test_a_failed_transaction_leaves_nothing(database: Database, land: LandOne) -> None:
    land("a")

    def delete_and_stumble() -> None:
        with database.transaction() as write:
            write("DELETE FROM job")
            move(write, 1, JobState.DONE, JobState.QUEUED, reason=None)

    with pytest.raises(StoreError):
        delete_and_stumble()
    assert len(database.read("SELECT 1 FROM job")) == 3


def test_a_reader_cannot_change_anything(
    database: Database, land: LandOne, clock: ManualClock, tmp_path: Path
) -> None:
    land("a")
    with Database.open_to_read(tmp_path / "store/scanside.sqlite", data=tmp_path, clock=clock) as reader:
        assert [entry.acquisition_id for entry in Board(reader).entries()] == ["a"]
        with pytest.raises(StoreError), reader.transaction() as write:
            write("DELETE FROM job")
        mark = reader.change_mark()
        Decisions(database).decide("a", 1, Choice.REPEAT, reason="clipped")
        assert reader.change_mark() != mark
        decision = Decisions(reader).latest("a")
    assert decision is not None
    assert decision.choice is Choice.REPEAT


def test_a_store_that_is_not_there_is_said(clock: ManualClock, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="There is no store"):
        Database.open_to_read(tmp_path / "none.sqlite", data=tmp_path, clock=clock)


def test_a_file_that_is_no_store_is_kept_and_said(clock: ManualClock, tmp_path: Path) -> None:
    file = tmp_path / "scanside.sqlite"
    file.write_bytes(b"not a database, but somebody's bytes" * 100)
    with pytest.raises(StoreError, match="cannot be read as a store"):
        Database.open(file, data=tmp_path, clock=clock)
    assert file.stat().st_size > 0


def test_a_newer_store_is_left_alone(database: Database, clock: ManualClock, tmp_path: Path) -> None:
    database.read("PRAGMA user_version=999")
    with pytest.raises(StoreError, match="version 999"):
        Database.open(tmp_path / "store" / "scanside.sqlite", data=tmp_path, clock=clock)
