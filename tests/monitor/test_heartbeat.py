# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Signs of life: fresh, aged, of another boot, damaged, absent."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from appliance.clock import ManualClock
from appliance.monitor.heartbeat import Heartbeat, read_beat


def test_a_beat_ages_on_the_monotonic_clock(tmp_path: Path) -> None:
    clock = ManualClock()
    Heartbeat(tmp_path, "worker", clock).beat("waiting")
    clock.advance(3)
    beat = read_beat(tmp_path, "worker", clock)
    assert beat is not None
    assert beat.age_s == 3
    assert beat.pid == os.getpid()
    assert beat.state == "waiting"


def test_beats_are_written_once_a_second_or_when_the_state_changes(tmp_path: Path) -> None:
    clock = ManualClock()
    heart = Heartbeat(tmp_path, "worker", clock)
    heart.beat("waiting")
    clock.advance(0.5)
    heart.beat("waiting")
    beat = read_beat(tmp_path, "worker", clock)
    assert beat is not None
    assert beat.age_s == 0.5
    heart.beat("working")
    beat = read_beat(tmp_path, "worker", clock)
    assert beat is not None
    assert (beat.age_s, beat.state) == (0, "working")


def test_a_beat_of_another_boot_is_infinitely_old(tmp_path: Path) -> None:
    clock = ManualClock()
    Heartbeat(tmp_path, "worker", clock).beat("waiting")
    file = tmp_path / "worker.beat"
    file.write_text(json.dumps({**json.loads(file.read_text()), "boot_id": "before"}))
    beat = read_beat(tmp_path, "worker", clock)
    assert beat is not None
    assert beat.age_s == float("inf")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}'])
def test_a_damaged_beat_is_no_beat(tmp_path: Path, content: str) -> None:
    (tmp_path / "worker.beat").write_text(content)
    assert read_beat(tmp_path, "worker", ManualClock()) is None
    assert read_beat(tmp_path, "sender", ManualClock()) is None


def test_a_beat_that_cannot_be_written_does_not_stop_the_work(tmp_path: Path) -> None:
    Heartbeat(tmp_path / "gone", "worker", ManualClock()).beat("waiting")
    assert read_beat(tmp_path / "gone", "worker", ManualClock()) is None


def test_starts_are_counted_over_processes(tmp_path: Path) -> None:
    clock = ManualClock()
    for starts in (1, 2, 3):
        heart = Heartbeat(tmp_path, "worker", clock)
        heart.beat("waiting")
        heart.beat("working")
        beat = read_beat(tmp_path, "worker", clock)
        assert beat is not None
        assert beat.starts == starts
