# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Two proofs as one: the worker's counts until the whole way fails, and then both have to pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.clock import ManualClock
from appliance.monitor.proof import (
    PATH,
    TOO_OLD_INTERVALS,
    WORKER,
    Moment,
    ProofFile,
    moment,
    read_proof,
    write_proof,
)

INTERVAL_S = 600.0


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def make(
    run: Path,
    clock: ManualClock,
    name: str,
    *failures: str,
    image: bool = True,
    good: Moment | None = None,
) -> Moment:
    clock.advance(1)
    made = moment(clock)
    proof = ProofFile(
        made=made,
        took_ms=1.0,
        passed=not failures,
        failures=failures,
        image_passed=image,
        last_passed=good if failures else made,
        interval_s=INTERVAL_S,
    )
    write_proof(run, proof, name)
    return made


def test_without_the_worker_there_is_none(tmp_path: Path, clock: ManualClock) -> None:
    make(tmp_path, clock, PATH)
    assert read_proof(tmp_path, clock) is None


def test_the_workers_counts_while_the_way_passes(tmp_path: Path, clock: ManualClock) -> None:
    made = make(tmp_path, clock, WORKER)
    make(tmp_path, clock, PATH)
    proof = read_proof(tmp_path, clock)
    assert proof is not None
    assert (proof.passed, proof.made_ns) == (True, made.at_ns)


def test_a_failed_way_counts(tmp_path: Path, clock: ManualClock) -> None:
    good = make(tmp_path, clock, PATH)
    make(tmp_path, clock, WORKER)
    make(tmp_path, clock, PATH, "no answer", good=good)
    proof = read_proof(tmp_path, clock)
    assert proof is not None
    assert (proof.passed, proof.failures, proof.last_passed_ns) == (False, ("no answer",), good.at_ns)


def test_when_both_fail_doubt_begins_at_the_earlier_one(tmp_path: Path, clock: ManualClock) -> None:
    early = make(tmp_path, clock, WORKER)
    late = make(tmp_path, clock, PATH)
    make(tmp_path, clock, PATH, "no answer", good=late)
    make(tmp_path, clock, WORKER, "wrong numbers", image=False, good=early)
    proof = read_proof(tmp_path, clock)
    assert proof is not None
    assert proof.failures == ("wrong numbers", "no answer")
    assert (proof.last_passed_ns, proof.image_passed) == (early.at_ns, False)
    make(tmp_path, clock, WORKER, "wrong numbers", good=None)
    proof = read_proof(tmp_path, clock)
    assert proof is not None
    assert proof.last_passed_ns is None


def test_a_way_that_nobody_proves_any_more_is_old(tmp_path: Path, clock: ManualClock) -> None:
    make(tmp_path, clock, PATH)
    clock.advance(INTERVAL_S * TOO_OLD_INTERVALS)
    make(tmp_path, clock, WORKER)
    proof = read_proof(tmp_path, clock)
    assert proof is not None
    assert proof.passed
    assert proof.age_s > proof.too_old_s
