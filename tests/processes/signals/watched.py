# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The rest of the appliance, as the signals see it."""

from __future__ import annotations

from appliance.clock import ManualClock
from appliance.domain.finding import Code, Decision, Finding
from appliance.domain.job import Lane
from appliance.domain.quality import QualityCheck, Verdict
from appliance.domain.result import LaneResult
from appliance.layout import Layout
from appliance.monitor.heartbeat import Heartbeat
from appliance.monitor.proof import Moment, ProofFile, write_proof
from appliance.store.connection import Database
from appliance.store.jobs import Jobs
from appliance.store.results import Results

PNEUMOTHORAX = Code(value="36118008", scheme="SCT", meaning="Pneumothorax")
EFFUSION = Code(value="60046008", scheme="SCT", meaning="Pleural effusion")


class Device:
    """The rest of the appliance, as far as it can be seen from outside."""

    def __init__(self, layout: Layout, clock: ManualClock) -> None:
        self._layout, self._clock = layout, clock

    def lives(self, *processes: str) -> None:
        for process in processes or ("watcher", "worker", "sender"):
            Heartbeat(self._layout.run, process, self._clock).beat("waiting")

    def proves(self, *, passed: bool = True) -> None:
        now = Moment(
            at_utc=self._clock.now_utc(), at_ns=self._clock.monotonic_ns(), boot_id=self._clock.boot_id()
        )
        proof = ProofFile(
            made=now,
            took_ms=1.0,
            passed=passed,
            failures=() if passed else ("chest_triage",),
            image_passed=passed,
            last_passed=now if passed else None,
            interval_s=600.0,
        )
        write_proof(self._layout.run, proof)


def work_off(database: Database, *, code: Code = EFFUSION, decision: Decision, verdict: Verdict) -> None:
    """A worker that gives these answers to all that is queued."""
    jobs = Jobs(database, max_attempts=3)
    while (job := jobs.lease(worker="test", lease_s=60)) is not None:
        quality = QualityCheck(
            criterion="exposure", verdict=verdict, value=0.1, unit="1", limit=3.0, advice="Look."
        )
        finding = Finding(
            task="chest_triage",
            code=code,
            probability=0.8,
            sensitive_threshold=0.2,
            specific_threshold=0.7,
            decision=decision,
        )
        result = LaneResult(
            acquisition_id=job.acquisition_id,
            version=job.version,
            lane=job.lane,
            quality=(quality,) if job.lane is Lane.QUALITY else (),
            findings=(finding,) if job.lane is Lane.TRIAGE else (),
        )
        assert Results(database).commit(job, result)
