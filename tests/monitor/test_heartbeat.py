# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Signs of life: fresh, aged, of another boot, damaged, absent."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from appliance.clock import ManualClock
from appliance.monitor.fault import clear_fault, leave_fault, read_fault
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


def test_a_beat_that_the_disk_does_not_take_is_seen_all_the_same(tmp_path: Path) -> None:
    run, clock = tmp_path / "run", ManualClock()
    heart = Heartbeat(run, "worker", clock)
    heart.beat("waiting for a folder")
    beat = read_beat(run, "worker", clock)
    assert beat is not None
    assert (beat.state, beat.pid) == ("waiting for a folder", os.getpid())
    run.mkdir()
    heart.beat("the folder is here")
    beat = read_beat(run, "worker", clock)
    assert beat is not None
    assert beat.state == "the folder is here"
    assert (run / "worker.beat").exists()


def test_a_fault_that_the_disk_does_not_take_is_seen_until_it_is_over(tmp_path: Path) -> None:
    run = tmp_path / "a file, where a folder should be" / "run"
    run.parent.write_bytes(b"")
    leave_fault(run, "worker", what="No disk.", remedy="Mount it.", clock=ManualClock())
    fault = read_fault(run, "worker")
    assert fault is not None
    assert fault.what == "No disk."
    clear_fault(run, "worker")
    assert read_fault(run, "worker") is None


def test_starts_are_counted_over_processes(tmp_path: Path) -> None:
    clock = ManualClock()
    for starts in (1, 2, 3):
        heart = Heartbeat(tmp_path, "worker", clock)
        heart.beat("waiting")
        heart.beat("working")
        beat = read_beat(tmp_path, "worker", clock)
        assert beat is not None
        assert beat.starts == starts
