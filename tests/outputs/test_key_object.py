# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Key images: only of findings that are present, and only the slices that show them."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pydicom
import pytest

from appliance.domain.acquisition import Acquisition
from appliance.domain.finding import Decision
from appliance.domain.quality import Mark
from appliance.outputs.key_object import OUTPUT
from tests.report_parts import BOX, QUALITY, TRIAGE, finding, items

MakeFile = Callable[..., Path]
MakeAcquisition = Callable[..., Acquisition]


@pytest.fixture
def series(ct_file: MakeFile, acquisition_of: MakeAcquisition) -> Acquisition:
    return acquisition_of(*(ct_file(number) for number in range(3)))


def test_nothing_present_is_no_key_image(series: Acquisition) -> None:
    unsure = tuple(one for one in TRIAGE.findings if one.decision is not Decision.PRESENT)
    assert OUTPUT.render(series, replace(TRIAGE, findings=unsure)) == ()
    assert OUTPUT.render(series, QUALITY) == ()


@pytest.mark.parametrize(
    ("mark", "draws", "named"),
    [
        (replace(BOX, slice_index=1), True, [1]),
        (replace(BOX, slice_index=1), False, [0, 1, 2]),
        (None, True, [0, 1, 2]),
    ],
)
def test_the_images_of_what_is_present_are_named(
    series: Acquisition, mark: Mark | None, draws: bool, named: list[int]
) -> None:
    found = replace(
        finding("Pneumothorax", Decision.PRESENT, *([mark] if mark else [])), draws_location=draws
    )
    (rendered,) = OUTPUT.render(series, replace(TRIAGE, findings=(found, *TRIAGE.findings[1:])))
    selection = pydicom.dcmread(io.BytesIO(rendered.content))
    assert selection.ConceptNameCodeSequence[0].CodeMeaning == "Of Interest"
    images = [item for item in items(selection) if item.ValueType == "IMAGE"]
    assert [item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID for item in images] == [
        series.instances[number].sop_instance_uid for number in named
    ]
    texts = [item.TextValue for item in items(selection) if item.ValueType == "TEXT"]
    assert "AI: Pneumothorax? suspected, 81 %; not for diagnosis" in texts
