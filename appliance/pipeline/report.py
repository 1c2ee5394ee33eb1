# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""One acquisition, or one file that gave none, as one line: the `--json` contract and the table row.

docs/json.md describes the line; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from appliance.domain.acquisition import Completeness, Instance, Kind
from appliance.domain.job import JobState
from appliance.domain.record import to_plain
from appliance.domain.result import LaneResult

SCHEMA: Final = 1
"""Rises when a field changes its meaning or goes away; new fields do not raise it."""


def acquisition_line(
    *,
    files: tuple[str, ...],
    first: Instance,
    kind: Kind,
    completeness: Completeness,
    evidence: str,
    acquisition_id: str,
    version: int,
    states: tuple[tuple[JobState, str | None], ...],
    results: tuple[LaneResult, ...],
    outputs: tuple[str, ...],
) -> dict[str, Any]:
    """The line of an acquisition. `states` are the lanes' job states with their reasons."""
    status, reason = _status(completeness, states, results)
    return {
        "schema": SCHEMA,
        "files": list(files),
        "status": status,
        "reason": reason,
        "kind": kind.value,
        "modality": first.modality,
        "study_instance_uid": first.study_instance_uid,
        "series_instance_uid": first.series_instance_uid,
        "acquisition_id": acquisition_id,
        "version": version,
        "completeness": completeness.value,
        "evidence": evidence,
        "quality": [to_plain(check) for result in results for check in result.quality],
        "findings": [to_plain(finding) for result in results for finding in result.findings],
        "refusals": [to_plain(refusal) for result in results for refusal in result.refusals],
        "derived": [
            derived.path
            for result in results
            for derived in result.derived
            if derived.role == "derived_image"
        ],
        "outputs": list(outputs),
        "models": sorted({use.model for result in results for use in result.engines}),
        "engines": {use.task: use.engine for result in results for use in result.engines},
        "timings_ms": _timings(results),
    }


def set_aside_line(*, file: str, status: str, reason: str) -> dict[str, Any]:
    """The line of a file that was quarantined or ignored."""
    return {
        "schema": SCHEMA,
        "files": [file],
        "status": status,
        "reason": reason,
        "kind": None,
        "modality": None,
        "study_instance_uid": None,
        "series_instance_uid": None,
        "acquisition_id": None,
        "version": None,
        "completeness": None,
        "evidence": None,
        "quality": [],
        "findings": [],
        "refusals": [],
        "derived": [],
        "outputs": [],
        "models": [],
        "engines": {},
        "timings_ms": {},
    }


def _status(
    completeness: Completeness,
    states: tuple[tuple[JobState, str | None], ...],
    results: tuple[LaneResult, ...],
) -> tuple[str, str | None]:
    """One word for the whole, and why where there is something to say."""
    if completeness is Completeness.RECEIVING:
        return "receiving", "more of this series is expected"
    for wanted, word in (
        (JobState.QUARANTINED, "quarantined"),
        (JobState.FAILED, "failed"),
        (JobState.QUEUED, "working"),
        (JobState.LEASED, "working"),
    ):
        for state, reason in states:
            if state is wanted:
                return word, reason
    if not any(result.quality or result.findings or result.derived for result in results):
        reasons = {refusal.reason for result in results for refusal in result.refusals}
        return "refused", " ".join(sorted(reasons)) or "no task looks at this kind of image"
    return "done", None


def _timings(results: Iterable[LaneResult]) -> dict[str, float]:
    """Stages by name; a stage of several lanes is named lane.stage, arrival stages once."""
    timings: dict[str, float] = {}
    for result in results:
        for timing in result.timings:
            name = timing.stage if timing.stage == "landed" else f"{result.lane.value}.{timing.stage}"
            timings[name] = round(timing.duration_ms, 3)
    return timings
