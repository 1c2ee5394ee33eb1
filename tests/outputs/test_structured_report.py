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
        str(item.get("TextValue") or item.get("UID") or item.ConceptCodeSequence[0].CodeMeaning)
        for item in items(dataset)
        if item.ConceptNameCodeSequence[0].CodeMeaning == concept
    ]


def container(dataset: Any, concept: str) -> Any:
    (found,) = [item for item in items(dataset) if item.ConceptNameCodeSequence[0].CodeMeaning == concept]
    return found


def numbers(report: Dataset) -> list[tuple[str, float, str]]:
    """What was measured: name, value, unit. Not what the library says about the images."""
    return [
        (
            item.ConceptNameCodeSequence[0].CodeMeaning,
            float(item.MeasuredValueSequence[0].NumericValue),
            item.MeasuredValueSequence[0].MeasurementUnitsCodeSequence[0].CodeValue,
        )
        for item in items(container(report, "Imaging Measurements"))
        if item.ValueType == "NUM"
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
    assert numbers(report) == [("Calibrated probability", 0.8123, "1")] * 3
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
    measured, limit = "Measured value", "Limit of the check"
    assert numbers(report) == [(measured, 12.0, "mm"), (limit, 0.0, "mm"), (limit, 0.5, "1")], (
        "what is no number is not written as one"
    )


@pytest.fixture
def series(ct_file: MakeFile, acquisition_of: MakeAcquisition) -> Acquisition:
    return acquisition_of(*(ct_file(number) for number in range(4)))


def quality_of(check: QualityCheck) -> LaneResult:
    return replace(QUALITY, quality=(check,))


def test_every_place_has_its_group_and_its_image(series: Acquisition) -> None:
    marks = (
        Mark(label="left", shape=MarkShape.BOX, points_px=((10.0, 20.0), (30.0, 50.0)), slice_index=2),
        Mark(label="edge", shape=MarkShape.LINE, points_px=((0.0, 0.0), (200.0, 5.0)), slice_index=0),
        Mark(
            label="field",
            shape=MarkShape.POLYGON,
            points_px=((1.0, 1.0), (1.0, 9.0), (9.0, 9.0)),
            slice_index=1,
        ),
        Mark(label="whole", shape=MarkShape.LINE, points_px=((0.0, 0.0), (1.0, 1.0))),
    )
    report = render(series, quality_of(replace(QUALITY.quality[0], marks=marks)))
    places = [
        (
            item.ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID,
            [float(value) for value in item.GraphicData],
        )
        for item in items(report)
        if item.ValueType == "SCOORD"
    ]
    uids = [instance.sop_instance_uid for instance in series.instances]
    assert places == [
        (uids[2], [20.5, 10.5, 50.5, 10.5, 50.5, 30.5, 20.5, 30.5, 20.5, 10.5]),
        (uids[0], [0.5, 0.5, 5.5, 64.0]),  # held within the image
        (uids[1], [1.5, 1.5, 9.5, 1.5, 9.5, 9.5, 1.5, 1.5]),
    ]
    assert texts(report, "Comment") == [QUALITY.quality[0].advice, "edge", "field"]
    tracked = texts(report, "Tracking Identifier")
    assert tracked == ["field_of_view 1", "field_of_view 1 place 2", "field_of_view 1 place 3"]
    assert len(set(texts(report, "Tracking Unique Identifier"))) == len(tracked)


def test_a_range_of_slices_names_its_images(series: Acquisition) -> None:
    marks = (Mark(label="jump", shape=MarkShape.SLICES, points_px=((1.0, 2.0), (3.0, 9.0))),)
    report = render(series, quality_of(replace(QUALITY.quality[0], criterion="motion", marks=marks)))
    named = [
        item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID
        for item in items(container(report, "Imaging Measurements"))
        if item.ValueType == "IMAGE"
    ]
    assert named == [instance.sop_instance_uid for instance in series.instances[1:]]
    assert texts(report, "Quality Finding") == ["Motion blur"]


def test_a_card_that_draws_no_place_has_none_in_the_report(acquisition: Acquisition) -> None:
    flag_only = replace(finding("Pneumothorax", Decision.PRESENT, BOX), draws_location=False)
    report = render(acquisition, replace(TRIAGE, findings=(flag_only,)))
    assert texts(report, "Pneumothorax") == ["Present"]
    assert not [item for item in items(report) if item.ValueType == "SCOORD"]


@pytest.mark.parametrize(
    ("value", "verdict", "said"),
    [
        (-4.2, Verdict.REPEAT, ["Under exposed"]),
        (3.1, Verdict.CHECK, ["Over exposed"]),
        (0.2, Verdict.OK, []),
    ],
)
def test_exposure_is_said_in_the_codes_of_the_standard(
    acquisition: Acquisition, value: float, verdict: Verdict, said: list[str]
) -> None:
    first = acquisition.first
    exposure = replace(first.exposure, exposure_index=220.0, target_exposure_index=400.0)
    exposed = replace(acquisition, instances=(replace(first, exposure=exposure),))
    check = QualityCheck(
        criterion="exposure", verdict=verdict, value=value, unit="1", limit=1.0, advice="Look."
    )
    report = render(exposed, quality_of(check))
    assert numbers(report) == [
        ("Deviation Index", value, "1"),
        ("Limit of the check", 1.0, "1"),
        ("Exposure Index", 220.0, "1"),
        ("Target Exposure Index", 400.0, "1"),
    ]
    assert texts(report, "Quality Finding") == said


def test_the_images_stand_in_the_library_with_what_they_share_said_once(series: Acquisition) -> None:
    library = container(render(series, QUALITY), "Image Library")
    images = [item for item in items(library) if item.ValueType == "IMAGE"]
    assert [image.ReferencedSOPSequence[0].ReferencedSOPInstanceUID for image in images] == [
        instance.sop_instance_uid for instance in series.instances
    ]
    assert texts(library, "Modality") == ["Computed Tomography"]
    assert len(texts(library, "Frame of Reference UID")) == 1


def test_our_own_codes_say_whose_they_are(acquisition: Acquisition) -> None:
    (scheme,) = render(acquisition, QUALITY).CodingSchemeIdentificationSequence
    assert (scheme.CodingSchemeDesignator, scheme.CodingSchemeUID.is_valid) == ("99SCANSIDE", True)


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
