# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What a report says of each check and finding: where, in which codes, on which images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.domain.acquisition import Acquisition, Kind, SliceRef
from appliance.domain.finding import Decision
from appliance.domain.quality import Mark, MarkShape, QualityCheck, Verdict
from appliance.domain.result import LaneResult
from tests.report_parts import BOX, QUALITY, TRIAGE, container, finding, items, numbers, render, texts

MakeFile = Callable[..., Path]
MakeAcquisition = Callable[..., Acquisition]


@pytest.fixture
def acquisition(ct_file: MakeFile, acquisition_of: MakeAcquisition) -> Acquisition:
    return acquisition_of(ct_file(0), kind=Kind.PROJECTION)


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


@pytest.mark.parametrize(
    ("sop_class", "frames"),
    [("1.2.840.10008.5.1.4.1.1.2", [None]), ("1.2.840.10008.5.1.4.1.1.2.1", [1, 2])],
)
def test_frames_are_named_only_where_the_class_has_any(
    series: Acquisition, sop_class: str, frames: list[int | None]
) -> None:
    """An enhanced CT has frames; a plain one that says it has two is still one image to a reference."""
    assert series.first.pixels is not None
    pixels = replace(series.first.pixels, number_of_frames=2)
    instance = replace(series.first, sop_class_uid=sop_class, pixels=pixels)
    slices = tuple(SliceRef(instance=0, frame=frame, position_mm=None) for frame in range(2))
    both = replace(series, instances=(instance,), slices=slices)
    marks = (Mark(label="jump", shape=MarkShape.SLICES, points_px=((0.0, 1.0),)),)
    report = render(both, quality_of(replace(QUALITY.quality[0], marks=marks)))
    named = [
        item.ReferencedSOPSequence[0].get("ReferencedFrameNumber")
        for item in items(container(report, "Imaging Measurements"))
        if item.ValueType == "IMAGE"
    ]
    assert named == frames


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
