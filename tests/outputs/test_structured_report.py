# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The report: what was found, what was refused, by which model, on which image; the same when made again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pydicom
import pytest

from appliance.domain.acquisition import Acquisition, Kind
from appliance.domain.finding import Refusal
from appliance.domain.job import Lane
from appliance.domain.result import LaneResult, StageTiming
from appliance.outputs.catalogue import renderers
from appliance.outputs.structured_report import OUTPUT
from tests.report_parts import QUALITY, TRIAGE, items, numbers, render, texts

MakeFile = Callable[..., Path]
MakeAcquisition = Callable[..., Acquisition]
Errors = Callable[[Path], list[str]]


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
    assert numbers(report) == [("Calibrated probability", 0.8123, "1")] * 3
    assert (report.StudyInstanceUID, report.PatientID) == (acquisition.first.study_instance_uid, "P1")
    assert str(report.PatientName) == "PHANTOM^Möbius"
    assert (report.PreliminaryFlag, report.VerificationFlag) == ("PRELIMINARY", "UNVERIFIED")
    referenced = report.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
    assert referenced.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == acquisition.first.sop_instance_uid


def test_an_answer_from_a_halved_frame_says_so(acquisition: Acquisition) -> None:
    words = "both sides halved 2 times by the wavelet"
    assert words in texts(render(acquisition, replace(TRIAGE, halvings=2)), "Algorithm Parameters")
    assert words not in texts(render(acquisition, TRIAGE), "Algorithm Parameters")


# Trace: REQ-028
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
    measured, limit = "Measured value", "Limit of the check"
    assert numbers(report) == [(measured, 12.0, "mm"), (limit, 0.0, "mm"), (limit, 0.5, "1")], (
        "what is no number is not written as one"
    )


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


# Trace: REQ-052
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


def test_what_no_object_may_say_of_a_patient_is_left_out(
    ct_file: MakeFile, acquisition_of: MakeAcquisition, tmp_path: Path, dicom_errors: Errors
) -> None:
    """Two numbers where one is allowed; de-identified, and no word of how."""
    original = ct_file(0, PatientID="1", PatientIdentityRemoved="YES", AccessionNumber=["A", "B"])
    acquisition = acquisition_of(original, kind=Kind.PROJECTION)
    (rendered,) = OUTPUT.render(acquisition, TRIAGE)
    path = tmp_path / rendered.file_name
    path.write_bytes(rendered.content)
    assert dicom_errors(path) == []
    report = pydicom.dcmread(path)
    assert (report.PatientID, report.AccessionNumber) == ("1", "")
    assert "PatientIdentityRemoved" not in report
