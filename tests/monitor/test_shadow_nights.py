# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The nights of a shadow: once a date, from where the last one ended."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from appliance.clock import ManualClock
from appliance.domain.finding import Decision
from appliance.domain.record import to_json
from appliance.domain.shadow import Pair, ShadowAnswer
from appliance.monitor.shadow_nights import count_nights
from appliance.store.connection import Database
from appliance.store.shadows import Shadows


def say(database: Database, name: str, shadow: Decision) -> None:
    pair = Pair(
        label="Bright",
        served=Decision.ABSENT,
        shadow=shadow,
        served_probability=0.25,
        shadow_probability=0.75,
    )
    answer = ShadowAnswer(
        acquisition_id=name,
        version=1,
        served_model="t@1",
        shadow_model="t@2",
        shadow_engine="ort",
        pairs=(pair,),
        served_ms=None,
        shadow_ms=1.0,
        answered_at_utc="2026-01-01T00:00:00+00:00",
    )
    with database.transaction() as write:
        write("INSERT INTO shadow_answer VALUES ('t', 'r', ?, 1, ?)", (name, to_json(answer)))


def test_a_night_holds_what_came_since_the_last_one(tmp_path: Path) -> None:
    clock = ManualClock()
    with Database.open(tmp_path / "s" / "x.sqlite", data=tmp_path, clock=clock) as database:
        shadows = Shadows(database)
        assert count_nights(shadows, clock) == ()
        say(database, "a", Decision.PRESENT)
        say(database, "b", Decision.ABSENT)
        (first,) = count_nights(shadows, clock)
        assert (first.images, first.different, first.apart) == (2, 1, 0.5)
        assert first.changed == {"Bright: ABSENT -> PRESENT": 1}
        say(database, "c", Decision.PRESENT)
        assert count_nights(shadows, clock) == (), "the date is counted"
        clock.advance(timedelta(days=1).total_seconds())
        (second,) = count_nights(shadows, clock)
        assert (second.night, second.images) == ("2026-01-02", 1)
        clock.advance(timedelta(days=1).total_seconds())
        assert count_nights(shadows, clock) == (), "nothing came"
        assert shadows.nights("t", limit=9) == (second, first)
        assert shadows.last_nights() == (second,)
