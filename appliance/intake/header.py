# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A parsed header as an `Instance`: every field validated, unknown left unknown. Runs inside the jail."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydicom.dataset import Dataset
from pydicom.uid import UID

from appliance.domain.acquisition import (
    Equipment,
    Exposure,
    Geometry,
    Instance,
    Patient,
    PixelFormat,
    SeriesCounts,
)
from appliance.errors import InputError
from appliance.intake.functional_groups import frame_group
from appliance.intake.header_values import (
    LONGEST_NAME,
    age_years,
    day,
    item,
    number,
    numbers,
    raw_value,
    spacing,
    text,
    texts,
    triple,
    uid,
    whole_number,
    word,
)
from appliance.intake.opening import DicomFile

_ASK_SENDER: Final = "Ask the sender for a complete export; nothing was guessed."

_LARGEST_SIDE_PX: Final = 65535
"""Rows and Columns are 16-bit (PS3.6)."""
_SPACING_KEYWORDS: Final = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")
_IMAGE_WORDS: Final = "Image Storage"
"""Every SOP class that carries an image to look at has these words in its name (PS3.4 table B.5-1)."""


def object_kind(sop_class_uid: str) -> str | None:
    """What an object is, where it is known to hold no image to look at; None for images and unknown kinds."""
    known = UID(sop_class_uid)
    name = known.name
    if name == sop_class_uid or _IMAGE_WORDS in name:
        return None
    return name.removesuffix(" Storage")


def is_image_class(sop_class_uid: str) -> bool:
    """True for the standard's image storage classes."""
    return _IMAGE_WORDS in UID(sop_class_uid).name


def read_pixel_format(file: DicomFile, *, max_frame_bytes: int) -> PixelFormat:
    """How the pixels are stored. Raises InputError naming what is missing or impossible."""
    dataset = file.dataset
    is_float = file.pixel_element is not None and file.pixel_element.keyword != "PixelData"
    rows = _required(dataset, "Rows", "Rows")
    columns = _required(dataset, "Columns", "Columns")
    allocated = _required(dataset, "BitsAllocated", "Bits Allocated")
    stored = allocated if is_float else _required(dataset, "BitsStored", "Bits Stored")
    signed = 1 if is_float else _required(dataset, "PixelRepresentation", "Pixel Representation")
    samples = whole_number(dataset, "SamplesPerPixel") or _required(
        dataset, "SamplesPerPixel", "Samples per Pixel"
    )
    photometric = word(dataset, "PhotometricInterpretation")
    if photometric is None:
        raise InputError(
            "The header does not say what its pixel values mean (Photometric Interpretation is missing).",
            remedy=_ASK_SENDER,
        )
    for name, value in (("Rows", rows), ("Columns", columns)):
        if not 1 <= value <= _LARGEST_SIDE_PX:
            raise InputError(f"{name} is {value}; an image has 1 to {_LARGEST_SIDE_PX}.", remedy=_ASK_SENDER)
    if not 1 <= stored <= allocated or signed not in (0, 1) or samples not in (1, 3, 4):
        raise InputError(
            f"Impossible pixel layout: Bits Stored {stored} of Bits Allocated {allocated}, Pixel "
            f"Representation {signed}, {samples} sample(s) per pixel.",
            remedy=_ASK_SENDER,
        )
    if samples > 1 and photometric in ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"):
        raise InputError(
            f"The header contradicts itself: {photometric} has one sample per pixel, it declares {samples}.",
            remedy=_ASK_SENDER,
        )
    frames = whole_number(dataset, "NumberOfFrames") or 1
    if frames < 1:
        raise InputError(f"The header declares {frames} frames.", remedy=_ASK_SENDER)
    found = PixelFormat(
        transfer_syntax_uid=file.transfer_syntax_uid,
        rows=rows,
        columns=columns,
        number_of_frames=frames,
        samples_per_pixel=samples,
        photometric_interpretation=photometric,
        bits_allocated=allocated,
        bits_stored=stored,
        pixel_representation=signed,
    )
    frame_bytes = rows * columns * samples * ((allocated + 7) // 8)
    if frame_bytes > max_frame_bytes:
        raise InputError(
            f"One frame of {rows} x {columns} takes {frame_bytes:,} bytes; the limit is {max_frame_bytes:,}.",
            remedy="Raise reading.max_frame_bytes if images of this size are real here.",
        )
    return found


def _required(dataset: Dataset, keyword: str, name: str) -> int:
    value = whole_number(dataset, keyword)
    if value is None or value < 0:
        raise InputError(
            f"{name} is missing or not a number in the header, so the pixels cannot be read.",
            remedy=_ASK_SENDER,
        )
    return value


def read_instance(file: DicomFile, pixels: PixelFormat | None) -> Instance:
    """Everything the appliance uses of a header. Raises InputError where identity is missing or unsafe.

    `path` and `sha256` are the caller's to fill in: they are not the file's to say.
    """
    dataset = file.dataset
    acquired = next(
        (found for keyword in _DATE_KEYWORDS if (found := day(dataset, keyword)) is not None), None
    )
    return Instance(
        path=Path(),
        sha256="",
        study_instance_uid=_identity(dataset, "StudyInstanceUID", "Study Instance UID"),
        series_instance_uid=_identity(dataset, "SeriesInstanceUID", "Series Instance UID"),
        sop_instance_uid=_identity(dataset, "SOPInstanceUID", "SOP Instance UID"),
        sop_class_uid=_identity(dataset, "SOPClassUID", "SOP Class UID"),
        modality=word(dataset, "Modality") or "",  # empty: unknown, so no task will take it
        body_part=word(dataset, "BodyPartExamined") or _code_meaning(dataset, "AnatomicRegionSequence"),
        view_position=word(dataset, "ViewPosition") or _code_meaning(dataset, "ViewCodeSequence"),
        laterality=_laterality(dataset),
        image_type=texts(dataset, "ImageType"),
        series_description=text(dataset, "SeriesDescription"),
        study_description=text(dataset, "StudyDescription"),
        series_number=whole_number(dataset, "SeriesNumber"),
        acquired_at=_acquired_at(dataset),
        requested_priority=word(dataset, "RequestedProcedurePriority"),
        burned_in_annotation=word(dataset, "BurnedInAnnotation"),
        pixels=pixels,
        patient=Patient(
            patient_id=text(dataset, "PatientID"),
            patient_name=text(dataset, "PatientName", LONGEST_NAME),
            patient_sex=word(dataset, "PatientSex"),
            patient_birth_date=text(dataset, "PatientBirthDate"),
            age_years=age_years(dataset, acquired),
        ),
        exposure=_exposure(dataset),
        geometry=_geometry(dataset, 1 if pixels is None else pixels.number_of_frames),
        equipment=Equipment(
            manufacturer=text(dataset, "Manufacturer"),
            manufacturer_model_name=text(dataset, "ManufacturerModelName"),
            station_name=text(dataset, "StationName"),
            device_serial_number=text(dataset, "DeviceSerialNumber"),
            detector_id=text(dataset, "DetectorID"),
            protocol_name=text(dataset, "ProtocolName"),
            convolution_kernel=text(dataset, "ConvolutionKernel"),
        ),
        counts=SeriesCounts(
            instance_number=whole_number(dataset, "InstanceNumber"),
            acquisition_number=whole_number(dataset, "AcquisitionNumber"),
            images_in_acquisition=whole_number(dataset, "ImagesInAcquisition"),
            number_of_temporal_positions=whole_number(dataset, "NumberOfTemporalPositions"),
            number_of_slices=whole_number(dataset, "NumberOfSlices"),
            number_of_time_slices=whole_number(dataset, "NumberOfTimeSlices"),
            temporal_position_identifier=whole_number(dataset, "TemporalPositionIdentifier"),
        ),
        accession_number=text(dataset, "AccessionNumber"),
    )


_DATE_KEYWORDS: Final = ("AcquisitionDateTime", "AcquisitionDate", "ContentDate", "SeriesDate", "StudyDate")


def _identity(dataset: Dataset, keyword: str, name: str) -> str:
    found = uid(dataset, keyword)
    if found is not None:
        return found
    if raw_value(dataset, keyword) is None:
        raise InputError(f"{name} is missing, so the image cannot be told from others.", remedy=_ASK_SENDER)
    raise InputError(
        f"{name} is not a DICOM identifier: only digits and dots, at most 64, are allowed.",
        remedy=_ASK_SENDER,
    )


def _code_meaning(dataset: Dataset, sequence: str) -> str | None:
    code = item(dataset, sequence)
    return None if code is None else word(code, "CodeMeaning")


def _laterality(dataset: Dataset) -> str | None:
    found = word(dataset, "ImageLaterality") or word(dataset, "Laterality")
    if found is None:
        group = frame_group(dataset, "FrameAnatomySequence", 0)
        found = word(group, "FrameLaterality")
    return found if found in ("R", "L", "U", "B") else None


def _acquired_at(dataset: Dataset) -> str | None:
    at = text(dataset, "AcquisitionDateTime")
    if at is not None:
        return at
    for date_keyword, time_keyword in (
        ("AcquisitionDate", "AcquisitionTime"),
        ("ContentDate", "ContentTime"),
    ):
        on = text(dataset, date_keyword)
        if on is not None:
            return on + (text(dataset, time_keyword) or "")
    return None


def _exposure(dataset: Dataset) -> Exposure:
    mas = number(dataset, "Exposure")
    micro_as = number(dataset, "ExposureInuAs")
    time_ms = number(dataset, "ExposureTime")
    time_us = number(dataset, "ExposureTimeInuS")
    return Exposure(
        exposure_index=number(dataset, "ExposureIndex"),
        target_exposure_index=number(dataset, "TargetExposureIndex"),
        deviation_index=number(dataset, "DeviationIndex"),
        kvp=number(dataset, "KVP"),
        exposure_mas=micro_as / 1000 if micro_as is not None else mas,
        exposure_time_ms=time_us / 1000 if time_us is not None else time_ms,
        body_part_thickness_mm=number(dataset, "BodyPartThickness"),
    )


def spacing_of(dataset: Dataset, frame_index: int) -> tuple[tuple[float, float], str] | None:
    """Row and column spacing of a frame in mm, and the keyword it came from; None where nothing says it."""
    measures = frame_group(dataset, "PixelMeasuresSequence", frame_index)
    for source in (measures, dataset):
        for keyword in _SPACING_KEYWORDS:
            found = spacing(source, keyword)
            if found is not None:
                return found, keyword
    return None


def _geometry(dataset: Dataset, frames: int) -> Geometry:
    """Positions of all frames; the rest of the first, which speaks for the stack."""
    spaced = spacing_of(dataset, 0)
    measures = frame_group(dataset, "PixelMeasuresSequence", 0)
    directions = texts(dataset, "PatientOrientation")
    cosines = numbers(frame_group(dataset, "PlaneOrientationSequence", 0), "ImageOrientationPatient")
    return Geometry(
        pixel_spacing_mm=None if spaced is None else spaced[0],
        pixel_spacing_source=None if spaced is None else spaced[1],
        image_orientation_patient=_unit_cosines(cosines),
        frame_positions_mm=_positions(dataset, frames),
        slice_thickness_mm=_positive(number(measures, "SliceThickness")),
        spacing_between_slices_mm=_positive(number(measures, "SpacingBetweenSlices")),
        patient_orientation=(directions[0], directions[1]) if len(directions) == 2 else None,
    )


def _positive(value: float | None) -> float | None:
    return value if value is not None and value > 0 else None


_UNIT_TOLERANCE: Final = 0.01
"""Direction cosines in decimal strings are rounded; more than 1 % off unit length or square is an error."""


def _unit_cosines(
    cosines: tuple[float, ...],
) -> tuple[float, float, float, float, float, float] | None:
    if len(cosines) != 6:
        return None
    a, b, c, d, e, f = cosines
    lengths_off = max(abs(a * a + b * b + c * c - 1), abs(d * d + e * e + f * f - 1))
    if lengths_off > _UNIT_TOLERANCE or abs(a * d + b * e + c * f) > _UNIT_TOLERANCE:
        return None
    return a, b, c, d, e, f


def _positions(dataset: Dataset, frames: int) -> tuple[tuple[float, float, float], ...]:
    """One position per frame, or none at all: a stack with holes in its positions is not a stack."""
    groups = raw_value(dataset, "PerFrameFunctionalGroupsSequence")
    if frames > 1 and (groups is None or len(groups) < frames):
        return ()
    found = [
        triple(frame_group(dataset, "PlanePositionSequence", index), "ImagePositionPatient")
        for index in range(frames)
    ]
    return tuple(one for one in found if one is not None) if None not in found else ()
