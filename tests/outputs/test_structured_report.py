# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The report: what was found, what was refused, by which model, on which image; the same when made again."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset

from appliance.domain.acquisition import Acquisition, Kind
from appliance.domain.finding import Code, Decision, Finding, Refusal
from appliance.domain.job import Lane
from appliance.domain.quality import Mark, MarkShape, QualityCheck, Verdict
from appliance.domain.result import EngineUse, LaneResult, StageTiming
from appliance.outputs.catalogue import renderers
from appliance.outputs.structured_report import OUTPUT

MakeFile = Callable[..., Path]
MakeAcquisition = Callable[..., Acquisition]
Errors = Callable[[Path], list[str]]


def finding(meaning: str, decision: Decision, *marks: Mark) -> Finding:
    return Finding(
        task="chest_triage",
        code=Code(value="60046008", scheme="SCT", meaning=meaning),
        probability=0.8123456,
        sensitive_threshold=0.2,
        specific_threshold=0.7,
        decision=decision,
        marks=marks,
    )


BOX = Mark(label="x", shape=MarkShape.BOX, points_px=((10.0, 20.0), (30.0, 50.0)))
TRIAGE = LaneResult(
    acquisition_id="a1",
    version=1,
    lane=Lane.TRIAGE,
    findings=(
        finding("Pleural effusion", Decision.PRESENT, BOX),
        finding("Pneumothorax", Decision.INDETERMINATE),
        finding("Cardiomegaly", Decision.ABSENT),
    ),
    refusals=(Refusal(task="fracture_triage", reason="The body part is CHEST; tested for HAND."),),
    engines=(
        EngineUse(task="chest_triage", model="chest_triage@2.1", engine="ort f32 CPU", fallback_reason=None),
    ),
)
QUALITY = LaneResult(
    acquisition_id="a1",
    version=1,
    lane=Lane.QUALITY,
    quality=(
        QualityCheck(
            criterion="field_of_view",
            verdict=Verdict.REPEAT,
            value=12.0,
            unit="mm",
            limit=0.0,
            advice="Right base cut off, 12 mm at the detector. Lower the detector.",
        ),
        QualityCheck(
            criterion="rotation",
            verdict=Verdict.NOT_CHECKED,
            value=None,
            unit=None,
            limit=None,
            advice="Look.",
        ),
        QualityCheck(
            criterion="a_criterion_with_a_long_name",
            verdict=Verdict.OK,
            value=float("nan"),
            unit="1",
            limit=0.5,
            advice="",
        ),
    ),
)


def render(acquisition: Acquisition, result: LaneResult) -> Dataset:
    (rendered,) = OUTPUT.render(acquisition, result)
    return pydicom.dcmread(io.BytesIO(rendered.content))


def items(dataset: Any) -> list[Any]:
    found = []
    for item in dataset.get("ContentSequence", ()):
        found += [item, *items(item)]
    return found


def texts(dataset: Dataset, concept: str) -> list[str]:
    return [
        str(item.get("TextValue") or item.ConceptCodeSequence[0].CodeMeaning)
        for item in items(dataset)
        if item.ConceptNameCodeSequence[0].CodeMeaning == concept
    ]


@pytest.fixture
def acquisition(ct_file: MakeFile, acquisition_of: MakeAcquisition) -> Acquisition:
    return acquisition_of(ct_file(0), kind=Kind.PROJECTION)


def test_findings_refusals_and_their_model_are_reported(acquisition: Acquisition) -> None:
    report = render(acquisition, TRIAGE)
    assert texts(report, "Pleural effusion") == ["Present"]
    assert texts(report, "Pneumothorax") == ["Indeterminate"]
    assert texts(report, "Cardiomegaly") == ["Not flagged; does not mean absent"]
    assert texts(report, "fracture triage") == ["Not analysed by this device"]
    assert texts(report, "Comment") == ["The body part is CHEST; tested for HAND."]
    assert set(texts(report, "Algorithm Name")) == {"chest_triage"}
    assert set(texts(report, "Algorithm Version")) == {"2.1"}
    values = [
        float(item.MeasuredValueSequence[0].NumericValue) for item in items(report) if item.ValueType == "NUM"
    ]
    assert values == [0.8123] * 3
    assert (report.StudyInstanceUID, report.PatientID) == (acquisition.first.study_instance_uid, "P1")
    assert str(report.PatientName) == "PHANTOM^Möbius"
    assert (report.PreliminaryFlag, report.VerificationFlag) == ("PRELIMINARY", "UNVERIFIED")
    referenced = report.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
    assert referenced.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == acquisition.first.sop_instance_uid


def test_a_box_is_a_closed_line_in_dicom_coordinates(acquisition: Acquisition) -> None:
    (region,) = [item for item in items(render(acquisition, TRIAGE)) if item.ValueType == "SCOORD"]
    assert region.GraphicType == "POLYLINE"
    corners = [float(value) for value in region.GraphicData]
    assert corners == [20.5, 10.5, 50.5, 10.5, 50.5, 30.5, 20.5, 30.5, 20.5, 10.5]


def test_quality_is_reported_with_values_limits_and_advice(acquisition: Acquisition) -> None:
    report = render(acquisition, QUALITY)
    assert texts(report, "field of view") == ["Consider repeating"]
    assert texts(report, "rotation") == ["Not checked by this device"]
    assert texts(report, "Comment") == [QUALITY.quality[0].advice, "Look."]
    values = [
        (
            float(item.MeasuredValueSequence[0].NumericValue),
            item.MeasuredValueSequence[0].MeasurementUnitsCodeSequence[0].CodeValue,
        )
        for item in items(report)
        if item.ValueType == "NUM"
    ]
    assert values == [(12.0, "mm"), (0.0, "mm"), (0.5, "1")], "what is no number is not written as one"


def test_the_same_answer_is_the_same_object(acquisition: Acquisition) -> None:
    (first,) = OUTPUT.render(acquisition, TRIAGE)
    timed = replace(TRIAGE, timings=(StageTiming(stage="inferred", duration_ms=3.0),))
    (again,) = OUTPUT.render(acquisition, timed)
    assert first == again
    other = replace(TRIAGE, findings=TRIAGE.findings[:1])
    uids = {render(acquisition, result).SOPInstanceUID for result in (TRIAGE, other, QUALITY)}
    assert len(uids) == 3
    series = {render(acquisition, result).SeriesInstanceUID for result in (TRIAGE, QUALITY)}
    assert len(series) == 1


def test_nothing_to_say_is_no_report(acquisition: Acquisition) -> None:
    for lane in Lane:
        assert OUTPUT.render(acquisition, LaneResult(acquisition_id="a1", version=1, lane=lane)) == ()
    assert OUTPUT.render(acquisition, replace(TRIAGE, lane=Lane.DENOISE)) == ()
    no_triage = Refusal(task="triage", reason="This device has no triage model for CT series.")
    assert OUTPUT.render(acquisition, replace(TRIAGE, findings=(), refusals=(no_triage,))) == ()
    refused = replace(TRIAGE, findings=(), refusals=(*TRIAGE.refusals, no_triage))
    report = render(acquisition, refused)
    assert texts(report, "Comment") == [TRIAGE.refusals[0].reason]


def test_no_name_is_told_to_the_log(ct_file: MakeFile, acquisition_of: MakeAcquisition) -> None:
    """Warnings fail a test, and a library warns about names of one part, with the name in it."""
    assert str(render(acquisition_of(ct_file(0, PatientName="Doe")), TRIAGE).PatientName) == "Doe"


@pytest.mark.parametrize("result", [TRIAGE, QUALITY])
def test_dciodvfy_finds_no_error(
    acquisition: Acquisition, result: LaneResult, tmp_path: Path, dicom_errors: Errors
) -> None:
    for renderer in renderers():
        for rendered in renderer.render(acquisition, result):
            path = tmp_path / rendered.file_name
            path.write_bytes(rendered.content)
            assert rendered.content[:128] == bytes(128)
            assert dicom_errors(path) == [], rendered.file_name


def test_a_series_is_evidence_as_a_whole(ct_file: MakeFile, acquisition_of: MakeAcquisition) -> None:
    acquisition = acquisition_of(*(ct_file(number) for number in range(4)))
    report = render(acquisition, QUALITY)
    referenced = report.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
    assert len(referenced.ReferencedSOPSequence) == 4
    assert "Computed tomography" in texts(report, "Procedure reported")
