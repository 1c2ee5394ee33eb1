# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The queue: lane jobs in order of need, leased to workers, done exactly once.

A job leaves the queue only together with its result (results.py). A dead worker's lease ends, or is taken
back by the supervisor at once, and the job returns. Every change of state goes through `move`.
"""

from __future__ import annotations

import json
import uuid
from typing import Final

from appliance.clock import NS_PER_S, Clock
from appliance.domain.acquisition import Acquisition, Kind, Urgency
from appliance.domain.job import TRANSITIONS, Job, JobState, Lane
from appliance.errors import StoreError
from appliance.store.connection import Database, Execute
from appliance.store.outbox import queue_failure

_URGENCY_RANK: Final = {Urgency.STAT: 0, Urgency.LIVE: 10, Urgency.BACKFILL: 300}
"""Backfill comes after every lane of what has just been acquired."""
_LANE_RANK: Final = {Lane.QUALITY: 0, Lane.TRIAGE: 100, Lane.DENOISE: 200}
"""Quality control of anybody comes before triage of anybody: the patient is still there."""
_VOLUME_RANK: Final = 5
"""At equal need a radiograph, done in a second, goes before a series."""
SET_ASIDE: Final = frozenset({JobState.QUARANTINED, JobState.FAILED})
"""Ends without a result: it is said to receivers."""
BEHIND_ALL_RANK: Final = 10_000
"""For a job that keeps taking its worker down: the others flow first."""
DEATHS_PER_ATTEMPT: Final = 3
"""A job is given up after this many times `max_attempts` deaths: a killed worker is not always its fault."""


def rank(lane: Lane, urgency: Urgency, kind: Kind) -> int:
    """The place in the queue; smaller is sooner, equal is first come."""
    return _URGENCY_RANK[urgency] + _LANE_RANK[lane] + (_VOLUME_RANK if kind is Kind.VOLUME else 0)


def queue_lanes(write: Execute, acquisition: Acquisition, *, clock: Clock) -> None:
    """Queue the three lanes of this version; open jobs of older versions are superseded."""
    older = write(
        "SELECT job_id, state FROM job WHERE acquisition_id = ? AND version < ? AND state IN (?, ?)",
        (
            acquisition.acquisition_id,
            acquisition.version,
            JobState.QUEUED.value,
            JobState.LEASED.value,
        ),
    )
    for job_id, state in older:
        move(write, job_id, JobState(state), JobState.SUPERSEDED, reason="a newer version came")
    for lane in Lane:
        write(
            "INSERT OR IGNORE INTO job (acquisition_id, version, lane, state, rank, boot_id, queued_ns)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                acquisition.acquisition_id,
                acquisition.version,
                lane.value,
                JobState.QUEUED.value,
                rank(lane, acquisition.urgency, acquisition.kind),
                clock.boot_id(),
                clock.monotonic_ns(),
            ),
        )


def move(write: Execute, job_id: int, old: JobState, new: JobState, *, reason: str | None) -> None:
    """Change a job's state. Raises StoreError for a change that is not in the table."""
    if new not in TRANSITIONS[old]:
        raise StoreError(
            f"Job {job_id} cannot go from {old.value} to {new.value}.",
            remedy="This is a fault of the software: keep the store and report it.",
        )
    write(
        "UPDATE job SET state = ?, reason = ?, worker = NULL, lease_token = NULL, lease_until_ns = NULL"
        " WHERE job_id = ? AND state = ?",
        (new.value, reason, job_id, old.value),
    )


class Jobs:
    """The queue as a worker sees it."""

    def __init__(
        self, database: Database, *, max_attempts: int, lanes: tuple[Lane, ...] = tuple(Lane)
    ) -> None:
        """`lanes`: those that are worked on; jobs of the others wait."""
        self._database = database
        self._max_attempts = max_attempts
        self._lanes = json.dumps([lane.value for lane in lanes])

    def lease(
        self,
        *,
        worker: str,
        lease_s: float,
        before_rank: int | None = None,
        only: tuple[str, int, Lane] | None = None,
    ) -> Job | None:
        """Take the next job; None when there is none (or none more urgent than `before_rank`).

        `only`: none but this lane of this version of this acquisition, and that only when it is the next.
        """
        limit = before_rank if before_rank is not None else BEHIND_ALL_RANK * 10
        if not self._database.read(
            "SELECT 1 FROM job WHERE state = 'queued' AND rank < ?"
            " AND lane IN (SELECT value FROM json_each(?)) LIMIT 1",
            (limit, self._lanes),
        ):
            return None
        clock = self._database.clock
        token = uuid.uuid4().hex
        with self._database.transaction() as write:
            rows = write(
                "UPDATE job SET state = 'leased', worker = ?, lease_token = ?, lease_until_ns = ?,"
                " boot_id = ? WHERE job_id = (SELECT job_id FROM job WHERE state = 'queued' AND rank < ?"
                " AND lane IN (SELECT value FROM json_each(?)) ORDER BY rank, job_id LIMIT 1)"
                " AND (? IS NULL OR (acquisition_id, version, lane) = (?, ?, ?))"
                " RETURNING job_id, acquisition_id, version, lane, failures + deaths + 1",
                (
                    worker,
                    token,
                    clock.monotonic_ns() + round(lease_s * NS_PER_S),
                    clock.boot_id(),
                    limit,
                    self._lanes,
                    *((None,) * 4 if only is None else (only[0], only[0], only[1], only[2].value)),
                ),
            )
        if not rows:
            return None
        job_id, acquisition_id, version, lane, attempts = rows[0]
        return Job(
            job_id=job_id,
            acquisition_id=acquisition_id,
            version=version,
            lane=Lane(lane),
            attempts=attempts,
            lease_token=token,
        )

    def rank_of(self, job: Job) -> int:
        """The job's place in the queue: what `lease(before_rank=...)` compares with."""
        return int(self._database.read("SELECT rank FROM job WHERE job_id = ?", (job.job_id,))[0][0])

    def renew(self, job: Job, *, lease_s: float) -> bool:
        """Keep the lease; False when it is lost and the work should be dropped."""
        until = self._database.clock.monotonic_ns() + round(lease_s * NS_PER_S)
        with self._database.transaction() as write:
            rows = write(
                "UPDATE job SET lease_until_ns = ? WHERE job_id = ? AND lease_token = ?"
                " AND state = 'leased' RETURNING 1",
                (until, job.job_id, job.lease_token),
            )
        return bool(rows)

    def quarantine(self, job: Job, *, reason: str) -> bool:
        """The input's fault: no retry can help. False when the lease was lost."""
        return self._end(job, JobState.QUARANTINED, reason)

    def fail(self, job: Job, *, reason: str) -> bool:
        """It raised an error: back to the queue, or set aside after `max_attempts`. False: lease lost."""
        rows = self._database.read("SELECT failures FROM job WHERE job_id = ?", (job.job_id,))
        last = bool(rows) and int(rows[0][0]) + 1 >= self._max_attempts
        return self._end(job, JobState.FAILED if last else JobState.QUEUED, reason, failed=True)

    def _end(self, job: Job, state: JobState, reason: str | None, *, failed: bool = False) -> bool:
        with self._database.transaction() as write:
            if not holds(write, job):
                return False
            move(write, job.job_id, JobState.LEASED, state, reason=reason)
            if state in SET_ASIDE:
                queue_failure(write, job.job_id)
            if failed:
                write("UPDATE job SET failures = failures + 1 WHERE job_id = ?", (job.job_id,))
        return True

    def give_back(self, job: Job) -> bool:
        """Unfinished through no fault of its own: back to the queue, nothing counted. False: lease lost."""
        return self._end(job, JobState.QUEUED, None)

    def take_back(self, *, worker: str | None = None) -> int:
        """Return leased jobs whose lease ended, or was given in another boot, or all of one dead worker's.

        Returns how many came back. A job that its worker died under as often as `max_attempts` goes behind
        all others; after DEATHS_PER_ATTEMPT times that, it is set aside.
        """
        clock = self._database.clock
        rows = self._database.read(
            "SELECT job_id, deaths FROM job WHERE state = 'leased'"
            " AND (worker = ? OR boot_id != ? OR lease_until_ns < ?)",
            (worker, clock.boot_id(), clock.monotonic_ns()),
        )
        for job_id, deaths in rows:
            with self._database.transaction() as write:
                if not write("SELECT 1 FROM job WHERE job_id = ? AND state = 'leased'", (job_id,)):
                    continue
                given_up = deaths + 1 >= self._max_attempts * DEATHS_PER_ATTEMPT
                words = f"the worker died or hung {deaths + 1} times while it had this job"
                move(
                    write,
                    job_id,
                    JobState.LEASED,
                    JobState.FAILED if given_up else JobState.QUEUED,
                    reason=words,
                )
                if given_up:
                    queue_failure(write, job_id)
                behind = BEHIND_ALL_RANK if deaths + 1 == self._max_attempts else 0
                write(
                    "UPDATE job SET deaths = deaths + 1, rank = rank + ? WHERE job_id = ?", (behind, job_id)
                )
        return len(rows)

    def retry_failed(self) -> int:
        """Queue again what was set aside, with clean counts: a person asked. Returns how many."""
        with self._database.transaction() as write:
            rows = write("SELECT job_id FROM job WHERE state = 'failed'")
            for (job_id,) in rows:
                move(write, job_id, JobState.FAILED, JobState.QUEUED, reason=None)
                write("UPDATE job SET failures = 0, deaths = 0 WHERE job_id = ?", (job_id,))
        return len(rows)

    def waiting(self) -> int:
        """How many jobs are queued or leased."""
        return int(self._database.read("SELECT count(*) FROM job WHERE state IN ('queued', 'leased')")[0][0])


def holds(write: Execute, job: Job) -> bool:
    """Is this lease still ours? Ask inside the transaction that depends on it."""
    return bool(
        write(
            "SELECT 1 FROM job WHERE job_id = ? AND lease_token = ? AND state = 'leased'",
            (job.job_id, job.lease_token),
        )
    )
