# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What results and files add to the counts: once each, in the right bucket, under names of ours."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.clock import NS_PER_S
from appliance.domain.acquisition import Kind, Urgency
from appliance.domain.finding import Code, Decision, Finding, Refusal
from appliance.domain.job import Lane
from appliance.domain.quality import QualityCheck, Verdict
from appliance.domain.result import EngineUse, LaneResult, StageTiming
from appliance.monitor.counting import (
    REASON_CLASSES,
    count_files,
    count_results,
    latest_engines,
    reason_class,
)
from appliance.store.tallies import StoredFile, StoredResult


def check(verdict: Verdict) -> QualityCheck:
    return QualityCheck(
        criterion="exposure", verdict=verdict, value=None, unit=None, limit=None, advice="", marks=()
    )


def stored(
    result: LaneResult, *, took_s: float | None = 1.0, urgency: Urgency = Urgency.LIVE
) -> StoredResult:
    took_ns = None if took_s is None else round(took_s * NS_PER_S)
    return StoredResult(rowid=1, result=result, kind=Kind.PROJECTION, urgency=urgency, took_ns=took_ns)


QUALITY = LaneResult(
    acquisition_id="a",
    version=1,
    lane=Lane.QUALITY,
    quality=(check(Verdict.OK), check(Verdict.REPEAT)),
    timings=(
        StageTiming(stage="decoded", duration_ms=30.0),
        StageTiming(stage="CANARY^JANE", duration_ms=1.0),
    ),
)
TRIAGE = LaneResult(
    acquisition_id="a",
    version=1,
    lane=Lane.TRIAGE,
    findings=(
        Finding(
            task="chest_triage",
            code=Code(value="1", scheme="SCT", meaning="Pneumothorax"),
            probability=0.9,
            sensitive_threshold=0.1,
            specific_threshold=0.5,
            decision=Decision.PRESENT,
        ),
    ),
    refusals=(Refusal(task="fracture_triage", reason="CANARY^JANE is no hand"),),
    engines=(EngineUse(task="chest_triage", model="m@1", engine="ort fp32 CPU", fallback_reason="no GPU"),),
)


def test_a_quality_result_is_counted() -> None:
    counts = count_results([stored(QUALITY)])
    assert counts["results", ("quality",)] == 1
    assert counts["checks", ("exposure", "REPEAT")] == 1
    assert counts["verdicts", ("REPEAT",)] == 1
    assert counts["deadlines", ("projection", "in_time")] == 1
    assert counts["stage", ("quality", "decoded", "0.05")] == 1
    assert counts["stage_sum", ("quality", "decoded")] == pytest.approx(0.03)
    assert counts["stage", ("quality", "answered", "1.0")] == 1


def test_a_triage_result_is_counted() -> None:
    counts = count_results([stored(TRIAGE)])
    assert counts["findings", ("chest_triage", "Pneumothorax", "PRESENT")] == 1
    assert counts["refusals", ("fracture_triage",)] == 1
    assert counts["fallback_answers", ("chest_triage",)] == 1
    assert not [name for name, _ in counts if name in {"verdicts", "deadlines"}]
    assert latest_engines([stored(TRIAGE)])["chest_triage"].model == "m@1"


def test_words_of_others_become_no_label() -> None:
    counts = count_results([stored(QUALITY), stored(TRIAGE)])
    assert "CANARY" not in str(counts)
    assert counts["stage_sum", ("quality", "other")] == pytest.approx(0.001)


@pytest.mark.parametrize(
    ("verdict", "took_s", "urgency", "outcome"),
    [
        (Verdict.OK, 3.0, Urgency.LIVE, "in_time"),
        (Verdict.OK, 3.1, Urgency.LIVE, "late"),
        (Verdict.OK, None, Urgency.STAT, "unknown"),
        (Verdict.NOT_CHECKED, 9.0, Urgency.LIVE, "without_check"),
        (Verdict.OK, 1.0, Urgency.BACKFILL, None),
    ],
)
def test_a_deadline_is_never_better_than_it_was(
    verdict: Verdict, took_s: float | None, urgency: Urgency, outcome: str | None
) -> None:
    counts = count_results(
        [stored(replace(QUALITY, quality=(check(verdict),)), took_s=took_s, urgency=urgency)]
    )
    found = [labels[1] for name, labels in counts if name == "deadlines"]
    assert found == ([] if outcome is None else [outcome])


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("truncated: The file ends early.", "truncated"),
        ("The file has 9 bytes; at most 4 are taken.", "too_large"),
        ("This is a pipe, not a file.", "not_a_file"),
        ("A fault of the software (ValueError).", "software"),
        ("The header contradicts itself", "header"),
        ("The compressed pixel data are damaged: ...", "pixels"),
        ("CANARY^JANE", "other"),
        (None, "other"),
    ],
)
def test_a_reason_has_a_class(reason: str | None, expected: str) -> None:
    assert reason_class(reason) == expected
    assert expected in REASON_CLASSES


def test_files_are_counted_with_the_class_of_their_reason() -> None:
    file = StoredFile(rowid=1, door="folder", status="quarantined", reason="truncated: x")
    counts = count_files([file, replace(file, status="accepted", reason=None)])
    assert counts == {
        ("files", ("folder", "quarantined")): 1,
        ("files", ("folder", "accepted")): 1,
        ("quarantined", ("truncated",)): 1,
    }
