# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Series as they come, in any order and with restarts: the real lander and store against an oracle."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from appliance.clock import ManualClock
from appliance.layout import Layout
from appliance.store.connection import Database
from benchmarks.faults.schedule import LATE_QUIET_S, Door, Slice, Step
from benchmarks.faults.schedules import STEP_S, Player, place_in, play_many

SCHEDULES = 60
SERIES = st.integers(0, 1)
ANNOUNCED = {0: None, 1: 5}
"""Of each series: what its headers announce."""
SLICES = st.builds(
    lambda series, index, content, patient, rewritten: Slice(
        series=series,
        patient=patient,
        index=index,
        content=content,
        rewritten=rewritten,
        announced=ANNOUNCED[series],
    ),
    SERIES,
    st.integers(0, 4),
    st.sampled_from((0, 0, 0, 0, 1)),
    st.sampled_from(("P1", "P1", "P1", "P2")),
    st.sampled_from((False, False, True)),
)
ASSOCIATIONS = st.sampled_from((1, 2))


def test_schedules_by_chance(tmp_path: Path) -> None:
    seen, failures, longest_s = play_many(tmp_path / "store", range(SCHEDULES), lambda *_: None, SCHEDULES)
    assert failures == []
    assert all(seen[door.value] for door in Door)
    assert seen["amended"]
    assert longest_s <= LATE_QUIET_S + STEP_S


class Arrivals(RuleBasedStateMachine):
    """Whatever comes next, the store says what the oracle says."""

    def __init__(self) -> None:
        super().__init__()
        self._opened = ExitStack()
        folder = Path(tempfile.mkdtemp())
        self._opened.callback(shutil.rmtree, folder)
        clock, layout = ManualClock(), Layout(data=folder)
        layout.create()
        database = self._opened.enter_context(Database.open(layout.database, data=folder, clock=clock))
        self._player = Player(place_in(folder, database, clock))

    @rule(slices=st.lists(SLICES, min_size=1, max_size=4), association=st.none() | ASSOCIATIONS)
    def files_come(self, slices: list[Slice], association: int | None) -> None:
        self._player.step(Step(door=Door.FILES, slices=tuple(slices), association=association))

    @rule(association=ASSOCIATIONS, released=st.booleans())
    def an_association_ends(self, association: int, released: bool) -> None:
        door = Door.RELEASED if released else Door.ABORTED
        self._player.step(Step(door=door, association=association))

    @rule()
    def nothing_comes_for_long(self) -> None:
        self._player.step(Step(door=Door.WAIT_LONG))

    @rule()
    def the_process_starts_again(self) -> None:
        self._player.step(Step(door=Door.RESTART))

    @invariant()
    def store_and_oracle_agree(self) -> None:
        assert self._player.differences() == []

    def teardown(self) -> None:
        self._opened.close()


TestArrivals = Arrivals.TestCase
TestArrivals.settings = settings(
    max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
