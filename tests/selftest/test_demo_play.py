# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.clock import NS_PER_S, SystemClock
from appliance.errors import ConfigError, StoreError
from appliance.layout import Layout
from appliance.monitor.heartbeat import read_beat
from appliance.selftest.demo_play import playing
from appliance.selftest.demonstration import is_demonstration
from appliance.store.board import Board
from appliance.store.connection import Database

PATIENCE_S = 150


def names_on_the_board(layout: Layout, clock: SystemClock) -> set[str]:
    try:
        with Database.open_to_read(layout.database, data=layout.data, clock=clock) as database:
            return {entry.first.patient.patient_name or "" for entry in Board(database).entries()}
    except StoreError:  # the appliance is still making it
        return set()


@pytest.mark.timeout(240)
def test_the_morning_goes_through_the_real_appliance_and_ends_with_its_window(tmp_path: Path) -> None:
    clock = SystemClock()
    data = tmp_path / "demo"
    give_up_ns = clock.monotonic_ns() + PATIENCE_S * NS_PER_S
    with playing(data, profile="fracture", speed=100.0, clock=clock) as layout:
        assert is_demonstration(data)
        while (names := names_on_the_board(layout, clock)) < {"PHANTOM^BEN", "PHANTOM^ANA"}:
            assert clock.monotonic_ns() < give_up_ns, names
            clock.sleep(0.2)
    last = read_beat(layout.run, "watcher", clock)
    assert last is not None
    clock.sleep(2.5)
    now = read_beat(layout.run, "watcher", clock)
    assert now is not None
    assert now.age_s >= last.age_s + 2.0, "no sign of life after the window is closed"


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("Years of work.")
    with (
        pytest.raises(ConfigError, match="not a demonstration"),
        playing(tmp_path, profile="rural", speed=1.0, clock=SystemClock()),
    ):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    assert not is_demonstration(tmp_path)
