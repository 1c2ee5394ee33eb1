# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""One acquisition, or one file that gave none, as one line: the `--json` contract and the table row.

docs/json.md describes the line; a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from appliance.domain.acquisition import Completeness, Instance, Kind
from appliance.domain.job import JobState
from appliance.domain.record import to_plain
from appliance.domain.result import LaneResult

DERIVED_IMAGE: Final = "derived_image"
"""Role of a file that is an image made from the acquisition."""
ARRIVAL_STAGES: Final = frozenset({"landed", "complete", "claimed", "waited"})
SCHEMA: Final = 1
"""Rises when a field changes its meaning or goes away; new fields do not raise it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AcquisitionReport:
    """What a line of an acquisition is made from."""

    files: tuple[str, ...]
    acquisition_id: str
    version: int
    first: Instance
    kind: Kind
    completeness: Completeness
    evidence: str
    states: tuple[tuple[JobState, str | None], ...]
    """Each lane's job state, with its reason."""
    results: tuple[LaneResult, ...]
    data: Path
    """The folder that paths in results are relative to."""
    outputs: tuple[str, ...]
    """DICOM objects made of the results; the derived images are in the results."""
    committed_ms: dict[str, float]
    """Lane to time from first sight of the last file to the commit."""


def acquisition_line(report: AcquisitionReport) -> dict[str, Any]:
    """The line of an acquisition."""
    status, reason = _status(report)
    results = report.results
    return {
        "schema": SCHEMA,
        "files": list(report.files),
        "status": status,
        "reason": reason,
        "kind": report.kind.value,
        "modality": report.first.modality,
        "study_instance_uid": report.first.study_instance_uid,
        "series_instance_uid": report.first.series_instance_uid,
        "acquisition_id": report.acquisition_id,
        "version": report.version,
        "completeness": report.completeness.value,
        "evidence": report.evidence,
        "quality": [to_plain(check) for result in results for check in result.quality],
        "findings": [to_plain(finding) for result in results for finding in result.findings],
        "refusals": [to_plain(refusal) for result in results for refusal in result.refusals],
        "derived": [
            str(report.data / file.path)
            for result in results
            for file in result.derived
            if file.role == DERIVED_IMAGE
        ],
        "derived_marks": [
            to_plain(mark) for result in results for file in result.derived for mark in file.marks
        ],
        "outputs": list(report.outputs),
        "models": sorted({use.model for result in results for use in result.engines}),
        "engines": {use.task: use.engine for result in results for use in result.engines},
        "halvings": max((result.halvings for result in results), default=0),
        "timings_ms": _timings(report),
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
        "derived_marks": [],
        "outputs": [],
        "models": [],
        "engines": {},
        "halvings": 0,
        "timings_ms": {},
    }


def fault_words(error: Exception) -> str:
    """The reason for a lane that our own fault ended. Without the error's words: a header may be in them."""
    return f"A fault of the software ({type(error).__name__}). Please report it; the log says where it is."


def _status(report: AcquisitionReport) -> tuple[str, str | None]:
    """One word for the whole, and why where there is something to say."""
    if report.completeness is Completeness.RECEIVING:
        return "receiving", "more of this series is expected"
    for wanted, word in (
        (JobState.QUARANTINED, "quarantined"),
        (JobState.FAILED, "failed"),
        (JobState.QUEUED, "working"),
        (JobState.LEASED, "working"),
    ):
        for state, reason in report.states:
            if state is wanted:
                return word, reason
    if not any(result.quality or result.findings or result.derived for result in report.results):
        reasons = {refusal.reason for result in report.results for refusal in result.refusals}
        return "refused", " ".join(sorted(reasons)) or "no task looks at this kind of image"
    return "done", None


def _timings(report: AcquisitionReport) -> dict[str, float]:
    """Milliseconds by stage, added up over the lanes; `committed.LANE` from first sight to commit.

    `landed` and `waited` are of the first lane: the others wait for it.
    """
    timings: dict[str, float] = {}
    for result in report.results:
        for timing in result.timings:
            if timing.stage in ARRIVAL_STAGES:
                timings.setdefault(timing.stage, round(timing.duration_ms, 3))
            else:
                timings[timing.stage] = round(timings.get(timing.stage, 0.0) + timing.duration_ms, 3)
    for lane, duration_ms in report.committed_ms.items():
        timings[f"committed.{lane}"] = round(duration_ms, 3)
    return timings
