# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The keeper: a flipped bit is found and mended, images go when the disk is full, the trail is anchored."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance.clock import ManualClock
from appliance.config import Settings
from appliance.device_key import device_key
from appliance.domain.acquisition import Door, Instance, LandedFile, Urgency
from appliance.domain.audit import AuditKind
from appliance.errors import StoreError
from appliance.keeping import AuditSettings, RetentionSettings
from appliance.layout import Layout
from appliance.monitor.heartbeat import read_beat
from appliance.processes.keeper import Keeper
from appliance.store.anchors import anchors_in, outside_file
from appliance.store.audit import Trail
from appliance.store.connection import Database
from appliance.store.landing import FileStatus, Landings
from appliance.store.proofs import Proofs

FILES = 5


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def database(
    layout: Layout, clock: ManualClock, make_instance: Callable[..., Instance]
) -> Iterator[Database]:
    with Database.open(layout.database, data=layout.data, clock=clock) as opened:
        for number in range(FILES):
            content = f"image {number}".encode()
            sha256 = hashlib.sha256(content).hexdigest()
            path = layout.spool / sha256[:2] / sha256
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
            file = LandedFile(
                path=path,
                sha256=sha256,
                size_bytes=len(content),
                door=Door.FOLDER,
                source="x",
                urgency=Urgency.LIVE,
                landed_at_utc=clock.now_utc(),
                noticed_ns=0,
                landed_ns=0,
            )
            Landings(opened).land(file, status=FileStatus.ACCEPTED, instance=make_instance(path=path))
        yield opened


def keeper(layout: Layout, clock: ManualClock, database: Database, **sections: Any) -> Keeper:
    return Keeper(settings=Settings(**sections), layout=layout, clock=clock, database=database)


def kinds(database: Database) -> list[AuditKind]:
    return [row.event.kind for row in Trail(database).rows()]


def test_a_flipped_bit_is_found_within_days_and_said(
    layout: Layout, clock: ManualClock, database: Database
) -> None:
    victim = sorted(layout.spool.glob("??/*"))[2]
    content = bytearray(victim.read_bytes())
    content[3] ^= 1
    victim.write_bytes(content)
    kept = keeper(layout, clock, database)
    started = clock.now_utc()
    while AuditKind.DAMAGED not in kinds(database):
        kept.step()
        clock.advance(1)
        assert clock.now_utc() - started < timedelta(days=7)
    kept.step()
    beat = read_beat(layout.run, "keeper", clock)
    assert beat is not None
    assert "1 stored images are damaged: send them again" in beat.state
    assert Proofs(database).wanted(victim.name)
    for _ in range(3 * FILES):  # said once, however often it is read
        kept.prove_one()
    assert kinds(database).count(AuditKind.DAMAGED) == 1


def test_every_file_has_its_turn(layout: Layout, clock: ManualClock, database: Database) -> None:
    kept = keeper(layout, clock, database)
    for _ in range(FILES):
        kept.prove_one()
    assert database.read("SELECT DISTINCT proofs FROM file") == [(1,)]


def test_the_planned_pace_reads_a_large_spool_in_its_days(
    layout: Layout, clock: ManualClock, database: Database
) -> None:
    kept = keeper(layout, clock, database, retention=RetentionSettings(scrub_days=0.001))
    assert kept._proof_pause_s() * FILES == pytest.approx(0.001 * 86400 / 2)


def test_what_comes_again_is_whole_again(layout: Layout, database: Database) -> None:
    victim = min(layout.spool.glob("??/*"))
    good = victim.read_bytes()
    database.read("UPDATE file SET removed_at_utc = 'now' WHERE sha256 = ?", (victim.name,))
    victim.unlink()
    proofs = Proofs(database)
    with pytest.raises(StoreError, match="not at its place"):
        proofs.restored(victim.name)
    assert proofs.wanted(victim.name)
    victim.write_bytes(good)
    proofs.restored(victim.name)
    assert not proofs.wanted(victim.name)
    assert kinds(database)[-1] is AuditKind.RESTORED


def test_the_end_of_the_trail_leaves_the_device(
    layout: Layout, clock: ManualClock, database: Database, tmp_path: Path
) -> None:
    medium = tmp_path / "stick"
    settings = AuditSettings(anchor_folder=str(medium))
    kept = keeper(layout, clock, database, audit=settings)
    kept.step()  # it is not plugged in
    beat = read_beat(layout.run, "keeper", clock)
    assert beat is not None
    assert "not anchored" in beat.state
    medium.mkdir()
    clock.advance(61)
    kept.step()
    key = device_key(layout.keys)
    (anchor,) = anchors_in(outside_file(medium, key), key.public_key())
    assert not isinstance(anchor, str)
    assert (anchor.count, anchor.hash) == (Trail(database).head().count, Trail(database).head().hash)


def test_a_clock_that_is_moved_is_a_row(layout: Layout, clock: ManualClock, database: Database) -> None:
    kept = keeper(layout, clock, database)
    kept.step()
    assert AuditKind.CLOCK not in kinds(database)
    clock.set_utc(clock.now_utc() + timedelta(hours=2))
    kept.step()
    kept.step()
    (row,) = [row for row in Trail(database).rows() if row.event.kind is AuditKind.CLOCK]
    assert row.event.about == (("moved_s", "7200.0"),)


def test_a_full_disk_is_said_and_only_what_may_go_goes(
    layout: Layout, clock: ManualClock, database: Database
) -> None:
    limits = RetentionSettings(warn_percent=0.0001, act_percent=0.0002, keep_days=0)
    kept = keeper(layout, clock, database, retention=limits)
    kept.make_room()
    assert "no image may go" in kept._disk_words
    assert len(list(layout.spool.glob("??/*"))) == FILES
