# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Stages are timed on the monotonic clock, and add up."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from appliance.clock import ManualClock
from appliance.domain.result import StageTiming
from appliance.pipeline.spans import Spans


def test_a_stage_that_runs_again_adds_up_in_the_place_of_its_first_use() -> None:
    clock = ManualClock()
    spans = Spans(clock)
    for _ in range(3):
        with spans.stage("decoded"):
            clock.advance(0.5)
        with spans.stage("written"):
            clock.advance(0.1)
    assert spans.timings() == (
        StageTiming(stage="decoded", duration_ms=1500.0),
        StageTiming(stage="written", duration_ms=300.0),
    )


def test_setting_the_wall_clock_changes_no_duration() -> None:
    clock = ManualClock()
    spans = Spans(clock)
    with spans.stage("decoded"):
        clock.advance(1)
        clock.set_utc(datetime(2020, 1, 1, tzinfo=timezone.utc))
    assert spans.timings() == (StageTiming(stage="decoded", duration_ms=1000.0),)


def test_a_stage_that_fails_is_counted_too() -> None:
    clock = ManualClock()
    spans = Spans(clock)

    def fail() -> None:
        with spans.stage("inferred"):
            clock.advance(0.25)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert spans.timings() == (StageTiming(stage="inferred", duration_ms=250.0),)
