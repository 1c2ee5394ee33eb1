# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""When a file counts as finished: with real files, and a clock that only the test moves."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from appliance.clock import NS_PER_S, ManualClock
from appliance.domain.acquisition import Urgency
from appliance.intake.complete import LONGEST_WAIT_S, Look, Signature, Waiting

LOOK_S = 0.05
OVERDUE_S = 120.0


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def waiting() -> Waiting:
    return Waiting(look_interval_s=LOOK_S, truncated_after_s=OVERDUE_S)


def look(waiting: Waiting, clock: ManualClock) -> Look:
    candidate = waiting.due(clock.monotonic_ns())
    assert candidate is not None
    return waiting.look(candidate, clock.monotonic_ns())


def wait_for_look(waiting: Waiting, clock: ManualClock) -> float:
    """Sleep until the next look; how long that was."""
    due_ns = waiting.next_look_ns()
    assert due_ns is not None
    seconds = max(0, due_ns - clock.monotonic_ns()) / NS_PER_S
    clock.sleep(seconds)
    return seconds


def test_two_looks_that_see_the_same(tmp_path: Path, waiting: Waiting, clock: ManualClock) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"1")
    waiting.notice(path, urgency=Urgency.LIVE, now_ns=clock.monotonic_ns())
    assert look(waiting, clock) is Look.WAIT
    assert wait_for_look(waiting, clock) == pytest.approx(LOOK_S)
    assert look(waiting, clock) is Look.READY


def test_a_listing_counts_as_the_first_look(tmp_path: Path, waiting: Waiting, clock: ManualClock) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"1")
    seen = Signature.of(path.lstat())
    waiting.notice(path, urgency=Urgency.LIVE, now_ns=clock.monotonic_ns(), signature=seen)
    assert waiting.due(clock.monotonic_ns()) is None
    wait_for_look(waiting, clock)
    assert look(waiting, clock) is Look.READY


# Trace: REQ-003
def test_a_writer_that_goes_on_is_waited_for(tmp_path: Path, waiting: Waiting, clock: ManualClock) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"")
    waiting.notice(path, urgency=Urgency.LIVE, now_ns=clock.monotonic_ns())
    assert look(waiting, clock) is Look.WAIT
    for _ in range(20):
        with path.open("ab") as file:
            file.write(b"more")
        wait_for_look(waiting, clock)
        assert look(waiting, clock) is Look.WAIT
    wait_for_look(waiting, clock)
    assert look(waiting, clock) is Look.READY


def test_a_replaced_file_of_the_same_size_and_time_is_seen(
    tmp_path: Path, waiting: Waiting, clock: ManualClock
) -> None:
    path, other = tmp_path / "a", tmp_path / "b"
    path.write_bytes(b"one")
    other.write_bytes(b"two")
    stamp = path.stat().st_mtime_ns
    os.utime(other, ns=(stamp, stamp))
    waiting.notice(path, urgency=Urgency.LIVE, now_ns=clock.monotonic_ns())
    look(waiting, clock)
    other.replace(path)
    wait_for_look(waiting, clock)
    assert look(waiting, clock) is Look.WAIT


def unfinished(path: Path, waiting: Waiting, clock: ManualClock, *, reading_s: float = 0.0) -> None:
    """Bring a file to where it was read and something was missing."""
    waiting.notice(path, urgency=Urgency.LIVE, now_ns=clock.monotonic_ns())
    look(waiting, clock)
    wait_for_look(waiting, clock)
    candidate = waiting.due(clock.monotonic_ns())
    assert candidate is not None
    started_ns = clock.monotonic_ns()
    assert waiting.look(candidate, started_ns) is Look.READY
    clock.sleep(reading_s)
    waiting.unfinished(candidate, "half", started_ns=started_ns, now_ns=clock.monotonic_ns())


def test_an_unfinished_file_is_overdue_at_its_time_and_not_before(
    tmp_path: Path, waiting: Waiting, clock: ManualClock
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"half")
    started_ns = clock.monotonic_ns()
    unfinished(path, waiting, clock)
    looks = 0
    while True:
        assert wait_for_look(waiting, clock) <= LONGEST_WAIT_S
        looks += 1
        if look(waiting, clock) is Look.OVERDUE:
            break
    assert (clock.monotonic_ns() - started_ns) / NS_PER_S == pytest.approx(OVERDUE_S, abs=0.01)
    assert looks < 100  # patience costs nothing


def test_an_unfinished_file_that_grows_is_read_again(
    tmp_path: Path, waiting: Waiting, clock: ManualClock
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"half")
    unfinished(path, waiting, clock)
    assert not waiting.any_unread()
    path.write_bytes(b"half and the other half")
    wait_for_look(waiting, clock)
    assert look(waiting, clock) is Look.WAIT
    assert waiting.any_unread()
    assert wait_for_look(waiting, clock) == pytest.approx(LOOK_S)
    assert look(waiting, clock) is Look.READY


def test_a_file_that_is_held_open_is_asked_for_again_though_nothing_changes(
    tmp_path: Path, waiting: Waiting, clock: ManualClock
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"whole, but its writer has not let go")
    waiting.notice(path, urgency=Urgency.LIVE, now_ns=clock.monotonic_ns())
    look(waiting, clock)
    looks = []
    while clock.monotonic_ns() < 60 * NS_PER_S:
        assert wait_for_look(waiting, clock) <= LONGEST_WAIT_S
        candidate = waiting.due(clock.monotonic_ns())
        assert candidate is not None
        looks.append(waiting.look(candidate, clock.monotonic_ns()))
        waiting.still_open(candidate, clock.monotonic_ns())
    assert set(looks) == {Look.READY}
    assert len(looks) < 60


def test_a_file_that_is_slow_to_read_is_read_less_often(
    tmp_path: Path, waiting: Waiting, clock: ManualClock
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"half")
    unfinished(path, waiting, clock, reading_s=1.0)
    path.write_bytes(b"half and more")
    wait_for_look(waiting, clock)
    assert look(waiting, clock) is Look.WAIT
    waiting.notice(path, urgency=Urgency.LIVE, now_ns=clock.monotonic_ns())  # an event does not shorten it
    assert look(waiting, clock) is Look.WAIT
    assert wait_for_look(waiting, clock) == pytest.approx(2.0)
    assert look(waiting, clock) is Look.READY


def test_an_event_calls_for_a_look_at_once(tmp_path: Path, waiting: Waiting, clock: ManualClock) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"half")
    unfinished(path, waiting, clock)
    clock.sleep(10)
    look(waiting, clock)
    assert waiting.due(clock.monotonic_ns()) is None
    waiting.notice(path, urgency=Urgency.LIVE, now_ns=clock.monotonic_ns())
    assert waiting.due(clock.monotonic_ns()) is not None


def test_a_file_that_has_gone_is_forgotten(tmp_path: Path, waiting: Waiting, clock: ManualClock) -> None:
    waiting.notice(tmp_path / "gone", urgency=Urgency.LIVE, now_ns=clock.monotonic_ns())
    assert look(waiting, clock) is Look.GONE
    assert len(waiting) == 0
    assert waiting.next_look_ns() is None


def test_the_urgent_one_comes_first(tmp_path: Path, waiting: Waiting, clock: ManualClock) -> None:
    for name, urgency in (("old", Urgency.BACKFILL), ("new", Urgency.LIVE), ("stat", Urgency.STAT)):
        (tmp_path / name).write_bytes(b"1")
        waiting.notice(tmp_path / name, urgency=urgency, now_ns=clock.monotonic_ns())
        clock.sleep(1)
    order = []
    while (candidate := waiting.due(clock.monotonic_ns())) is not None:
        order.append(candidate.path.name)
        waiting.forget(candidate.path)
    assert order == ["stat", "new", "old"]


# Trace: REQ-009
def test_setting_the_wall_clock_changes_nothing(tmp_path: Path, waiting: Waiting, clock: ManualClock) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"half")
    os.utime(path, (0, 0))  # written in 1970, says its writer's clock
    unfinished(path, waiting, clock)
    clock.sleep(60)
    assert look(waiting, clock) is Look.WAIT
