# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Order of need, leases, and the transition table with its complement."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from appliance.clock import ManualClock
from appliance.domain.acquisition import Acquisition, Kind, Urgency
from appliance.domain.job import TRANSITIONS, JobState, Lane
from appliance.domain.result import LaneResult
from appliance.errors import StoreError
from appliance.store.connection import Database
from appliance.store.jobs import BEHIND_ALL_RANK, DEATHS_PER_ATTEMPT, Jobs, move
from appliance.store.results import Results

LandOne = Callable[..., Acquisition]
ATTEMPTS = 3


@pytest.fixture
def jobs(database: Database) -> Jobs:
    return Jobs(database, max_attempts=ATTEMPTS)


def states(database: Database, acquisition_id: str) -> dict[tuple[int, str], str]:
    rows = database.read("SELECT version, lane, state FROM job WHERE acquisition_id = ?", (acquisition_id,))
    return {(version, lane): state for version, lane, state in rows}


def test_every_listed_transition_is_taken_and_every_other_one_refused(
    database: Database, land: LandOne
) -> None:
    land("a")
    ((job_id,),) = database.read("SELECT job_id FROM job WHERE lane = 'quality'")
    for old, new in itertools.product(JobState, JobState):
        with database.transaction() as write:
            write("UPDATE job SET state = ? WHERE job_id = ?", (old.value, job_id))
            if new in TRANSITIONS[old]:
                move(write, job_id, old, new, reason=None)
                assert write("SELECT state FROM job WHERE job_id = ?", (job_id,)) == [(new.value,)]
            else:
                with pytest.raises(StoreError):
                    move(write, job_id, old, new, reason=None)


def test_quality_of_anyone_here_comes_first_and_backfill_last(jobs: Jobs, land: LandOne) -> None:
    land("old", urgency=Urgency.BACKFILL)
    land("scan", kind=Kind.VOLUME)
    land("film")
    land("resus", urgency=Urgency.STAT)
    order = []
    while job := jobs.lease(worker="w", lease_s=60):
        order.append((job.acquisition_id, job.lane))
    assert order == [
        *((name, Lane.QUALITY) for name in ("resus", "film", "scan")),
        *((name, Lane.TRIAGE) for name in ("resus", "film", "scan")),
        *((name, Lane.DENOISE) for name in ("resus", "film", "scan")),
        *(("old", lane) for lane in Lane),
    ]


def test_only_more_urgent_work_is_leased_in_between(jobs: Jobs, land: LandOne) -> None:
    land("scan", kind=Kind.VOLUME)
    quality = jobs.lease(worker="w", lease_s=60)
    assert quality is not None
    assert jobs.lease(worker="w", lease_s=60, before_rank=jobs.rank_of(quality)) is None
    land("film")
    between = jobs.lease(worker="w", lease_s=60, before_rank=jobs.rank_of(quality))
    assert between is not None
    assert between.acquisition_id == "film"


# Trace: REQ-054
def test_a_result_is_committed_exactly_once(database: Database, jobs: Jobs, land: LandOne) -> None:
    land("a")
    job = jobs.lease(worker="w", lease_s=60)
    assert job is not None
    result = LaneResult(acquisition_id="a", version=1, lane=job.lane)
    assert Results(database).commit(job, result)
    assert not Results(database).commit(job, result)
    assert Results(database).of("a", 1, job.lane) == result


# Trace: REQ-054
def test_a_lost_lease_commits_nothing(
    database: Database, jobs: Jobs, land: LandOne, clock: ManualClock
) -> None:
    land("a")
    slow = jobs.lease(worker="slow", lease_s=10)
    assert slow is not None
    clock.advance(11)
    assert jobs.take_back() == 1
    assert not jobs.renew(slow, lease_s=10)
    quick = jobs.lease(worker="quick", lease_s=10)
    assert quick is not None
    assert quick.job_id == slow.job_id
    assert quick.attempts == 2
    result = LaneResult(acquisition_id="a", version=1, lane=slow.lane)
    assert not Results(database).commit(slow, result)
    assert Results(database).commit(quick, result)


# Trace: REQ-007
def test_a_newer_version_supersedes_open_jobs_and_their_late_results(
    database: Database, jobs: Jobs, land: LandOne
) -> None:
    land("a")
    quality = jobs.lease(worker="w", lease_s=60)
    assert quality is not None
    assert Results(database).commit(quality, LaneResult(acquisition_id="a", version=1, lane=quality.lane))
    triage = jobs.lease(worker="w", lease_s=60)
    assert triage is not None
    land("a", version=2)
    assert not Results(database).commit(triage, LaneResult(acquisition_id="a", version=1, lane=triage.lane))
    assert states(database, "a") == {
        (1, "quality"): "done",
        (1, "triage"): "superseded",
        (1, "denoise"): "superseded",
        (2, "quality"): "queued",
        (2, "triage"): "queued",
        (2, "denoise"): "queued",
    }


def test_errors_are_retried_then_set_aside(database: Database, jobs: Jobs, land: LandOne) -> None:
    land("a")
    for _ in range(ATTEMPTS):
        job = jobs.lease(worker="w", lease_s=60)
        assert job is not None
        assert job.lane is Lane.QUALITY
        assert jobs.fail(job, reason="the engine gave no numbers")
    assert states(database, "a")[1, "quality"] == "failed"
    assert jobs.retry_failed() == 1
    assert states(database, "a")[1, "quality"] == "queued"


# Trace: REQ-015
def test_a_job_that_kills_its_worker_goes_behind_all_others_then_aside(
    database: Database, jobs: Jobs, land: LandOne
) -> None:
    land("poison")
    for _ in range(ATTEMPTS):
        job = jobs.lease(worker="w", lease_s=60)
        assert job is not None
        assert job.acquisition_id == "poison"
        jobs.take_back(worker="w")
    land("later")
    after = jobs.lease(worker="w", lease_s=60)
    assert after is not None
    assert after.acquisition_id == "later"
    database.read("UPDATE job SET state = 'done' WHERE rank < ?", (BEHIND_ALL_RANK,))
    for _ in range(ATTEMPTS * (DEATHS_PER_ATTEMPT - 1)):
        assert jobs.lease(worker="w", lease_s=60) is not None
        jobs.take_back(worker="w")
    assert states(database, "poison")[1, "quality"] == "failed"


def test_leases_of_another_boot_come_back(database: Database, jobs: Jobs, land: LandOne) -> None:
    land("a")
    assert jobs.lease(worker="w", lease_s=1e6) is not None
    assert jobs.take_back() == 0
    database.read("UPDATE job SET boot_id = 'before' WHERE state = 'leased'")
    assert jobs.take_back() == 1


def test_a_job_that_is_given_back_is_as_it_was(jobs: Jobs, database: Database, land: LandOne) -> None:
    land("a")
    job = jobs.lease(worker="w", lease_s=60)
    assert job is not None
    assert jobs.give_back(job)
    assert not jobs.give_back(job), "the lease is over"
    rows = database.read("SELECT state, failures, deaths, reason FROM job WHERE job_id = ?", (job.job_id,))
    assert rows == [("queued", 0, 0, None)]
    again = jobs.lease(worker="w", lease_s=60)
    assert again is not None
    assert (again.job_id, again.attempts) == (job.job_id, 1)
