# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The ledger: appended, never changed; what was withdrawn does not count."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from appliance.clock import ManualClock
from appliance.domain.acquisition import Acquisition
from appliance.store.connection import Database
from appliance.store.decisions import Choice, Decisions

LandOne = Callable[..., Acquisition]
K, R, W = Choice.KEEP, Choice.REPEAT, Choice.WITHDRAWN


@pytest.fixture
def decisions(database: Database) -> Decisions:
    return Decisions(database)


@pytest.mark.parametrize(
    ("taps", "stands"),
    [
        ([], None),
        ([K], K),
        ([K, R], R),
        ([K, W], None),
        ([K, R, W], K),
        ([K, R, W, W], None),
        ([K, W, R], R),
        ([W, K], K),
        ([K, W, W, R, W], None),
    ],
)
def test_withdrawing_brings_back_what_stood_before(
    decisions: Decisions, database: Database, taps: list[Choice], stands: Choice | None
) -> None:
    for tap in taps:
        decisions.decide("a", 1, tap, reason=None)
    found = decisions.latest("a")
    assert (found.choice if found else None) is stands
    assert database.read("SELECT count(*) FROM decision") == [(len(taps),)]  # nothing is ever deleted


def test_repeats_are_counted_from_a_moment_on_and_not_when_withdrawn(
    decisions: Decisions, clock: ManualClock, land: LandOne
) -> None:
    for name in ("old", "a", "b", "c", "kept"):
        land(name)
    decisions.decide("old", 1, R, reason=None)
    clock.advance(60)
    since = clock.now_utc()
    for name in ("a", "b", "c"):
        decisions.decide(name, 1, R, reason="Positioning")
    decisions.decide("kept", 1, K, reason=None)
    decisions.decide("b", 1, W, reason=None)
    assert sorted(order.acquisition_id for order in decisions.repeats_since(since)) == ["a", "c"]
    everything = decisions.repeats_since(since.replace(year=2025))
    assert sorted(order.acquisition_id for order in everything) == ["a", "c", "old"]
