# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The layer over the original: what is drawn, where, and what never is."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from appliance.domain.acquisition import Acquisition, Kind
from appliance.domain.finding import Decision
from appliance.domain.quality import Mark, MarkShape
from appliance.domain.result import LaneResult
from appliance.outputs.presentation_state import OUTPUT
from tests.report_parts import BOX, QUALITY, TRIAGE, finding

MakeFile = Callable[..., Path]
MakeAcquisition = Callable[..., Acquisition]


def layer(acquisition: Acquisition, result: LaneResult) -> Dataset:
    (rendered,) = OUTPUT.render(acquisition, result)
    assert OUTPUT.render(acquisition, result) == (rendered,)
    return pydicom.dcmread(io.BytesIO(rendered.content))


@pytest.fixture
def acquisition(ct_file: MakeFile, acquisition_of: MakeAcquisition) -> Acquisition:
    return acquisition_of(ct_file(0), kind=Kind.PROJECTION)


def test_a_box_is_drawn_with_its_question_beside_it(acquisition: Acquisition) -> None:
    state = layer(acquisition, TRIAGE)
    (annotation,) = state.GraphicAnnotationSequence
    (graphic,) = annotation.GraphicObjectSequence
    corners = [20.5, 10.5, 50.5, 10.5, 50.5, 30.5, 20.5, 30.5, 20.5, 10.5]
    assert (graphic.GraphicType, list(graphic.GraphicData)) == ("POLYLINE", corners)
    (text,) = annotation.TextObjectSequence
    assert text.UnformattedTextValue == "AI: Pleural effusion? suspected, 81 %"
    image = state.ReferencedSeriesSequence[0].ReferencedImageSequence[0]
    assert image.ReferencedSOPInstanceUID == acquisition.first.sop_instance_uid
    (window,) = state.SoftcopyVOILUTSequence
    assert (window.WindowCenter, window.WindowWidth, state.RescaleIntercept) == (40, 400, -1024)


@pytest.mark.parametrize(
    ("decision", "draws", "drawn"),
    [
        (Decision.PRESENT, True, True),
        (Decision.PRESENT, None, True),
        (Decision.INDETERMINATE, True, True),
        (Decision.PRESENT, False, False),
        (Decision.ABSENT, True, False),
    ],
)
def test_only_what_was_flagged_and_may_have_a_place_is_drawn(
    acquisition: Acquisition, decision: Decision, draws: bool | None, drawn: bool
) -> None:
    found = replace(finding("Pneumothorax", decision, BOX), draws_location=draws)
    assert bool(OUTPUT.render(acquisition, replace(TRIAGE, findings=(found,)))) is drawn


def test_only_the_slices_with_marks_are_named(ct_file: MakeFile, acquisition_of: MakeAcquisition) -> None:
    series = acquisition_of(*(ct_file(number) for number in range(3)))
    line = Mark(label="streak", shape=MarkShape.LINE, points_px=((1.0, 2.0), (3.0, 4.0)), slice_index=2)
    whole = Mark(label="jump", shape=MarkShape.SLICES, points_px=((0.0, 1.0),))
    check = replace(QUALITY.quality[0], marks=(whole, line))
    state = layer(series, replace(QUALITY, quality=(check,)))
    named = state.ReferencedSeriesSequence[0].ReferencedImageSequence
    assert [item.ReferencedSOPInstanceUID for item in named] == [series.instances[2].sop_instance_uid]
    (annotation,) = state.GraphicAnnotationSequence
    assert list(annotation.GraphicObjectSequence[0].GraphicData) == [2.5, 1.5, 4.5, 3.5]
    only_ranges = replace(QUALITY, quality=(replace(check, marks=(whole,)),))
    assert OUTPUT.render(series, only_ranges) == ()


@pytest.mark.parametrize(
    ("changes", "shape"), [({}, "IDENTITY"), ({"PhotometricInterpretation": "MONOCHROME1"}, "INVERSE")]
)
def test_an_inverted_original_stays_inverted(
    ct_file: MakeFile, acquisition_of: MakeAcquisition, changes: dict[str, str], shape: str
) -> None:
    acquisition = acquisition_of(ct_file(0, **changes), kind=Kind.PROJECTION)
    assert layer(acquisition, TRIAGE).PresentationLUTShape == shape


def test_pixels_that_are_no_squares_stay_so(ct_file: MakeFile, acquisition_of: MakeAcquisition) -> None:
    acquisition = acquisition_of(ct_file(0, PixelSpacing=[0.7, 0.35]), kind=Kind.PROJECTION)
    (area,) = layer(acquisition, TRIAGE).DisplayedAreaSelectionSequence
    assert list(area.PresentationPixelSpacing) == [0.7, 0.35]
    assert "PresentationPixelAspectRatio" not in area
