# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""All objects of one study together, judged by programs that are not ours, and kept by a real archive."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest

from appliance.clock import SystemClock
from appliance.config import ReadingSettings
from appliance.domain.acquisition import Acquisition, Urgency
from appliance.domain.card import ModelCard
from appliance.domain.finding import Code, Decision, Finding, Refusal
from appliance.domain.image import PixelImage
from appliance.domain.job import Lane
from appliance.domain.quality import Mark, MarkShape, QualityCheck, Verdict
from appliance.domain.result import EngineUse, LaneResult
from appliance.intake.assembly import all_given, arrive
from appliance.intake.jail import Jail
from appliance.outputs.derived_series import DerivedSeriesWriter
from appliance.outputs.dicom_send import DicomPeer
from appliance.outputs.rendering import render_everything
from appliance.selftest.phantom_ct import CtPlan, write_ct
from appliance.selftest.phantom_radiograph import Identity, write_chest
from tests.orthanc import RunningOrthanc

Errors = Callable[[Path], list[str]]
Pixels = Callable[[Path], PixelImage]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """An original acquisition and everything that was made of it, as files."""

    originals: tuple[Path, ...]
    objects: tuple[Path, ...]

    @property
    def files(self) -> tuple[Path, ...]:
        return (*self.originals, *self.objects)


@pytest.fixture(scope="module")
def jail() -> Iterator[Jail]:
    with Jail(ReadingSettings(), SystemClock()) as opened:
        yield opened


def acquire(files: tuple[Path, ...], jail: Jail) -> Acquisition:
    acquisition: Acquisition | None = None
    for file in files:
        instance = jail.describe(file).instance
        assert instance is not None
        instance = replace(instance, path=file, sha256=hashlib.sha256(file.read_bytes()).hexdigest())
        siblings = () if acquisition is None else (acquisition,)
        acquisition = arrive(instance, urgency=Urgency.LIVE, siblings=siblings)[0].acquisition
    assert acquisition is not None
    return all_given(acquisition, siblings=(acquisition,))


def result(acquisition: Acquisition, lane: Lane, task: str) -> LaneResult:
    use = EngineUse(task=task, model=f"{task}@1.2", engine="ort f32 CPU", fallback_reason=None)
    return LaneResult(
        acquisition_id=acquisition.acquisition_id, version=acquisition.version, lane=lane, engines=(use,)
    )


def check(criterion: str, *marks: Mark, value: float = 12.0, unit: str = "mm") -> QualityCheck:
    return QualityCheck(
        criterion=criterion,
        verdict=Verdict.CHECK,
        value=value,
        unit=unit,
        limit=1.0,
        advice="Look at it.",
        marks=marks,
    )


def write_all(folder: Path, acquisition: Acquisition, *results: LaneResult) -> tuple[Path, ...]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for one in results:
        for rendered in render_everything(acquisition, one):
            paths.append(folder / rendered.file_name)
            paths[-1].write_bytes(rendered.content)
    return tuple(paths)


def radiograph_results(acquisition: Acquisition) -> tuple[LaneResult, ...]:
    box = Mark(label="Pleural effusion", shape=MarkShape.BOX, points_px=((100.0, 40.0), (200.0, 120.0)))
    second = Mark(label="Pleural effusion", shape=MarkShape.BOX, points_px=((20.0, 40.0), (60.0, 120.0)))
    found = Finding(
        task="chest_triage",
        code=Code(value="60046008", scheme="SCT", meaning="Pleural effusion"),
        probability=0.83,
        sensitive_threshold=0.2,
        specific_threshold=0.7,
        decision=Decision.PRESENT,
        marks=(box, second),
        draws_location=True,
    )
    field = Mark(
        label="exposed field",
        shape=MarkShape.POLYGON,
        points_px=((10.0, 10.0), (10.0, 280.0), (340.0, 280.0), (340.0, 10.0)),
    )
    edge = Mark(label="cut off", shape=MarkShape.LINE, points_px=((350.0, 20.0), (350.0, 130.0)))
    return (
        replace(
            result(acquisition, Lane.QUALITY, "view_check"),
            quality=(
                check("field_of_view", edge),
                check("collimation", field, value=40.0, unit="%"),
                check("exposure", value=-3.5, unit="1"),
            ),
        ),
        replace(
            result(acquisition, Lane.TRIAGE, "chest_triage"),
            findings=(found,),
            refusals=(Refusal(task="fracture_triage", reason="The body part is CHEST."),),
        ),
    )


@pytest.fixture(scope="module")
def radiograph(tmp_path_factory: pytest.TempPathFactory, jail: Jail) -> Study:
    folder = tmp_path_factory.mktemp("radiograph")
    original = folder / "chest.dcm"
    write_chest(original, identity=Identity(patient_name="PHANTOM^MÖBIUS"), rows=360, columns=300)
    acquisition = acquire((original,), jail)
    objects = write_all(folder / "made", acquisition, *radiograph_results(acquisition))
    return Study(originals=(original,), objects=objects)


def series_results(
    acquisition: Acquisition, card: ModelCard, pixels_of: Pixels, data: Path
) -> tuple[LaneResult, ...]:
    """Quality, and a denoised series in which a square was kept on two slices."""
    made = []
    with DerivedSeriesWriter(data / "derived", acquisition=acquisition, card=card, data=data) as writer:
        for index, place in enumerate(acquisition.slices):
            image = pixels_of(acquisition.instances[place.instance].path)
            smooth = np.asarray(cv2.GaussianBlur(np.asarray(image.grey()), (0, 0), 1), np.float32)
            derived, _ = writer.add(index, image, smooth)
            made.append(derived)
    kept = ((10.0, 20.0), (10.0, 39.0), (29.0, 39.0), (29.0, 20.0))
    marked = [
        replace(
            derived,
            marks=(Mark(label="original kept", shape=MarkShape.POLYGON, points_px=kept, slice_index=index),)
            if index in {1, 3}
            else (),
        )
        for index, derived in enumerate(made)
    ]
    motion = Mark(label="jump", shape=MarkShape.SLICES, points_px=((1.0, 2.0),))
    denoised = result(acquisition, Lane.DENOISE, card.task)
    use = replace(denoised.engines[0], model=card.identity)
    return (
        replace(result(acquisition, Lane.QUALITY, "view_check"), quality=(check("motion", motion),)),
        replace(denoised, derived=tuple(marked), engines=(use,)),
    )


@pytest.fixture(scope="module")
def series(
    tmp_path_factory: pytest.TempPathFactory, jail: Jail, denoise_card: ModelCard, pixels_of: Pixels
) -> Study:
    folder = tmp_path_factory.mktemp("series")
    originals = write_ct(folder / "originals", CtPlan(slices=5)).paths
    acquisition = acquire(originals, jail)
    results = series_results(acquisition, denoise_card, pixels_of, folder)
    objects = write_all(folder / "made", acquisition, *results)
    derived = tuple(folder / file.path for file in results[1].derived)
    return Study(originals=originals, objects=(*derived, *objects))


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


def test_dciodvfy_finds_no_error(study: Study, dicom_errors: Errors) -> None:
    assert {path.name: found for path in study.objects if (found := dicom_errors(path))} == {}


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
    documents = [path for path in study.objects if path.name.startswith(("report", "key-object"))]
    assert documents
    for path in documents:
        told = subprocess.run([program, str(path)], capture_output=True, text=True, check=False)
        lines = [line for line in told.stderr.splitlines() if line not in OWN_LIMITS]
        assert (told.returncode, lines) == (0, []), path.name
        assert "Scanside" in told.stdout


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
        assert data_set(held[uid]) == data_set(path.read_bytes()), path.name


def data_set(content: bytes) -> bytes:
    """What follows group 0002: the file's own header is the archive's business (PS3.10 section 7.1)."""
    opened = io.BytesIO(content)
    pydicom.filereader.read_preamble(opened, force=False)
    pydicom.filereader._read_file_meta_info(opened)
    return opened.read()


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
