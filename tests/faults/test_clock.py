# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The wall clock is set in the middle of everything that waits: nothing ends early, late or out of order."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks.faults import clock
from benchmarks.faults.clock_waits import JUMPS, WAITS, bench_in
from benchmarks.faults.schedules import play_many

SCHEDULES = 30


@pytest.mark.parametrize("jump", JUMPS)
@pytest.mark.parametrize("wait", WAITS)
def test_a_wait_takes_as_long_as_it_should(wait: str, jump: str, tmp_path: Path) -> None:
    with bench_in(tmp_path, JUMPS[jump]) as bench:
        assert WAITS[wait](bench) is None


def test_schedules_while_somebody_sets_the_clock(tmp_path: Path) -> None:
    disturb = clock.set_by_chance(random.Random(1))
    _, failures, _ = play_many(tmp_path / "store", range(SCHEDULES), lambda *_: None, SCHEDULES, disturb)
    assert failures == []


@pytest.mark.timeout(180)
def test_the_running_watcher(tmp_path: Path) -> None:
    library = clock.faketime()
    if library is None:
        pytest.skip("libfaketime is not installed (package faketime)")
    counts = clock.live(tmp_path, library, ["+10 y", "1970"])
    assert counts["wrong"] == []
    assert counts["inversions_of_dates"] == 1
