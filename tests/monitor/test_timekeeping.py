# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Is the clock set from the network, and did somebody move it?"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest

from appliance.clock import ManualClock
from appliance.monitor.timekeeping import ClockWatch, network_time


def test_network_time_is_yes_no_or_not_told(tmp_path: Path) -> None:
    folder = tmp_path / "timesync"
    assert network_time(folder) is None
    folder.mkdir()
    assert network_time(folder) is False
    (folder / "synchronized").touch()
    assert network_time(folder) is True


def test_time_that_passes_is_no_jump_and_a_set_clock_is() -> None:
    clock = ManualClock()
    watch = ClockWatch(clock)
    clock.advance(5000)
    assert watch.moved_s() == pytest.approx(0, abs=1e-3)
    clock.set_utc(clock.now_utc() - timedelta(hours=2))
    assert watch.moved_s() == pytest.approx(-7200, abs=1e-3)


class HeldUp(ManualClock):
    """Some readings of the wall clock have to wait before they come back."""

    waits_s: ClassVar[list[float]] = []

    def now_utc(self) -> datetime:
        read = super().now_utc()
        self.advance(self.waits_s.pop() if self.waits_s else 0)
        return read


def test_a_machine_that_was_held_up_between_two_readings_has_moved_no_clock() -> None:
    clock = HeldUp()
    clock.waits_s.extend([1.0, 3.0])
    watch = ClockWatch(clock)
    clock.waits_s.extend([0.5, 2.3, 4.0])
    assert watch.moved_s() == pytest.approx(0, abs=0.02)
