# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Landing is one transaction; what comes back is what went in."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.clock import ManualClock
from appliance.domain.acquisition import Acquisition, Completeness, Door, LandedFile, Urgency
from appliance.domain.job import JobState
from appliance.errors import StoreError
from appliance.store.board import Board
from appliance.store.connection import Database
from appliance.store.decisions import Choice, Decisions
from appliance.store.jobs import move
from appliance.store.landing import FileStatus, Landings
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


# Trace: REQ-001
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


# Trace: REQ-011
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


def test_images_of_one_name_or_series_find_each_other(database: Database, land: LandOne) -> None:
    landings = Landings(database)
    first, second = land("a"), land("b")
    assert set(landings.siblings("a")) == {"b"}  # all these share one series
    one = first.first
    assert set(landings.concerning(series_instance_uid="9.9", sop_instance_uid=one.sop_instance_uid)) == {"a"}
    assert set(
        landings.concerning(series_instance_uid="1.2.3", sop_instance_uid=second.first.sop_instance_uid)
    ) == {"a", "b"}
    assert landings.concerning(series_instance_uid="9.9", sop_instance_uid="9.9") == ()


def test_what_lands_together_is_one_transaction(database: Database, land: LandOne) -> None:
    landings = Landings(database)
    with landings.together():
        land("a")
        assert landings.acquisition("a") is not None  # seen by those that land after it

    def land_and_fail() -> None:
        with landings.together():
            land("b")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        land_and_fail()
    assert [entry.acquisition_id for entry in Board(database).entries()] == ["a"]


def test_a_file_that_contradicts_another_acquisition_changes_both_at_once(
    database: Database, land: LandOne, clock: ManualClock, tmp_path: Path
) -> None:
    landings = Landings(database)
    first, second = land("a"), land("b")
    told = dataclasses.replace(first, version=2, completeness=Completeness.CONFLICT)
    instance = dataclasses.replace(second.first, sha256="f" * 64)
    file = LandedFile(
        path=tmp_path / "spool" / instance.sha256,
        sha256=instance.sha256,
        size_bytes=1,
        door=Door.FOLDER,
        source="c.dcm",
        urgency=Urgency.LIVE,
        landed_at_utc=clock.now_utc(),
        noticed_ns=0,
        landed_ns=0,
    )
    grown = dataclasses.replace(second, version=2, instances=(*second.instances, instance))
    landings.land(
        file,
        status=FileStatus.ACCEPTED,
        instance=instance,
        acquisition=grown,
        queue=True,
        amended=(told,),
    )
    after = landings.acquisition("a")
    assert after is not None
    assert (after.version, after.completeness) == (2, Completeness.CONFLICT)
    states = Counter(database.read("SELECT acquisition_id, version, state FROM job"))
    assert states[("a", 1, "superseded")] == states[("a", 2, "queued")] == 3


def test_the_quiet_time_that_is_left_is_kept_for_those_that_wait(database: Database, land: LandOne) -> None:
    landings = Landings(database)
    waiting = dataclasses.replace(land("a"), completeness=Completeness.RECEIVING)
    land("b")
    landings.amend(waiting, quiet_left_s=60.0)
    landings.write_quiet_left({"a": 12.5, "b": 3.0})
    assert landings.receiving() == (("a", 12.5),)


def test_a_file_that_steps_aside_lets_the_others_go_first_and_stays(
    database: Database, land: LandOne
) -> None:
    first, second = land("a"), land("b")
    outbox = Outbox(database)
    refused = outbox.next_send("pacs")
    assert refused is not None
    assert refused.path.name == first.first.sha256
    outbox.not_sent(refused, reason="not this one", steps_aside=True)
    other = outbox.next_send("pacs")
    assert other is not None
    assert other.path.name == second.first.sha256
    outbox.sent(other)
    back = outbox.next_send("pacs")
    assert back is not None
    assert (back.path, back.attempts) == (refused.path, 1)


def test_a_landing_tells_what_it_is_made_of(database: Database, land: LandOne) -> None:
    name = land("a").acquisition_id
    with database.transaction() as write:
        write("UPDATE file SET noticed_ns = 10000000, landed_ns = 100000000")
    stages = Landings(database).arrival_timings(name, leased_ns=110_000_000)
    assert {timing.stage: timing.duration_ms for timing in stages} == {"landed": 90.0, "waited": 10.0}
    with database.transaction() as write:
        write("UPDATE file SET complete_ns = 60000000, claimed_ns = 95000000")
    stages = Landings(database).arrival_timings(name, leased_ns=110_000_000)
    assert {timing.stage: timing.duration_ms for timing in stages} == {
        "landed": 90.0,
        "waited": 10.0,
        "complete": 50.0,
        "claimed": 35.0,
    }
