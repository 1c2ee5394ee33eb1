# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Older software takes over a store that newer software has changed, and nothing that came since is lost."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import apsw
import pytest

from appliance.clock import SystemClock
from appliance.config import Settings
from appliance.device_key import audit_key_of, device_key
from appliance.domain.acquisition import Door, Urgency
from appliance.errors import StoreError
from appliance.layout import Layout
from appliance.processes.rebuild import Original, take_in
from appliance.processes.step_back import is_too_new, step_back
from appliance.processes.trial import settle
from appliance.selftest.phantom_radiograph import Identity, write_chest
from appliance.store.anchors import anchors_beside
from appliance.store.audit import Trail
from appliance.store.audit_check import check_trail
from appliance.store.board import Board
from appliance.store.connection import Database
from appliance.store.decisions import Choice, Decisions
from appliance.store.migrating import keep_before, kept_store, migrations

CLOCK = SystemClock()
KNOWN = len(migrations())


def opened(layout: Layout) -> Database:
    return Database.open(layout.database, data=layout.data, clock=CLOCK)


def land(layout: Layout, tmp_path: Path, *seeds: int) -> None:
    """Images as the watcher would have taken them."""
    originals = []
    for seed in seeds:
        file = tmp_path / f"{seed}.dcm"
        write_chest(file, identity=Identity(seed=seed), rows=120, columns=100)
        sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
        place = layout.spool / sha256[:2] / sha256
        place.parent.mkdir(exist_ok=True)
        shutil.copyfile(file, place)
        originals.append(Original(path=place, door=Door.ASSOCIATION, source="CR1", urgency=Urgency.STAT))
    with opened(layout) as database:
        assert take_in(database, Settings(), layout, CLOCK, originals) == (len(seeds), 0)


def make_newer(layout: Layout) -> None:
    """What a migration of newer software does."""
    store = apsw.Connection(str(layout.database))
    store.execute("ALTER TABLE file ADD COLUMN newer TEXT").fetchall()
    store.execute("ALTER TABLE decision ADD COLUMN newer TEXT DEFAULT 'x'").fetchall()
    store.execute("CREATE TABLE newer (x TEXT)").fetchall()
    store.execute(f"PRAGMA user_version={KNOWN + 1}").fetchall()
    store.close()


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two exams before the update; one more, a decision and a removed image since."""
    tmp_path = tmp_path_factory.mktemp("updated")
    layout = Layout(data=tmp_path / "data")
    layout.create()
    land(layout, tmp_path, 0, 1)
    keep_before(layout.database, KNOWN)
    land(layout, tmp_path, 2)
    with opened(layout) as database:
        (newest, *_) = Board(database).entries()
        Decisions(database).decide(newest.acquisition_id, 1, Choice.KEEP, reason=None)
        oldest = database.read("SELECT sha256 FROM file ORDER BY rowid LIMIT 1")[0][0]
        database.read("UPDATE file SET removed_at_utc = 'then' WHERE sha256 = ?", (oldest,))
    make_newer(layout)
    return layout.data


@pytest.fixture
def updated(kept: Path, tmp_path: Path) -> Layout:
    """A copy of that device."""
    return Layout(data=shutil.copytree(kept, tmp_path / "device"))


# Trace: REQ-060
def test_what_came_since_is_there_again(updated: Layout) -> None:
    with pytest.raises(StoreError, match="Install the newer software again"):
        opened(updated)
    assert is_too_new(updated)
    done = step_back(Settings(), updated, CLOCK)
    assert (done.from_version, done.to_version, done.files, done.damaged_files) == (KNOWN + 1, KNOWN, 1, 0)
    assert not is_too_new(updated)
    with opened(updated) as database:
        assert len(Board(database).entries()) == 3
        assert database.read("SELECT decision FROM decision") == [("keep",)]
        came = database.read("SELECT door, source, urgency FROM file")
        assert came == [(Door.ASSOCIATION.value, "CR1", Urgency.STAT.value)] * 3
        assert database.read("SELECT count(*) FROM file WHERE removed_at_utc = 'then'") == [(1,)]
        key = audit_key_of(device_key(updated.keys))
        beside = list(anchors_beside(updated.data, key))
        report = check_trail(Trail(database), key=key, beside=beside, outside=[])
        assert report.faults == ()
    assert (updated.data / done.newer_store / updated.database.name).exists()


# Trace: REQ-060
def test_without_the_copy_everything_is_taken_in_again(updated: Layout) -> None:
    shutil.rmtree(updated.database.parent / "before")
    done = settle(Settings(), updated, CLOCK, why="a test")
    assert done is not None
    assert done.files == 2, "the removed one stays removed"
    with opened(updated) as database:
        assert len(Board(database).entries()) == 2
        assert database.read("SELECT decision FROM decision") == [("keep",)]
    assert settle(Settings(), updated, CLOCK, why="a test") is None


def test_a_store_that_somebody_has_open_is_left_alone(updated: Layout) -> None:
    reader = apsw.Connection(str(updated.database))
    try:
        reader.execute("BEGIN").fetchall()
        reader.execute("SELECT count(*) FROM file").fetchall()
        writer = apsw.Connection(str(updated.database))
        writer.execute("INSERT INTO newer VALUES ('y')").fetchall()
        writer.close()
        with pytest.raises(StoreError, match=r"has .* open"):
            step_back(Settings(), updated, CLOCK)
    finally:
        reader.close()
    assert is_too_new(updated)


def test_an_older_store_is_copied_before_it_is_changed(layout: Layout, tmp_path: Path) -> None:
    store = apsw.Connection(str(layout.database))
    for migration in migrations()[:3]:
        store.execute(migration.read_text(encoding="utf-8")).fetchall()
    store.execute("PRAGMA user_version=3").fetchall()
    store.close()
    opened(layout).close()
    copy = kept_store(layout.database, most=KNOWN)
    assert copy is not None
    assert copy.name == "v3.sqlite"
    kept = apsw.Connection(str(copy))
    assert kept.execute("PRAGMA user_version").fetchall() == [(3,)]
    kept.close()
    assert kept_store(layout.database, most=2) is None
    fresh = Layout(data=tmp_path / "fresh")
    fresh.create()
    opened(fresh).close()
    assert kept_store(fresh.database, most=KNOWN) is None, "a new store has nothing before it"
