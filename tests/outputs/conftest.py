# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Small real DICOM files, the nouns that describe them, and the validator of dicom3tools."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from appliance.domain.acquisition import Acquisition, Completeness, Instance, Kind, SliceRef, Urgency
from appliance.domain.image import PixelImage

SIZE = 64


def ct_dataset(number: int, **changes: Any) -> Dataset:
    """One valid CT slice: a disc of 40 HU with noise in air."""
    rng = np.random.default_rng(number)
    rows, columns = np.mgrid[:SIZE, :SIZE] - SIZE / 2
    body = np.where(np.hypot(rows, columns) < SIZE * 0.4, 40, -1000) + rng.normal(0, 15, (SIZE, SIZE))
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.SOPClassUID = CTImageStorage
    dataset.SOPInstanceUID = generate_uid(entropy_srcs=["slice", str(number)])
    dataset.StudyInstanceUID = generate_uid(entropy_srcs=["study"])
    dataset.SeriesInstanceUID = generate_uid(entropy_srcs=["series"])
    dataset.FrameOfReferenceUID = generate_uid(entropy_srcs=["frame"])
    dataset.PatientName, dataset.PatientID = "PHANTOM^Möbius", "P1"
    dataset.PatientBirthDate, dataset.PatientSex = "19700101", "O"
    dataset.StudyDate, dataset.StudyTime, dataset.StudyID = "20260102", "101500", "7"
    dataset.ReferringPhysicianName, dataset.AccessionNumber = "", "A1"
    dataset.Modality, dataset.SeriesNumber, dataset.InstanceNumber = "CT", 3, number + 1
    dataset.SeriesDescription = "Chest low dose 1.0 B30f"
    dataset.Manufacturer, dataset.ManufacturerModelName = "Phantom Works", "Tube 1"
    dataset.PatientPosition, dataset.PositionReferenceIndicator = "HFS", ""
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.AcquisitionDate, dataset.AcquisitionTime = "20260102", "101600"
    dataset.ContentDate, dataset.ContentTime = "20260102", "101700"
    dataset.PixelSpacing, dataset.SliceThickness = [0.7, 0.7], 2
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.ImagePositionPatient = [-22.4, -22.4, number * 2.0]
    dataset.KVP, dataset.AcquisitionNumber, dataset.ConvolutionKernel = 120, 1, "B30f"
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = -1024, 1, "HU"
    dataset.WindowCenter, dataset.WindowWidth = 40, 400
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows = dataset.Columns = SIZE
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    dataset.PixelData = np.clip(np.rint(body + 1024), 0, 4095).astype("<u2").tobytes()
    for keyword, value in changes.items():
        setattr(dataset, keyword, value)
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return dataset


@pytest.fixture
def ct_file(tmp_path: Path) -> Callable[..., Path]:
    """Write one slice; keywords change its header."""

    def write(number: int = 0, **changes: Any) -> Path:
        path = tmp_path / "originals" / f"{number}.dcm"
        path.parent.mkdir(exist_ok=True)
        ct_dataset(number, **changes).save_as(path, enforce_file_format=True)
        return path

    return write


@pytest.fixture
def describe(make_instance: Callable[..., Instance]) -> Callable[[Path], Instance]:
    """The header of a well-formed file as the appliance sees it."""

    def read(path: Path) -> Instance:
        dataset = pydicom.dcmread(path, stop_before_pixels=True)
        return make_instance(
            path=path,
            sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
            study_instance_uid=str(dataset.StudyInstanceUID),
            series_instance_uid=str(dataset.SeriesInstanceUID),
            sop_instance_uid=str(dataset.SOPInstanceUID),
            sop_class_uid=str(dataset.SOPClassUID),
            modality=dataset.Modality,
            body_part=dataset.get("BodyPartExamined"),
            image_type=tuple(dataset.ImageType),
            series_description=dataset.get("SeriesDescription"),
            series_number=dataset.get("SeriesNumber"),
            patient={
                "patient_id": str(dataset.get("PatientID", "")),
                "patient_name": str(dataset.get("PatientName", "")),
                "patient_sex": dataset.get("PatientSex"),
                "patient_birth_date": dataset.get("PatientBirthDate"),
            },
            pixels={
                "rows": dataset.Rows,
                "columns": dataset.Columns,
                "photometric_interpretation": dataset.PhotometricInterpretation,
                "bits_stored": dataset.BitsStored,
                "pixel_representation": dataset.PixelRepresentation,
            },
        )

    return read


@pytest.fixture
def acquisition_of(describe: Callable[[Path], Instance]) -> Callable[..., Acquisition]:
    def build(*paths: Path, kind: Kind = Kind.VOLUME) -> Acquisition:
        return Acquisition(
            acquisition_id="a1",
            version=1,
            kind=kind,
            completeness=Completeness.COMPLETE,
            evidence="made by a test",
            urgency=Urgency.LIVE,
            instances=tuple(describe(path) for path in paths),
            slices=tuple(SliceRef(instance=i, frame=0, position_mm=float(i)) for i in range(len(paths))),
        )

    return build


@pytest.fixture(scope="session")
def pixels_of() -> Callable[[Path], PixelImage]:
    def read(path: Path) -> PixelImage:
        dataset = pydicom.dcmread(path)
        bits = int(dataset.BitsStored)
        signed = bool(dataset.PixelRepresentation)
        padding = dataset.get("PixelPaddingValue")
        return PixelImage(
            stored=dataset.pixel_array,
            slope=float(dataset.RescaleSlope),
            intercept=float(dataset.RescaleIntercept),
            inverted=dataset.PhotometricInterpretation == "MONOCHROME1",
            stored_range=(-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1),
            padding=None if padding is None else (padding, padding),
            voi=None,
            spacing_mm=(0.7, 0.7),
            rescale_type=dataset.get("RescaleType"),
        )

    return read


@pytest.fixture(scope="session")
def dicom_errors() -> Callable[[Path], list[str]]:
    """The errors that dicom3tools' dciodvfy finds in a file. Skips where it is not installed."""
    program = shutil.which("dciodvfy")
    if program is None:
        pytest.skip("dciodvfy is not installed (Debian package dicom3tools)")

    def check(path: Path) -> list[str]:
        told = subprocess.run(
            [program, str(path)], capture_output=True, text=True, errors="replace", check=False
        )
        return [line for line in (told.stdout + told.stderr).splitlines() if line.startswith("Error")]

    return check
