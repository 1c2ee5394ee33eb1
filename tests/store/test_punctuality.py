# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Was the check in time? Each outcome once, and never better than it was."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from appliance.clock import ManualClock
from appliance.domain.acquisition import Acquisition, Kind, Urgency
from appliance.domain.deadline import PROJECTION_DEADLINE_S, VOLUME_DEADLINE_S, deadline_s
from appliance.domain.quality import QualityCheck, Verdict
from appliance.domain.result import LaneResult
from appliance.store.connection import Database
from appliance.store.jobs import Jobs
from appliance.store.punctuality import Tally, tally_since
from appliance.store.results import Results

LandOne = Callable[..., Acquisition]
MIDNIGHT = datetime(2026, 1, 1, tzinfo=timezone.utc)


class OtherBoot(ManualClock):
    """The same device after a restart."""

    def boot_id(self) -> str:
        return "another"


def answer(database: Database, *verdicts: Verdict) -> None:
    """The check that is next in the queue."""
    job = Jobs(database, max_attempts=1).lease(worker="w", lease_s=60)
    assert job is not None
    checks = tuple(
        QualityCheck(criterion=v.value, verdict=v, value=None, unit=None, limit=None, advice="", marks=())
        for v in verdicts
    )
    result = LaneResult(acquisition_id=job.acquisition_id, version=job.version, lane=job.lane, quality=checks)
    assert Results(database).commit(job, result)


def tally(database: Database, since: datetime = MIDNIGHT) -> dict[str, int]:
    """The counts that are not zero."""
    counts = tally_since(database, since)
    return {name: count for name in Tally.__slots__ if (count := getattr(counts, name))}


@pytest.mark.parametrize(
    ("kind", "limit_s"), [(Kind.PROJECTION, PROJECTION_DEADLINE_S), (Kind.VOLUME, VOLUME_DEADLINE_S)]
)
def test_in_time_is_up_to_the_deadline_and_late_after_it(
    database: Database, clock: ManualClock, land: LandOne, kind: Kind, limit_s: float
) -> None:
    assert deadline_s(kind) == limit_s
    land("a", kind=kind)
    assert tally(database) == {"pending": 1}
    clock.advance(limit_s)
    answer(database, Verdict.OK)
    assert tally(database) == {"in_time": 1}
    land("b", kind=kind)
    clock.advance(limit_s + 0.001)
    assert tally(database) == {"in_time": 1, "late": 1}  # without an answer
    jobs = Jobs(database, max_attempts=1)
    while (job := jobs.lease(worker="w", lease_s=60)) is not None:
        if job.acquisition_id == "b" and job.lane.value == "quality":
            Results(database).commit(
                job,
                LaneResult(
                    acquisition_id="b",
                    version=1,
                    lane=job.lane,
                    quality=(
                        QualityCheck(
                            criterion="x", verdict=Verdict.OK, value=None, unit=None, limit=None, advice=""
                        ),
                    ),
                ),
            )
    assert tally(database) == {"in_time": 1, "late": 1}  # an answer does not make it in time


def test_a_check_that_failed_is_late_once_its_time_is_over(
    database: Database, clock: ManualClock, land: LandOne
) -> None:
    land("a")
    jobs = Jobs(database, max_attempts=1)
    job = jobs.lease(worker="w", lease_s=60)
    assert job is not None
    jobs.fail(job, reason="no memory")
    clock.advance(PROJECTION_DEADLINE_S + 1)
    assert tally(database) == {"late": 1}


@pytest.mark.parametrize("verdicts", [(), (Verdict.NOT_CHECKED,), (Verdict.NOT_CHECKED, Verdict.NOT_CHECKED)])
def test_what_could_not_be_judged_was_not_checked_in_time(
    database: Database, land: LandOne, verdicts: tuple[Verdict, ...]
) -> None:
    land("a")
    answer(database, *verdicts)
    assert tally(database) == {"without_check": 1}


def test_one_judged_criterion_is_a_check(database: Database, land: LandOne) -> None:
    land("a")
    answer(database, Verdict.NOT_CHECKED, Verdict.REPEAT)
    assert tally(database) == {"in_time": 1}


def test_across_a_restart_the_time_is_unknown_and_said_to_be(
    tmp_path: Path, database: Database, land: LandOne
) -> None:
    land("a")
    with Database.open(
        tmp_path / "store" / "scanside.sqlite", data=tmp_path, clock=OtherBoot()
    ) as after_restart:
        assert tally(after_restart) == {"unknown": 1}
        answer(after_restart, Verdict.OK)
        assert tally(after_restart) == {"unknown": 1}
    assert tally(database) == {"unknown": 1}


def test_an_answer_of_an_earlier_boot_keeps_its_time(
    tmp_path: Path, database: Database, clock: ManualClock, land: LandOne
) -> None:
    land("a")
    clock.advance(1)
    answer(database, Verdict.OK)
    with Database.open(tmp_path / "store" / "scanside.sqlite", data=tmp_path, clock=OtherBoot()) as after:
        assert tally(after) == {"in_time": 1}


def test_only_what_landed_since_then_and_no_backfill(
    database: Database, clock: ManualClock, land: LandOne
) -> None:
    land("yesterday")
    clock.advance(60)
    since = clock.now_utc()
    land("today")
    land("old disc", urgency=Urgency.BACKFILL)
    assert tally(database, since) == {"pending": 1}
    assert tally(database, since + timedelta(microseconds=1)) == {}


def test_the_last_file_of_an_exam_counts(database: Database, clock: ManualClock, land: LandOne) -> None:
    land("a", kind=Kind.VOLUME)
    clock.advance(VOLUME_DEADLINE_S + 1)
    assert tally(database) == {"late": 1}
    land("a", kind=Kind.VOLUME, version=2)
    assert tally(database) == {"pending": 1}


def test_the_count_does_not_read_the_files_of_other_days(database: Database) -> None:
    plan = database.read(
        "EXPLAIN QUERY PLAN SELECT DISTINCT acquisition_id FROM file WHERE status = 'accepted'"
        " AND landed_at_utc >= '2026-01-01' AND acquisition_id IS NOT NULL"
    )
    assert any("file_by_status" in row[-1] for row in plan)
