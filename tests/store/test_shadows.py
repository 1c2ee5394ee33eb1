# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A shadow looks at each result once, from where it began, and what it says is no result."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from appliance.clock import SystemClock
from appliance.domain.finding import Decision
from appliance.domain.job import Lane
from appliance.domain.record import to_json
from appliance.domain.result import LaneResult
from appliance.domain.shadow import Pair, ShadowAnswer
from appliance.store.connection import Database
from appliance.store.migrating import MIGRATIONS
from appliance.store.shadows import Shadows

TASK, RELEASE = "chest_triage", "0123456789abcdef"


@pytest.fixture
def shadows(database: Database) -> Shadows:
    return Shadows(database)


def commit(database: Database, name: str, lane: Lane = Lane.TRIAGE) -> None:
    record = to_json(LaneResult(acquisition_id=name, version=1, lane=lane))
    with database.transaction() as write:
        write(
            "INSERT INTO result VALUES (?, 1, ?, ?, '2026-01-01', 0, 'boot')",
            (name, lane.value, record),
        )


def answer(name: str) -> ShadowAnswer:
    pair = Pair(
        label="Bright",
        served=Decision.ABSENT,
        shadow=Decision.PRESENT,
        served_probability=0.2,
        shadow_probability=0.8,
    )
    return ShadowAnswer(
        acquisition_id=name,
        version=1,
        served_model="chest_triage@1.0",
        shadow_model="chest_triage@2.0",
        shadow_engine="ort f32 CPU",
        pairs=(pair,),
        served_ms=4.0,
        shadow_ms=5.0,
        answered_at_utc="2026-01-01T00:00:00+00:00",
    )


def test_it_begins_with_what_comes_and_meets_nothing_twice(database: Database, shadows: Shadows) -> None:
    commit(database, "before")
    assert shadows.next_result(TASK, RELEASE, lane=Lane.TRIAGE) is None, "it begins here"
    commit(database, "other", Lane.QUALITY)
    commit(database, "first")
    commit(database, "second")
    seen = []
    while found := shadows.next_result(TASK, RELEASE, lane=Lane.TRIAGE):
        rowid, result = found
        seen.append(result.acquisition_id)
        shadows.looked(TASK, RELEASE, rowid, None)
    assert seen == ["first", "second"]
    assert shadows.next_result(TASK, "another", lane=Lane.TRIAGE) is None, (
        "each release from its own beginning"
    )


def test_answers_are_kept_by_release_and_are_no_results(database: Database, shadows: Shadows) -> None:
    shadows.next_result(TASK, RELEASE, lane=Lane.TRIAGE)
    commit(database, "a")
    found = shadows.next_result(TASK, RELEASE, lane=Lane.TRIAGE)
    assert found is not None
    shadows.looked(TASK, RELEASE, found[0], answer("a"))
    shadows.looked(TASK, RELEASE, found[0], answer("a"))
    assert shadows.answers(TASK, RELEASE) == (answer("a"),)
    assert shadows.answers(TASK, "another") == ()
    assert shadows.releases() == ((TASK, RELEASE),)
    rows = database.read("SELECT acquisition_id, record FROM result")
    assert [row[0] for row in rows] == ["a"]
    assert "2.0" not in rows[0][1]


def test_an_older_store_gets_the_tables(tmp_path: Path) -> None:
    file = tmp_path / "store.sqlite"
    older = apsw.Connection(str(file))
    for migration in sorted(MIGRATIONS.glob("*.sql"))[:3]:
        older.execute(migration.read_text(encoding="utf-8")).fetchall()
    older.execute("PRAGMA user_version=3").fetchall()
    older.close()
    with Database.open(file, data=tmp_path, clock=SystemClock()) as opened:
        assert Shadows(opened).releases() == ()
