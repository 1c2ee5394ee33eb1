# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A store that is damaged is made anew of the originals; a disk that is gone is not taken for that."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from appliance.clock import SystemClock
from appliance.config import Settings
from appliance.layout import Layout
from appliance.processes.rebuild import look_at_store, rebuild
from appliance.selftest.phantom_radiograph import Identity, write_chest
from appliance.store.board import Board
from appliance.store.connection import Database
from appliance.store.decisions import Choice, Decisions

EXAMS = 3


@pytest.fixture
def device(layout: Layout, tmp_path: Path) -> Layout:
    """A store of EXAMS, made as a rebuild makes one; a decision in it."""
    for seed in range(EXAMS):
        file = tmp_path / f"{seed}.dcm"
        write_chest(file, identity=Identity(seed=seed), rows=120, columns=100)
        sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
        place = layout.spool / sha256[:2] / sha256
        place.parent.mkdir(exist_ok=True)
        shutil.copyfile(file, place)
    with Database.open(layout.database, data=layout.data, clock=SystemClock()):
        pass
    rebuild(Settings(), layout, SystemClock())
    with Database.open(layout.database, data=layout.data, clock=SystemClock()) as database:
        (first, *_) = Board(database).entries()
        Decisions(database).decide(first.acquisition_id, 1, Choice.KEEP, reason=None)
        database.read("PRAGMA wal_checkpoint(TRUNCATE)")
    return layout


def test_a_damaged_store_is_moved_aside_and_made_anew(device: Layout) -> None:
    assert look_at_store(device).whole
    with Database.open_to_read(device.database, data=device.data, clock=SystemClock()) as database:
        exams = {entry.acquisition_id for entry in Board(database).entries()}
        page = int(database.read("SELECT rootpage FROM sqlite_schema WHERE name = 'file'")[0][0])
        size = int(database.read("PRAGMA page_size")[0][0])
    content = bytearray(device.database.read_bytes())
    content[(page - 1) * size : page * size] = b"\xaa" * size
    device.database.write_bytes(content)
    state = look_at_store(device)
    assert not state.whole
    assert state.disk_trouble is None
    made = rebuild(Settings(), device, SystemClock())
    assert (made.files, made.damaged_files) == (EXAMS, 0)
    assert (device.data / made.old_store / device.database.name).read_bytes() == bytes(content)
    with Database.open_to_read(device.database, data=device.data, clock=SystemClock()) as database:
        assert {entry.acquisition_id for entry in Board(database).entries()} == exams
        assert [row[0] for row in database.read("SELECT decision FROM decision")] == ["keep"]
    assert look_at_store(device).whole


def test_an_original_that_changed_is_left_alone(device: Layout) -> None:
    victim = next(path for path in sorted(device.spool.glob("??/*")))
    content = bytearray(victim.read_bytes())
    content[-1] ^= 1
    victim.write_bytes(content)
    made = rebuild(Settings(), device, SystemClock())
    assert (made.files, made.damaged_files) == (EXAMS - 1, 1)
    assert victim.read_bytes() == bytes(content)


def test_a_disk_that_does_not_work_is_no_damaged_store(device: Layout) -> None:
    probe = device.database.parent / "probe.part"
    probe.mkdir()  # what cannot be written
    state = look_at_store(device)
    assert not state.whole
    assert state.disk_trouble is not None
    assert state.faults == ()
