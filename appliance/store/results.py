# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Committing a result: with the end of its job and its place in the outbox, or not at all."""

from __future__ import annotations

from appliance.domain.audit import AuditEvent, AuditKind
from appliance.domain.job import Job, JobState, Lane
from appliance.domain.record import from_json, to_json
from appliance.domain.result import LaneResult
from appliance.store.audit import note
from appliance.store.connection import Database
from appliance.store.jobs import holds, move
from appliance.store.outbox import flagged_goes_first, queue_render


class Results:
    """The back half of the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def commit(self, job: Job, result: LaneResult) -> bool:
        """Keep the result and end the job, in one transaction.

        False: the lease was lost (somebody else has the job, or a newer version superseded it); nothing
        was written. Exactly one commit per (acquisition, version, lane) can ever succeed.
        """
        clock = self._database.clock
        with self._database.transaction() as write:
            if not holds(write, job):
                return False
            write(
                "INSERT INTO result (acquisition_id, version, lane, record, committed_at_utc,"
                " committed_ns, boot_id) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    result.acquisition_id,
                    result.version,
                    result.lane.value,
                    to_json(result),
                    clock.now_utc().isoformat(),
                    clock.monotonic_ns(),
                    clock.boot_id(),
                ),
            )
            move(write, job.job_id, JobState.LEASED, JobState.DONE, reason=None)
            if any(finding.is_flagged for finding in result.findings):
                flagged_goes_first(write, job.acquisition_id)
            queue_render(write, job)
            note(self._database, write, _answered(result))
        return True

    def of(self, acquisition_id: str, version: int, lane: Lane) -> LaneResult | None:
        """One lane's result; None while it is not there."""
        rows = self._database.read(
            "SELECT record FROM result WHERE acquisition_id = ? AND version = ? AND lane = ?",
            (acquisition_id, version, lane.value),
        )
        return from_json(LaneResult, rows[0][0]) if rows else None

    def failure(self, acquisition_id: str, version: int, lane: Lane) -> str | None:
        """Why the lane was set aside without a result, in words; None: it was not, or is tried again."""
        rows = self._database.read(
            "SELECT reason FROM job WHERE acquisition_id = ? AND version = ? AND lane = ?"
            " AND state IN (?, ?)",
            (acquisition_id, version, lane.value, JobState.QUARANTINED.value, JobState.FAILED.value),
        )
        return (rows[0][0] or "No reason is known.") if rows else None


def _answered(result: LaneResult) -> AuditEvent:
    return AuditEvent(
        kind=AuditKind.ANSWERED,
        who="worker",
        exam=result.acquisition_id,
        about=(
            ("version", str(result.version)),
            ("lane", result.lane.value),
            ("models", ", ".join(use.model for use in result.engines)),
        ),
    )
