# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""All objects of one study together, judged by programs that are not ours, and kept by a real archive."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest

from appliance.clock import SystemClock
from appliance.config import ReadingSettings
from appliance.conformance.statement import MADE_HERE
from appliance.domain.card import ModelCard
from appliance.intake.jail import Jail
from appliance.outputs.dicom_send import DicomPeer
from tests.orthanc import RunningOrthanc
from tests.study_of_objects import Pixels, Study, radiograph_study, series_study

Errors = Callable[[Path], list[str]]


ARCHIVES_OWN = {"FileMetaInformationGroupLength", "ImplementationClassUID", "ImplementationVersionName"}
"""Who wrote the file: the network carries only what follows, and an archive writes its own (PS3.10 7.1)."""
PREAMBLE_BYTES = 132
LENGTH_BYTES = 12
"""The element (0002,0000), which says how long the rest of its group is."""
DOCUMENTS = ("report", "not-analysed-report", "key-object", "rejection")
OWN_WORDS = "Different information entities for attribute - Element=<AccessionNumber>"
"""dcentvfy's tables put this attribute elsewhere in documents than in images; a test compares the values."""
SHARED = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "PatientAge",
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
    "StudyDescription",
)
OWN_LIMITS = frozenset(
    {
        "W: The VR checker does not support this Specific Character Set: ISO_IR 192",
        "W: Check for template constraints not yet supported",
    }
)
"""What dsrdump says about itself, not about the object."""


@pytest.fixture(scope="module")
def jail() -> Iterator[Jail]:
    with Jail(ReadingSettings(), SystemClock()) as opened:
        yield opened


@pytest.fixture(scope="module")
def radiograph(tmp_path_factory: pytest.TempPathFactory, jail: Jail) -> Study:
    return radiograph_study(tmp_path_factory.mktemp("radiograph"), jail)


@pytest.fixture(scope="module")
def series(
    tmp_path_factory: pytest.TempPathFactory, jail: Jail, denoise_card: ModelCard, pixels_of: Pixels
) -> Study:
    return series_study(tmp_path_factory.mktemp("series"), jail, denoise_card, pixels_of)


@pytest.fixture(scope="module", params=["radiograph", "series"])
def study(request: pytest.FixtureRequest) -> Study:
    found: Study = request.getfixturevalue(request.param)
    return found


def test_each_kind_of_object_is_made(radiograph: Study, series: Study) -> None:
    assert sorted(path.name for path in radiograph.objects) == [
        "areas-quality.dcm",
        "key-object-triage.dcm",
        "marks-quality.dcm",
        "marks-triage.dcm",
        "not-analysed-report-triage.dcm",
        "not-analysed-summary-triage.dcm",
        "rejection-1.dcm",
        "report-quality.dcm",
        "report-triage.dcm",
        "summary-quality.dcm",
        "summary-triage.dcm",
    ]
    assert sorted(path.name for path in series.objects if path.parent.name == "made") == [
        "areas-denoise.dcm",
        "report-quality.dcm",
        "summary-quality.dcm",
    ]


def test_the_same_work_is_the_same_bytes(
    radiograph: Study,
    series: Study,
    tmp_path: Path,
    jail: Jail,
    denoise_card: ModelCard,
    pixels_of: Pixels,
) -> None:
    again = radiograph_study(tmp_path / "radiograph", jail)
    more = series_study(tmp_path / "series", jail, denoise_card, pixels_of)
    for first, second in ((radiograph, again), (series, more)):
        made = {path.name: path.read_bytes() for path in first.objects}
        assert {path.name for path in second.objects if made[path.name] != path.read_bytes()} == set()


def test_the_page_for_archives_names_every_object(study: Study) -> None:
    page = (Path(__file__).parents[2] / "docs" / "dicom-objects.md").read_text(encoding="utf-8")
    for path in study.objects:
        header = pydicom.dcmread(path, stop_before_pixels=True)
        if header.Modality == "CT":
            continue  # described by what it takes over from its original
        assert f'"{header.SeriesDescription}", {header.SeriesNumber} ' in page, path.name
        assert str(header.SOPClassUID) in page, path.name
        name = path.name.replace("rejection-1", "rejection-<n>").removeprefix("not-analysed-")
        assert f"`{name}`" in page


def test_dciodvfy_finds_no_error(study: Study, dicom_errors: Errors) -> None:
    assert {path.name: found for path in study.objects if (found := dicom_errors(path))} == {}


# Trace: REQ-017
def test_nothing_can_hide_in_a_preamble(study: Study) -> None:
    """PS3.10 section 7.5: ours are zeros, whatever stood in the original's."""
    for path in study.objects:
        assert path.read_bytes()[:PREAMBLE_BYTES] == bytes(128) + b"DICM", path.name


def test_dcentvfy_finds_the_study_consistent(study: Study) -> None:
    """One patient, one study, each series one equipment: over the originals and what we made of them."""
    program = shutil.which("dcentvfy")
    if program is None:
        pytest.skip("dcentvfy is not installed (Debian package dicom3tools)")
    told = subprocess.run(
        [program, *map(str, study.files)], capture_output=True, text=True, errors="replace", check=False
    )
    lines = [line for line in (told.stdout + told.stderr).splitlines() if OWN_WORDS not in line]
    assert lines == []


def test_every_object_says_the_same_of_patient_and_study(study: Study) -> None:
    said = {
        tuple(str(pydicom.dcmread(path, stop_before_pixels=True).get(keyword)) for keyword in SHARED)
        for path in study.files
    }
    assert len(said) == 1


def test_dsrdump_reads_every_document(study: Study) -> None:
    program = shutil.which("dsrdump")
    if program is None:
        pytest.skip("dsrdump is not installed (Debian package dcmtk)")
    documents = [path for path in study.objects if path.name.startswith(DOCUMENTS)]
    assert documents
    for path in documents:
        told = subprocess.run([program, str(path)], capture_output=True, text=True, check=False)
        lines = [line for line in told.stderr.splitlines() if line not in OWN_LIMITS]
        assert (told.returncode, lines) == (0, []), path.name
        assert "Scanside" in told.stdout


def test_dcmtk_shows_the_original_through_every_presentation_state(radiograph: Study, tmp_path: Path) -> None:
    program = shutil.which("dcmp2pgm")
    if program is None:
        pytest.skip("dcmp2pgm is not installed (Debian package dcmtk)")
    states = [path for path in radiograph.objects if path.name.startswith("marks")]
    assert states
    for state in states:
        picture = tmp_path / f"{state.stem}.pgm"
        command = [program, "-p", str(state), str(radiograph.originals[0]), str(picture)]
        told = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (told.returncode, told.stderr) == (0, "")
        shown = cv2.imread(str(picture), cv2.IMREAD_GRAYSCALE)
        assert shown is not None
        assert shown.shape == (360, 300)
        assert shown.std() > 10, "the window of the original, not a black picture"


def test_an_archive_keeps_indexes_and_returns_every_byte(study: Study, tmp_path: Path) -> None:
    with RunningOrthanc(tmp_path / "orthanc") as orthanc:
        peer = DicomPeer(
            name="archive",
            host="127.0.0.1",
            port=orthanc.dicom_port,
            ae_title=orthanc.ae_title,
            own_ae_title="SCANSIDE",
        )
        for path in study.files:
            peer.deliver(path)
        held = {orthanc.tags(one)["SOPInstanceUID"]: orthanc.file(one) for one in orthanc.instances()}
    sent = {str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID): path for path in study.files}
    assert held.keys() == sent.keys()
    for uid, path in sent.items():
        (meta, kept), (meta_sent, given) = apart(held[uid]), apart(path.read_bytes())
        assert kept == given, path.name
        differs = {key for key in meta.keys() | meta_sent.keys() if meta.get(key) != meta_sent.get(key)}
        assert differs <= ARCHIVES_OWN, path.name


def apart(content: bytes) -> tuple[dict[str, str], bytes]:
    """Group 0002 by keyword, and the bytes of everything else."""
    meta = pydicom.dcmread(io.BytesIO(content), stop_before_pixels=True).file_meta
    begin = PREAMBLE_BYTES + LENGTH_BYTES + int(meta.FileMetaInformationGroupLength)
    return {element.keyword: str(element.value) for element in meta}, content[begin:]


def test_the_areas_are_those_of_the_marks(series: Study, radiograph: Study) -> None:
    areas = pydicom.dcmread(next(path for path in series.objects if path.name == "areas-denoise.dcm"))
    derived = [path for path in series.objects if path.parent.name == "derived"]
    uids = [str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID) for path in derived]
    referenced = areas.ReferencedSeriesSequence[0].ReferencedInstanceSequence
    assert {item.ReferencedSOPInstanceUID for item in referenced} == {uids[1], uids[3]}
    expected = np.zeros((512, 512), bool)
    expected[10:30, 20:40] = True
    assert areas.pixel_array.shape == (2, 512, 512)
    for plane in areas.pixel_array:
        np.testing.assert_array_equal(plane.astype(bool), expected)
    (segment,) = areas.SegmentSequence
    assert (segment.SegmentLabel, segment.SegmentAlgorithmType) == ("original kept", "AUTOMATIC")
    field = pydicom.dcmread(next(path for path in radiograph.objects if path.name == "areas-quality.dcm"))
    assert int(field.pixel_array.sum()) == 331 * 271


def test_the_conformance_statement_lists_their_classes_and_no_other(radiograph: Study, series: Study) -> None:
    made = {pydicom.dcmread(path).SOPClassUID for path in (*radiograph.objects, *series.objects)}
    assert made == {uid for uid, _ in MADE_HERE}
