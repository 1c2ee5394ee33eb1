# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What is missing until new software has proved itself."""

from __future__ import annotations

import pytest

from appliance.clock import ManualClock
from appliance.config import Settings
from appliance.errors import StoreError
from appliance.layout import Layout
from appliance.monitor.boots import BootCounter, Level
from appliance.monitor.fault import leave_fault
from appliance.monitor.heartbeat import Heartbeat
from appliance.monitor.proof import PATH, WORKER, ProofFile, moment, write_proof
from appliance.processes.lock import AlreadyRunningError, only_one
from appliance.processes.table import rows_for
from appliance.processes.trial import FAULT_STANDS_S, judge, missing_since, settle
from appliance.store.audit import Trail
from appliance.store.connection import Database

SETTINGS = Settings()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def everybody_lives(layout: Layout, clock: ManualClock) -> None:
    for row in rows_for(SETTINGS):
        Heartbeat(layout.run, row.name, clock).beat("waiting")


def proofs(layout: Layout, clock: ManualClock, *, passed: bool = True) -> None:
    for name in (WORKER, PATH):
        proof = ProofFile(
            made=moment(clock),
            took_ms=1.0,
            passed=passed,
            failures=() if passed else ("the planted fault was not found",),
            image_passed=passed,
            last_passed=None,
            interval_s=600.0,
        )
        write_proof(layout.run, proof, name)


# Trace: REQ-059
def test_every_process_and_both_proofs_since_the_start_are_needed(layout: Layout, clock: ManualClock) -> None:
    everybody_lives(layout, clock)
    proofs(layout, clock)
    clock.advance(1)
    since_ns = clock.monotonic_ns()

    def missing() -> str:
        return missing_since(SETTINGS, layout, clock, since_ns=since_ns)

    assert missing() == "watcher gives no sign of life", "those before the start say nothing"
    clock.advance(1)
    everybody_lives(layout, clock)
    assert missing() == "the worker's own test image has not been answered"
    proofs(layout, clock, passed=False)
    assert "came out wrong: the planted fault was not found" in missing()
    proofs(layout, clock)
    assert missing() == ""
    leave_fault(layout.run, "sender", what="It is broken.", remedy="Mend it.", clock=clock)
    assert missing() == "sender: It is broken."


def test_a_device_in_safe_mode_has_proved_nothing(layout: Layout, clock: ManualClock) -> None:
    everybody_lives(layout, clock)
    proofs(layout, clock)
    for _ in range(4):
        BootCounter(layout.boots).begin()
    assert "not everything runs" in missing_since(SETTINGS, layout, clock, since_ns=0)


def test_a_judge_gives_up_at_its_limit_or_on_a_fault_that_stands(layout: Layout, clock: ManualClock) -> None:
    before_ns = clock.monotonic_ns()
    assert judge(SETTINGS, layout, clock, limit_s=600.0) == "watcher gives no sign of life"
    assert clock.monotonic_ns() - before_ns >= 600e9
    leave_fault(layout.run, "worker", what="It is broken.", remedy="Mend it.", clock=clock)
    before_ns = clock.monotonic_ns()
    assert judge(SETTINGS, layout, clock, limit_s=600.0) != ""
    assert clock.monotonic_ns() - before_ns < (FAULT_STANDS_S + 2) * 1e9


def test_settling_counts_no_bad_start_of_other_software_and_says_why(
    layout: Layout, clock: ManualClock
) -> None:
    for _ in range(6):
        BootCounter(layout.boots).begin()
    assert settle(SETTINGS, layout, clock, why="A person chose 0.3.0.") is None
    assert BootCounter(layout.boots).read().level is Level.NORMAL
    with Database.open_to_read(layout.database, data=layout.data, clock=clock) as database:
        (row,) = Trail(database).rows()
    assert ("why", "A person chose 0.3.0.") in row.event.about


def test_nothing_is_settled_beside_a_process_that_runs(layout: Layout, clock: ManualClock) -> None:
    with only_one(layout.run, "worker"), pytest.raises(AlreadyRunningError):
        settle(SETTINGS, layout, clock, why="a test")
    with pytest.raises(StoreError):
        Database.open_to_read(layout.database, data=layout.data, clock=clock)
