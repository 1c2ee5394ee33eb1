# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""DICOM files as quality control sees them, read with pydicom alone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from appliance.domain.acquisition import (
    Acquisition,
    Completeness,
    Equipment,
    Exposure,
    Geometry,
    Instance,
    Kind,
    Patient,
    PixelFormat,
    SeriesCounts,
    SliceRef,
    Urgency,
)
from appliance.domain.card import ModelCard
from appliance.domain.image import PixelImage
from appliance.domain.record import from_plain


def _text(dataset: Dataset, keyword: str) -> str | None:
    value = dataset.get(keyword)
    return str(value) if value not in (None, "") else None


def _number(dataset: Dataset, keyword: str) -> float | None:
    value = dataset.get(keyword)
    return float(value) if value not in (None, "") else None


def _numbers(dataset: Dataset, keyword: str) -> tuple[float, ...] | None:
    value = dataset.get(keyword)
    return tuple(float(number) for number in value) if value else None


def _spacing(dataset: Dataset) -> tuple[float, float] | None:
    found = _numbers(dataset, "PixelSpacing") or _numbers(dataset, "ImagerPixelSpacing")
    return (found[0], found[1]) if found and found[0] > 0 else None


def instance_of(dataset: Dataset, path: Path) -> Instance:
    orientation = dataset.get("PatientOrientation")
    position = _numbers(dataset, "ImagePositionPatient")
    return Instance(
        path=path,
        sha256=hashlib.sha256(str(path).encode()).hexdigest(),
        study_instance_uid=str(dataset.get("StudyInstanceUID", "")),
        series_instance_uid=str(dataset.get("SeriesInstanceUID", "")),
        sop_instance_uid=str(dataset.get("SOPInstanceUID", "")),
        sop_class_uid=str(dataset.get("SOPClassUID", "")),
        modality=str(dataset.get("Modality", "")),
        body_part=_text(dataset, "BodyPartExamined"),
        view_position=_text(dataset, "ViewPosition"),
        laterality=_text(dataset, "ImageLaterality") or _text(dataset, "Laterality"),
        image_type=tuple(str(part) for part in dataset.get("ImageType", ())),
        series_description=None,
        study_description=None,
        series_number=None,
        acquired_at=None,
        requested_priority=None,
        burned_in_annotation=None,
        pixels=PixelFormat(
            transfer_syntax_uid="1.2.840.10008.1.2.1",
            rows=int(dataset.Rows),
            columns=int(dataset.Columns),
            number_of_frames=int(dataset.get("NumberOfFrames") or 1),
            samples_per_pixel=int(dataset.SamplesPerPixel),
            photometric_interpretation=str(dataset.PhotometricInterpretation),
            bits_allocated=int(dataset.BitsAllocated),
            bits_stored=int(dataset.BitsStored),
            pixel_representation=int(dataset.PixelRepresentation),
        ),
        patient=Patient(
            patient_id=_text(dataset, "PatientID"),
            patient_name=_text(dataset, "PatientName"),
            patient_sex=None,
            patient_birth_date=None,
            age_years=None,
        ),
        exposure=Exposure(
            exposure_index=_number(dataset, "ExposureIndex"),
            target_exposure_index=_number(dataset, "TargetExposureIndex"),
            deviation_index=_number(dataset, "DeviationIndex"),
            kvp=None,
            exposure_mas=None,
            exposure_time_ms=None,
        ),
        geometry=Geometry(
            pixel_spacing_mm=_spacing(dataset),
            pixel_spacing_source=None,
            image_orientation_patient=None,
            frame_positions_mm=() if position is None else ((position[0], position[1], position[2]),),
            slice_thickness_mm=_number(dataset, "SliceThickness"),
            spacing_between_slices_mm=_number(dataset, "SpacingBetweenSlices"),
            patient_orientation=(str(orientation[0]), str(orientation[1])) if orientation else None,
        ),
        equipment=Equipment(
            manufacturer=_text(dataset, "Manufacturer"),
            manufacturer_model_name=None,
            station_name=None,
            device_serial_number=None,
            detector_id=None,
            protocol_name=None,
            convolution_kernel=_text(dataset, "ConvolutionKernel"),
        ),
        counts=SeriesCounts(
            instance_number=None,
            acquisition_number=None,
            images_in_acquisition=None,
            number_of_temporal_positions=None,
            number_of_slices=None,
            number_of_time_slices=None,
            temporal_position_identifier=None,
        ),
    )


def image_of(dataset: Dataset, stored: np.ndarray[Any, Any] | None = None) -> PixelImage:
    bits, signed = int(dataset.BitsStored), int(dataset.PixelRepresentation) == 1
    padding = dataset.get("PixelPaddingValue")
    return PixelImage(
        stored=dataset.pixel_array if stored is None else stored,
        slope=float(dataset.get("RescaleSlope", 1.0)),
        intercept=float(dataset.get("RescaleIntercept", 0.0)),
        inverted=dataset.PhotometricInterpretation == "MONOCHROME1",
        stored_range=(-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1),
        padding=None if padding is None else (int(padding), int(padding)),
        voi=None,
        spacing_mm=_spacing(dataset),
        rescale_type=None,
    )


def read_radiograph(path: Path) -> tuple[Acquisition, PixelImage]:
    """One file as a projection."""
    dataset = pydicom.dcmread(path)
    acquisition = Acquisition(
        acquisition_id="a",
        version=1,
        kind=Kind.PROJECTION,
        completeness=Completeness.COMPLETE,
        evidence="a single image",
        urgency=Urgency.LIVE,
        instances=(instance_of(dataset, path),),
        slices=(SliceRef(instance=0, frame=0, position_mm=None),),
    )
    return acquisition, image_of(dataset)


def read_series(paths: Sequence[Path]) -> tuple[Acquisition, list[PixelImage]]:
    """Files as a volume, ordered by the third coordinate of their position."""
    datasets = [pydicom.dcmread(path) for path in paths]
    along = [float(dataset.ImagePositionPatient[2]) for dataset in datasets]
    order = sorted(range(len(paths)), key=lambda index: along[index])
    acquisition = Acquisition(
        acquisition_id="a",
        version=1,
        kind=Kind.VOLUME,
        completeness=Completeness.QUIET,
        evidence="nothing came for 60 s",
        urgency=Urgency.LIVE,
        instances=tuple(instance_of(dataset, path) for dataset, path in zip(datasets, paths, strict=True)),
        slices=tuple(SliceRef(instance=index, frame=0, position_mm=along[index]) for index in order),
    )
    return acquisition, [image_of(datasets[index]) for index in order]


@pytest.fixture
def radiograph() -> Callable[[Path], tuple[Acquisition, PixelImage]]:
    return read_radiograph


@pytest.fixture
def series() -> Callable[[Sequence[Path]], tuple[Acquisition, list[PixelImage]]]:
    return read_series


@pytest.fixture(scope="session")
def view_card() -> ModelCard:
    """A card like that of the bundle that tells body part and rotation."""
    names = ("CHEST", "UPPER_LIMB", "ROTATION_0", "ROTATION_90", "ROTATION_180", "ROTATION_270")
    label = {"scale": 1.0, "shift": 0.0, "sensitive_threshold": 0.9, "specific_threshold": 0.9}
    return from_plain(
        ModelCard,
        {
            "format": 1,
            "task": "radiograph_view",
            "name": "view",
            "version": "1.0",
            "release": 1,
            "summary": "",
            "precision": "f32",
            "inputs": [{"name": "image", "shape": ["batch", 1, 128, 128], "dtype": "float32"}],
            "outputs": [
                {"name": "logits_part", "shape": ["batch", 2], "dtype": "float32"},
                {"name": "logits_rotation", "shape": ["batch", 4], "dtype": "float32"},
            ],
            "preprocessing": {
                "kind": "letterbox",
                "size_px": 128,
                "low_percentile": 0.5,
                "high_percentile": 99.5,
            },
            "labels": [
                label | {"name": name, "code": {"value": name, "scheme": "99SCANSIDE", "meaning": name}}
                for name in names
            ],
            "intended_use": {
                "modalities": ["CR", "DX"],
                "body_parts": [],
                "view_positions": [],
                "minimum_age_years": None,
                "maximum_age_years": None,
                "draws_location": False,
            },
            "provenance": {"training_data": [], "licence": "", "restrictions": "", "known_biases": []},
            "metrics": [],
        },
    )
