# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The manual clock: the wall may jump, the monotonic clock never does."""

from __future__ import annotations

from datetime import datetime, timezone

from appliance.clock import NS_PER_S, ManualClock, SystemClock


def test_setting_the_wall_clock_does_not_move_time() -> None:
    clock = ManualClock()
    before = clock.monotonic_ns()
    clock.set_utc(datetime(1970, 1, 1, tzinfo=timezone.utc))
    assert clock.monotonic_ns() == before
    clock.advance(2.5)
    assert clock.monotonic_ns() - before == 2.5 * NS_PER_S
    assert clock.now_utc() == datetime(1970, 1, 1, 0, 0, 2, 500_000, tzinfo=timezone.utc)


def test_the_system_clock_moves_forward_within_one_boot() -> None:
    clock = SystemClock()
    first = clock.monotonic_ns()
    clock.sleep(0.001)
    assert clock.monotonic_ns() > first
    assert clock.now_utc().tzinfo is timezone.utc
    assert clock.boot_id() == clock.boot_id()
