# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The denoised series: valid, traceable to its original, the same when made again, and only read from it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.uid import UID

from appliance.domain.acquisition import Acquisition
from appliance.domain.card import ModelCard
from appliance.domain.image import PixelImage
from appliance.domain.result import DerivedFile
from appliance.errors import InputError
from appliance.outputs.derived_series import DerivedSeriesWriter

MakeFile = Callable[..., Path]
MakeAcquisition = Callable[..., Acquisition]
Pixels = Callable[[Path], PixelImage]
Errors = Callable[[Path], list[str]]


REPEATED = (
    "SOPClassUID",
    "StudyInstanceUID",
    "FrameOfReferenceUID",
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "AccessionNumber",
    "Modality",
    "InstanceNumber",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "SliceThickness",
    "PatientPosition",
    "KVP",
    "ConvolutionKernel",
    "AcquisitionTime",
    "WindowCenter",
    "BitsStored",
    "PixelRepresentation",
    "RescaleSlope",
    "RescaleIntercept",
    "RescaleType",
)


@pytest.fixture
def card(denoise_card: ModelCard) -> ModelCard:
    return replace(denoise_card, name="halving denoiser", version="1.2")


def smooth(image: PixelImage) -> NDArray[np.float32]:
    blurred: NDArray[np.float32] = cv2.GaussianBlur(np.asarray(image.grey()), (0, 0), 1)
    return blurred


def make(
    out: Path, acquisition: Acquisition, card: ModelCard, pixels_of: Pixels
) -> list[tuple[Path, DerivedFile]]:
    folder, made = out / "results" / "a1-v1", []
    with DerivedSeriesWriter(folder, acquisition=acquisition, card=card, data=out) as writer:
        for index, place in enumerate(acquisition.slices):
            image = pixels_of(acquisition.instances[place.instance].path)
            derived, stored = writer.add(index, image, smooth(image))
            assert stored.dtype == image.stored.dtype
            made.append((out / derived.path, derived))
    return made


# Trace: REQ-027
def test_a_derived_slice_says_what_it_is_and_where_it_comes_from(
    ct_file: MakeFile, acquisition_of: MakeAcquisition, pixels_of: Pixels, card: ModelCard, tmp_path: Path
) -> None:
    acquisition = acquisition_of(ct_file(0), ct_file(1), ct_file(2))
    before = [path.path.read_bytes() for path in acquisition.instances]
    made = make(tmp_path, acquisition, card, pixels_of)
    assert [path.path.read_bytes() for path in acquisition.instances] == before
    series = set()
    for number, ((path, derived), instance) in enumerate(zip(made, acquisition.instances, strict=True)):
        assert derived.path == f"results/a1-v1/ct_denoise-{number + 1:05d}.dcm"
        assert derived.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert derived.role == "derived_image"
        assert path.read_bytes()[:128] == bytes(128)
        new, old = pydicom.dcmread(path), pydicom.dcmread(instance.path)
        series.add(new.SeriesInstanceUID)
        assert new.SOPInstanceUID != old.SOPInstanceUID
        assert new.SeriesInstanceUID != old.SeriesInstanceUID
        assert UID(new.SOPInstanceUID).is_valid
        for keyword in REPEATED:
            assert new[keyword].value == old[keyword].value, keyword
        assert list(new.ImageType) == ["DERIVED", "SECONDARY", "AXIAL", "DENOISED"]
        assert new.SeriesDescription == "Chest low dose 1.0 B30f AI denoised"
        assert new.SeriesNumber == 1003
        assert "halving denoiser, ct_denoise@1.2" in new.DerivationDescription
        assert new.DerivationCodeSequence[0].CodeMeaning == "Smoothing"
        source = new.SourceImageSequence[0]
        assert source.ReferencedSOPInstanceUID == old.SOPInstanceUID
        assert source.PurposeOfReferenceCodeSequence[0].CodeValue == "121322"
        assert new.Manufacturer == "Scanside"
        assert new.ContributingEquipmentSequence[0].Manufacturer == "Phantom Works"
        expected = np.rint(smooth(pixels_of(instance.path)) + 1024)
        np.testing.assert_allclose(new.pixel_array, expected, atol=1)
    assert len(series) == 1
    assert len(list((tmp_path / "results" / "a1-v1").iterdir())) == 3, "no unfinished file is left"


def test_made_again_it_is_the_same_to_the_byte(
    ct_file: MakeFile, acquisition_of: MakeAcquisition, pixels_of: Pixels, card: ModelCard, tmp_path: Path
) -> None:
    acquisition = acquisition_of(ct_file(0), ct_file(1))
    first = [path.read_bytes() for path, _ in make(tmp_path / "x", acquisition, card, pixels_of)]
    second = [path.read_bytes() for path, _ in make(tmp_path / "y", acquisition, card, pixels_of)]
    assert first == second
    newer = replace(card, version="1.3")
    third = [path.read_bytes() for path, _ in make(tmp_path / "z", acquisition, newer, pixels_of)]
    uids = [
        {
            pydicom.dcmread(path, stop_before_pixels=True)[keyword].value
            for path in tmp_path.glob("?/results/*/*")
        }
        for keyword in ("SOPInstanceUID", "SeriesInstanceUID")
    ]
    assert third != first
    assert [len(kind) for kind in uids] == [4, 2], "another model makes another series"


def test_other_pixels_never_share_a_uid(
    ct_file: MakeFile, acquisition_of: MakeAcquisition, pixels_of: Pixels, card: ModelCard, tmp_path: Path
) -> None:
    acquisition = acquisition_of(ct_file(0))
    image = pixels_of(acquisition.first.path)
    uids = set()
    for blur in (1.0, 2.0):
        writer = DerivedSeriesWriter(tmp_path / "out", acquisition=acquisition, card=card, data=tmp_path)
        derived, _ = writer.add(0, image, cv2.GaussianBlur(np.asarray(image.grey()), (0, 0), blur))
        uids.add(pydicom.dcmread(tmp_path / derived.path).SOPInstanceUID)
    assert len(uids) == 2


# Trace: REQ-052
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"PatientName": "", "PatientID": "", "PatientBirthDate": "", "PatientSex": ""},
        {"WindowCenter": [40, -600], "WindowWidth": [400, 1500]},
        {"PixelPaddingValue": 0},
        {"SeriesNumber": None, "SeriesDescription": "x" * 64, "BurnedInAnnotation": "NO"},
        {"LossyImageCompression": "00", "BodyPartExamined": "CHEST", "PatientAge": "034Y"},
    ],
)
def test_dciodvfy_finds_no_error(
    ct_file: MakeFile,
    acquisition_of: MakeAcquisition,
    pixels_of: Pixels,
    card: ModelCard,
    tmp_path: Path,
    dicom_errors: Errors,
    changes: dict[str, Any],
) -> None:
    acquisition = acquisition_of(ct_file(0, **changes))
    ((path, _),) = make(tmp_path, acquisition, card, pixels_of)
    assert dicom_errors(path) == []


def test_values_that_the_standard_forbids_are_left_behind(
    ct_file: MakeFile,
    acquisition_of: MakeAcquisition,
    pixels_of: Pixels,
    card: ModelCard,
    tmp_path: Path,
    dicom_errors: Errors,
) -> None:
    original = ct_file(0, BodyPartExamined="CHEST", PatientAge="034Y", StudyDate="20260303")
    acquisition, image = acquisition_of(original), pixels_of(original)
    content = original.read_bytes()
    for good, bad in (
        (b"20260303", b"2. March"),
        (b"CS\x02\0O ", b"CS\x02\0m "),
        (b"034Y", b"34 Y"),
        (b"CHEST ", b"chest "),
    ):
        assert content.count(good) == 1
        content = content.replace(good, bad)
    original.write_bytes(content)
    writer = DerivedSeriesWriter(tmp_path / "out", acquisition=acquisition, card=card, data=tmp_path)
    path = tmp_path / writer.add(0, image, smooth(image))[0].path
    new = pydicom.dcmread(path)
    assert new.StudyDate == new.PatientSex == ""
    assert "PatientAge" not in new
    assert "BodyPartExamined" not in new
    assert dicom_errors(path) == []


def test_a_slice_whose_place_is_unknown_makes_no_object(
    ct_file: MakeFile, acquisition_of: MakeAcquisition, pixels_of: Pixels, card: ModelCard, tmp_path: Path
) -> None:
    original = ct_file(0)
    dataset = pydicom.dcmread(original)
    del dataset.ImagePositionPatient
    dataset.save_as(original)
    with pytest.raises(InputError, match="where its slice lies"):
        make(tmp_path, acquisition_of(original), card, pixels_of)


def test_an_original_that_is_gone_is_said(
    ct_file: MakeFile, acquisition_of: MakeAcquisition, pixels_of: Pixels, card: ModelCard, tmp_path: Path
) -> None:
    acquisition = acquisition_of(ct_file(0))
    image = pixels_of(acquisition.first.path)
    acquisition.first.path.unlink()
    writer = DerivedSeriesWriter(tmp_path / "out", acquisition=acquisition, card=card, data=tmp_path)
    with pytest.raises(InputError, match="cannot be read again"):
        writer.add(0, image, smooth(image))


@pytest.mark.filterwarnings("ignore:Invalid value for VR:UserWarning")  # of the originals, read by this test
def test_real_series_are_repeated_without_error(
    real_data: Path,
    acquisition_of: MakeAcquisition,
    pixels_of: Pixels,
    card: ModelCard,
    tmp_path: Path,
    dicom_errors: Errors,
) -> None:
    folders = sorted((real_data / "ct" / "ct-normal-dose").iterdir())
    files = [next(iter(sorted(folder.glob("*.dcm"))), None) for folder in folders if folder.is_dir()]
    assert len(files) > 5
    for number, file in enumerate(file for file in files if file is not None):
        acquisition = acquisition_of(file)
        if not UID(acquisition.first.study_instance_uid).is_valid:
            continue  # refused when it is read
        ((path, _),) = make(tmp_path / str(number), acquisition, card, pixels_of)
        assert dicom_errors(path) == [], file
