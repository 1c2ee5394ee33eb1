# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The line of an acquisition: one word for the whole, the reason, and nothing about the patient."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.domain.acquisition import Completeness, Instance, Kind
from appliance.domain.finding import Refusal
from appliance.domain.job import JobState, Lane
from appliance.domain.quality import Mark, MarkShape, QualityCheck, Verdict
from appliance.domain.result import DerivedFile, EngineUse, LaneResult, StageTiming
from appliance.pipeline.report import (
    DERIVED_IMAGE,
    SCHEMA,
    AcquisitionReport,
    acquisition_line,
    fault_words,
    set_aside_line,
)

MakeReport = Callable[..., AcquisitionReport]
OK_CHECK = QualityCheck(
    criterion="exposure", verdict=Verdict.OK, value=0.1, unit="1", limit=3.0, advice="Fine."
)
DONE = (JobState.DONE, None)


def result(lane: Lane, **known: Any) -> LaneResult:
    return LaneResult(acquisition_id="a", version=2, lane=lane, **known)


def timing(stage: str, duration_ms: float) -> StageTiming:
    return StageTiming(stage=stage, duration_ms=duration_ms)


@pytest.fixture
def make_report(make_instance: Callable[..., Instance]) -> MakeReport:
    def build(*results: LaneResult, states: Any = (DONE, DONE, DONE), **known: Any) -> AcquisitionReport:
        usual: dict[str, Any] = {
            "files": ("a.dcm",),
            "acquisition_id": "a",
            "version": 2,
            "first": make_instance(patient={"patient_name": "CANARY^JANE", "patient_id": "CANARY-1"}),
            "kind": Kind.PROJECTION,
            "completeness": Completeness.COMPLETE,
            "evidence": "a single image",
            "states": states,
            "results": results,
            "data": Path("/data"),
            "outputs": ("/data/results/a-v2/report-quality.dcm",),
            "committed_ms": {"quality": 12.3456},
        }
        return AcquisitionReport(**usual | known)

    return build


def test_everything_of_all_lanes_is_in_the_line_and_no_patient(make_report: MakeReport) -> None:
    uses = {
        "engines": (
            EngineUse(task="ct_denoise", model="ct_denoise@1", engine="ort f32 CPU", fallback_reason=None),
        )
    }
    outline = Mark(
        label="original kept", shape=MarkShape.POLYGON, points_px=((1, 2), (3, 4), (5, 6)), slice_index=7
    )
    derived = DerivedFile(path="results/a-v2/x.dcm", sha256="0", role=DERIVED_IMAGE, marks=(outline,))
    view = DerivedFile(path="views/a-v2", sha256="0", role="view")
    line = acquisition_line(
        make_report(
            result(
                Lane.QUALITY,
                quality=(OK_CHECK,),
                timings=(timing("landed", 1), timing("waited", 2), timing("decoded", 3)),
            ),
            result(Lane.TRIAGE, refusals=(Refusal(task="t", reason="No."),)),
            result(
                Lane.DENOISE,
                derived=(derived, view),
                timings=(timing("landed", 1), timing("waited", 90), timing("decoded", 4)),
                **uses,
            ),
        )
    )
    assert (line["schema"], line["status"], line["reason"]) == (SCHEMA, "done", None)
    assert line["derived"] == ["/data/results/a-v2/x.dcm"]
    assert [(mark["label"], mark["slice_index"]) for mark in line["derived_marks"]] == [("original kept", 7)]
    assert line["refusals"] == [{"task": "t", "reason": "No."}]
    assert line["quality"][0]["verdict"] == "OK"
    assert (line["models"], line["engines"]) == (["ct_denoise@1"], {"ct_denoise": "ort f32 CPU"})
    assert line["timings_ms"] == {"landed": 1, "waited": 2, "decoded": 7, "committed.quality": 12.346}
    assert "CANARY" not in json.dumps(line)


@pytest.mark.parametrize(
    ("states", "status", "reason"),
    [
        ([DONE, DONE, (JobState.QUEUED, None)], "working", None),
        ([DONE, (JobState.LEASED, None), (JobState.QUEUED, None)], "working", None),
        ([DONE, (JobState.QUEUED, "an engine failed"), DONE], "working", "an engine failed"),
        ([DONE, (JobState.FAILED, "twice"), (JobState.QUEUED, None)], "failed", "twice"),
        (
            [(JobState.QUARANTINED, "cut"), (JobState.FAILED, "x"), (JobState.QUEUED, None)],
            "quarantined",
            "cut",
        ),
        ([DONE, DONE, DONE], "done", None),
    ],
)
def test_the_worst_news_is_the_word_for_the_whole(
    make_report: MakeReport, states: Any, status: str, reason: str | None
) -> None:
    line = acquisition_line(make_report(result(Lane.QUALITY, quality=(OK_CHECK,)), states=tuple(states)))
    assert (line["status"], line["reason"]) == (status, reason)


def test_a_series_that_still_comes_in_is_receiving(make_report: MakeReport) -> None:
    line = acquisition_line(make_report(states=(), completeness=Completeness.RECEIVING))
    assert line["status"] == "receiving"


def test_only_refusals_make_refused_with_each_reason_once(make_report: MakeReport) -> None:
    no = (Refusal(task="a", reason="B is not A."), Refusal(task="b", reason="B is not A."))
    line = acquisition_line(
        make_report(result(Lane.QUALITY, refusals=no), result(Lane.TRIAGE, refusals=no[:1]))
    )
    assert (line["status"], line["reason"]) == ("refused", "B is not A.")
    silent = acquisition_line(make_report(result(Lane.QUALITY)))
    assert (silent["status"], silent["reason"]) == ("refused", "no task looks at this kind of image")


def test_both_kinds_of_line_have_the_same_fields_in_the_same_order(make_report: MakeReport) -> None:
    aside = set_aside_line(file="a.txt", status="quarantined", reason="Not DICOM.")
    assert list(aside) == list(acquisition_line(make_report()))
    assert (aside["files"], aside["status"], aside["reason"]) == (["a.txt"], "quarantined", "Not DICOM.")


# Trace: REQ-034
def test_the_words_for_our_own_fault_quote_nothing() -> None:
    words = fault_words(ValueError("CANARY^JANE is no number"))
    assert "ValueError" in words
    assert "CANARY" not in words


# Trace: REQ-022
def test_not_checked_alone_is_done_and_never_good(make_report: MakeReport) -> None:
    unchecked = replace(OK_CHECK, verdict=Verdict.NOT_CHECKED, value=None, limit=None)
    line = acquisition_line(make_report(result(Lane.QUALITY, quality=(unchecked,))))
    assert line["status"] == "done"
    assert [check["verdict"] for check in line["quality"]] == ["NOT_CHECKED"]
