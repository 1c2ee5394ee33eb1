# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The counter of starts that did not stay up, and what may run."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.clock import ManualClock
from appliance.monitor.boots import (
    NOTICE,
    SAFE_AFTER,
    WITHOUT_AI_AFTER,
    BootCounter,
    Boots,
    Level,
    say_level,
)
from appliance.monitor.fault import read_fault


@pytest.fixture
def counter(tmp_path: Path) -> BootCounter:
    return BootCounter(tmp_path / "boots.json")


def test_starts_in_a_row_that_do_not_stay_up_take_things_away_one_after_the_other(
    counter: BootCounter,
) -> None:
    levels = [counter.begin().level for _ in range(SAFE_AFTER + 2)]
    assert (
        levels
        == [Level.NORMAL] * WITHOUT_AI_AFTER
        + [Level.WITHOUT_AI] * (SAFE_AFTER - WITHOUT_AI_AFTER)
        + [Level.SAFE] * 2
    )


def test_whoever_stays_up_goes_up_level_by_level_and_down_again_at_the_next_crash(
    counter: BootCounter,
) -> None:
    for _ in range(SAFE_AFTER + 1):
        counter.begin()
    assert counter.stayed_up().level is Level.WITHOUT_AI
    assert counter.begin().level is Level.SAFE
    assert counter.stayed_up().level is Level.WITHOUT_AI
    assert counter.stayed_up().level is Level.NORMAL
    assert counter.stayed_up() == Boots(bad_starts=0)
    assert BootCounter(counter._file).read() == Boots()


def test_an_orderly_stop_counts_neither_way(counter: BootCounter) -> None:
    for _ in range(20):
        counter.begin()
        counter.was_stopped()
    assert counter.read() == Boots()
    counter.was_stopped()
    assert counter.read().bad_starts == 0


def test_a_damaged_counter_is_zero_and_a_missing_folder_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "boots.json").write_text('{"bad_starts": "many"', encoding="utf-8")
    assert BootCounter(tmp_path / "boots.json").read() == Boots()
    assert BootCounter(tmp_path / "nowhere" / "boots.json").begin().bad_starts == 1


def test_the_screen_is_told_and_told_when_it_is_over(tmp_path: Path) -> None:
    clock = ManualClock()
    say_level(tmp_path, Boots(bad_starts=SAFE_AFTER + 1), clock=clock)
    fault = read_fault(tmp_path, NOTICE)
    assert fault is not None
    assert f"{SAFE_AFTER} times in a row" in fault.what
    assert "safe-mode off" in fault.remedy
    say_level(tmp_path, Boots(), clock=clock)
    assert read_fault(tmp_path, NOTICE) is None
