# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What the worker does between two slices of a long job: keep its lease, let more urgent work go first."""

from __future__ import annotations

from typing import Final, Protocol

from appliance.clock import NS_PER_S, Clock
from appliance.domain.job import Job
from appliance.store.jobs import Jobs

RENEW_FRACTION: Final = 0.25
"""A lease is renewed when this much of it has passed."""


class LeaseLostError(Exception):
    """Somebody else has the job by now, or a newer version superseded it: drop the work."""


class ToldToStopError(Exception):
    """In the middle of a long job: the job goes back as it was."""


class Interruptible(Protocol):
    """A worker in the middle of a long job."""

    def show_life(self, job: Job) -> None:
        """Raises ToldToStopError when it should not go on."""

    def do(self, job: Job) -> None:
        """A more urgent one, to its end."""


class Between:
    """What a long job does between two slices: keep its lease, and let more urgent work go first."""

    def __init__(
        self, worker: Interruptible, *, name: str, jobs: Jobs, job: Job, clock: Clock, lease_s: float
    ) -> None:
        self._worker = worker
        self._name = name
        self._jobs = jobs
        self._job = job
        self._clock = clock
        self._lease_s = lease_s
        self._rank = jobs.rank_of(job)
        self._renewed_ns = clock.monotonic_ns()

    def __call__(self) -> None:
        """Raises LeaseLostError when the job is somebody else's by now, ToldToStopError when told to stop."""
        self._worker.show_life(self._job)
        while urgent := self._jobs.lease(worker=self._name, lease_s=self._lease_s, before_rank=self._rank):
            self._worker.do(urgent)
        now_ns = self._clock.monotonic_ns()
        if now_ns - self._renewed_ns > self._lease_s * RENEW_FRACTION * NS_PER_S:
            self._renewed_ns = now_ns
            if not self._jobs.renew(self._job, lease_s=self._lease_s):
                raise LeaseLostError
