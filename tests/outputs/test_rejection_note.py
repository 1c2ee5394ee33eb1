# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The rejection note: which images, why, and when; valid, and the same when made again."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pydicom
import pytest

from appliance.domain.acquisition import Acquisition
from appliance.domain.quality import QualityCheck, Verdict
from appliance.domain.rejection import Rejection
from appliance.outputs.rejection_note import reason_code, render_rejection
from tests.report_parts import items

MakeFile = Callable[..., Path]
MakeAcquisition = Callable[..., Acquisition]
Errors = Callable[[Path], list[str]]

ADVISED = QualityCheck(
    criterion="motion", verdict=Verdict.REPEAT, value=None, unit=None, limit=None, advice="It moved."
)
REJECTION = Rejection(
    decision_id=7,
    reason="Positioning",
    decided_at_utc=datetime(2026, 1, 2, 23, 30, 5, tzinfo=timezone.utc),
    checks=(),
)


@pytest.fixture
def series(ct_file: MakeFile, acquisition_of: MakeAcquisition) -> Acquisition:
    return acquisition_of(*(ct_file(number, TimezoneOffsetFromUTC="+0130") for number in range(3)))


def test_the_note_rejects_every_image_with_its_reason(
    series: Acquisition, tmp_path: Path, dicom_errors: Errors
) -> None:
    rendered = render_rejection(series, REJECTION)
    assert render_rejection(series, REJECTION) == rendered
    assert rendered.file_name == "rejection-7.dcm"
    note = pydicom.dcmread(io.BytesIO(rendered.content))
    assert note.SOPClassUID.name == "Key Object Selection Document Storage"
    title = note.ConceptNameCodeSequence[0]
    assert (title.CodeValue, title.CodingSchemeDesignator) == ("113001", "DCM")
    modifier = note.ContentSequence[0]
    assert modifier.RelationshipType == "HAS CONCEPT MOD"
    assert modifier.ConceptNameCodeSequence[0].CodeValue == "113011"
    assert modifier.ConceptCodeSequence[0].CodeValue == "111209"
    uids = [instance.sop_instance_uid for instance in series.instances]
    named = [
        item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID
        for item in items(note)
        if item.ValueType == "IMAGE"
    ]
    assert named == uids
    evidence = note.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
    assert [item.ReferencedSOPInstanceUID for item in evidence.ReferencedSOPSequence] == uids
    (words,) = [
        item.TextValue for item in items(note) if item.ValueType == "TEXT" and "person" in item.TextValue
    ]
    assert words == "Rejected by a person at the scanner: Positioning"
    assert (note.ContentDate, note.ContentTime) == ("20260103", "010005"), "in the original's time zone"
    path = tmp_path / rendered.file_name
    path.write_bytes(rendered.content)
    assert dicom_errors(path) == []


def test_two_decisions_are_two_notes_in_one_series(series: Acquisition) -> None:
    notes = [
        pydicom.dcmread(io.BytesIO(render_rejection(series, replace(REJECTION, decision_id=number)).content))
        for number in (7, 8)
    ]
    assert len({note.SOPInstanceUID for note in notes}) == 2
    assert len({note.SeriesInstanceUID for note in notes}) == 1


@pytest.mark.parametrize(
    ("reason", "deviation", "checks", "code"),
    [
        ("Patient moved", None, (), "111210"),
        ("Anatomy cut off", None, (), "111209"),
        ("Artefact or object", None, (), "111207"),
        ("Other reason", None, (), "111220"),
        ("Exposure", -4.0, (), "111211"),
        ("Exposure", 4.0, (), "111212"),
        ("Exposure", None, (), None),
        ("It moved.", None, (ADVISED,), "111210"),
        ("It moved.", None, (replace(ADVISED, verdict=Verdict.OK),), None),
        (None, None, (), None),
    ],
)
def test_reasons_have_the_codes_of_the_standard(
    series: Acquisition,
    reason: str | None,
    deviation: float | None,
    checks: tuple[QualityCheck, ...],
    code: str | None,
) -> None:
    exposure = replace(series.first.exposure, deviation_index=deviation)
    exposed = replace(series, instances=(replace(series.first, exposure=exposure),), slices=series.slices[:1])
    found = reason_code(exposed, replace(REJECTION, reason=reason, checks=checks))
    assert (found.value if found else None) == code
    render_rejection(exposed, replace(REJECTION, reason=reason, checks=checks))
