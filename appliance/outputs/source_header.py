# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What a new object takes over from the original's header: a list of attributes, each checked.

Not a copy of the header: private and unlisted attributes stay where they are, and so does a value that
the standard does not allow. Lenient in reading, strict in writing.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pydicom import config, dcmread
from pydicom.datadict import dictionary_VM, dictionary_VR
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.uid import UID
from pydicom.valuerep import PersonName, validate_value

from appliance.domain.acquisition import Instance
from appliance.errors import InputError

SEXES: Final = frozenset({"M", "F", "O"})
"""PS3.3 C.7.1.1: what PatientSex may say."""
UTF_8: Final = "ISO_IR 192"
ENCODING: Final = ("SpecificCharacterSet", "TimezoneOffsetFromUTC")
PATIENT: Final = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex")
"""Type 2 of the Patient module: present, empty if unknown."""
PATIENT_OPTIONAL: Final = (
    "IssuerOfPatientID",
    "PatientIdentityRemoved",
    "DeidentificationMethod",
    "PatientAge",
    "PatientSize",
    "PatientWeight",
)
STUDY: Final = ("StudyDate", "StudyTime", "ReferringPhysicianName", "StudyID", "AccessionNumber")
"""Type 2 of the General Study module."""
STUDY_OPTIONAL: Final = ("StudyDescription",)
TIMES: Final = ("ContentDate", "ContentTime", "AcquisitionDate", "AcquisitionTime")
PATIENT_AND_STUDY: Final = (*ENCODING, *PATIENT, *PATIENT_OPTIONAL, *STUDY, *STUDY_OPTIONAL, *TIMES)
PLACE: Final = (
    "FrameOfReferenceUID",
    "PixelSpacing",
    "ImagerPixelSpacing",
    "ImageOrientationPatient",
    "ImagePositionPatient",
    "SliceThickness",
    "SpacingBetweenSlices",
)
GREY: Final = (
    "RescaleIntercept",
    "RescaleSlope",
    "RescaleType",
    "ModalityLUTSequence",
    "WindowCenter",
    "WindowWidth",
    "WindowCenterWidthExplanation",
    "VOILUTFunction",
    "VOILUTSequence",
)
"""How an original is shown: what a presentation state of it repeats."""
UNKNOWN_MOMENT: Final = ("19000101", "000000")
"""Where a type 1 attribute wants a date that nobody knows: one that nobody takes for real."""


def read_source(path: Path, keywords: Iterable[str]) -> Dataset:
    """The listed attributes of a file, and nothing else of it is looked at. Raises InputError.

    The file has been parsed and decoded in the jail before; this reads it once more for what a new object
    must repeat word for word.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd values are dropped below, one by one
            return dcmread(path, stop_before_pixels=True, force=True, specific_tags=list(keywords))
    except (OSError, InvalidDicomError, ValueError, KeyError, EOFError, NotImplementedError) as error:
        raise InputError(
            f"The header of the original {path.name} cannot be read again: {error}.",
            remedy="The original is kept; send it again if it was removed.",
        ) from error


def take_over(source: Dataset, into: Dataset, keywords: Iterable[str], *, always: bool) -> None:
    """Set the listed attributes of `into` from `source`; `always`: empty where it has none that is valid."""
    for keyword in keywords:
        if _is_valid(source, keyword):
            into[keyword] = source[keyword]
        elif always:
            setattr(into, keyword, None)


def patient_and_study(header: Dataset, into: Dataset, source: Instance) -> None:
    """Whose image it is and of which examination, for an object that joins the original's study."""
    take_over(header, into, ENCODING, always=False)
    take_over(header, into, PATIENT, always=True)
    take_over(header, into, PATIENT_OPTIONAL, always=False)
    if "DeidentificationMethod" not in into:
        into.pop("PatientIdentityRemoved", None)  # type 1C together: an original that says the one only
    take_over(header, into, STUDY, always=True)
    take_over(header, into, STUDY_OPTIONAL, always=False)
    into.StudyInstanceUID = UID(source.study_instance_uid)


def evidence_of(source: Instance, *, more: tuple[str, ...] = ()) -> Dataset:
    """The original as objects that refer to it need it: identity, patient, study and times, no pixels.

    `more`: further attributes to take over where they are valid.
    """
    header = read_source(source.path, (*PATIENT_AND_STUDY, *more))
    dataset = Dataset()
    patient_and_study(header, dataset, source)
    take_over(header, dataset, TIMES, always=False)
    # Objects about an original say names in UTF-8, whatever the original's own alphabet was.
    dataset.SpecificCharacterSet = UTF_8
    dataset.PatientName = str(dataset.PatientName or "")
    if dataset.PatientSex not in SEXES:
        dataset.PatientSex = None
    dataset.SeriesInstanceUID = UID(source.series_instance_uid)
    dataset.SOPClassUID = UID(source.sop_class_uid)
    dataset.SOPInstanceUID = UID(source.sop_instance_uid)
    dataset.Modality = source.modality
    if source.pixels is not None:
        dataset.Rows, dataset.Columns = source.pixels.rows, source.pixels.columns
        dataset.SamplesPerPixel = source.pixels.samples_per_pixel
        dataset.PhotometricInterpretation = source.pixels.photometric_interpretation
        if source.pixels.number_of_frames > 1:
            dataset.NumberOfFrames = source.pixels.number_of_frames
    take_over(header, dataset, more, always=False)
    return dataset


def content_moment(evidence: Dataset) -> tuple[str, str]:
    """ContentDate and ContentTime of an object about this original: the original's own, to be repeatable."""
    for kind in ("Content", "Acquisition", "Study"):
        date, time = evidence.get(f"{kind}Date"), evidence.get(f"{kind}Time")
        if date and time:
            return str(date), str(time)
    return UNKNOWN_MOMENT


def _is_valid(source: Dataset, keyword: str) -> bool:
    """Is there a value, of the kind and form that the standard has for this attribute?"""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exceptions say the same
        try:
            element = source[keyword]
            if element.is_empty or element.VR not in dictionary_VR(keyword).split(" or "):
                return False
            if element.VM > 1 and element.VR != "SQ" and dictionary_VM(keyword) == "1":
                return False
            for value in element.value if element.VM > 1 else [element.value]:
                written = str(value) if isinstance(value, PersonName) else value
                validate_value(element.VR, getattr(value, "original_string", written), config.RAISE)
        except (KeyError, ValueError, TypeError, OverflowError, NotImplementedError):
            return False
    return True
