# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""One image file without its patient. Refused where that cannot be done: nothing leaves half cleaned.

After the profile every text that is left is searched for the words that were taken out: a name in a free
text, or in an attribute that the table does not know, ends the attempt.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence

from appliance.deidentification.pseudonyms import Pseudonyms
from appliance.deidentification.rules import BASIC_PROFILE, Option, apply_profile
from appliance.errors import InputError
from appliance.outputs.identity import MANUFACTURER, MODEL_NAME, code_item, file_meta, software_version

IDENTIFYING: Final = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "OtherPatientIDs",
    "OtherPatientNames",
    "PatientBirthName",
    "PatientMotherBirthName",
    "PatientAddress",
    "PatientTelephoneNumbers",
    "AccessionNumber",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SOPInstanceUID",
    "FrameOfReferenceUID",
    "ReferringPhysicianName",
    "PerformingPhysicianName",
    "OperatorsName",
    "NameOfPhysiciansReadingStudy",
    "RequestingPhysician",
    "InstitutionName",
    "InstitutionAddress",
)
PERSONS: Final = frozenset(
    keyword for keyword in IDENTIFYING if "Name" in keyword or "Physician" in keyword
) - {"InstitutionName"}
"""Of these each part is looked for by itself: only the family name may stand in a text."""
SHORTEST_WORD: Final = 4
"""Shorter ones ("Li", "7") stand in every text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """A file that may leave."""

    file_name: str
    content: bytes


def without_patient(
    path: Path, pseudonyms: Pseudonyms, options: frozenset[Option], *, pixels_looked_at: bool
) -> Cleaned:
    """The image at `path`, de-identified. `pixels_looked_at`: a person saw that no name stands in them.

    Raises InputError for what is no image, and when a word that identifies is left.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd values go, with or without a warning about them
        dataset = dcmread(path, force=True)
        if "PixelData" not in dataset or "SOPClassUID" not in dataset:
            raise InputError(
                f"{path.name} is no image.",
                remedy="Only images are de-identified: reports and documents hold free text.",
            )
        words = frozenset(_words_that_identify(dataset))
        patient = str(dataset.get("PatientID", "")) or str(dataset.get("StudyInstanceUID", ""))
        apply_profile(dataset, pseudonyms, options, patient=patient)
        _say_so(dataset, options, pixels_looked_at=pixels_looked_at)
        for keyword, text in _texts(dataset):
            if any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE) for word in words):
                raise InputError(
                    f"{path.name}: a word that identifies the patient is left in {keyword}.",
                    remedy="The file is not written. Remove that text at its source, or leave the file out.",
                )
        return Cleaned(file_name=f"{dataset.SOPInstanceUID}.dcm", content=_encoded(dataset))


def _words_that_identify(dataset: Dataset) -> Iterator[str]:
    for keyword in IDENTIFYING:
        for value in _values(dataset.get(keyword)):
            parts = {value, *re.split(r"[\^=\s,]+", value)} if keyword in PERSONS else {value}
            yield from (part for part in parts if len(part) >= SHORTEST_WORD)


def _values(value: object) -> list[str]:
    if value is None:
        return []
    return [str(one) for one in value] if isinstance(value, MultiValue) else [str(value)]


def _texts(dataset: Dataset) -> Iterator[tuple[str, str]]:
    """Every text that is left, with the attribute that holds it, at any depth."""
    for element in dataset.iterall():
        if element.VR != "SQ" and not isinstance(element.value, bytes):
            yield element.keyword or str(element.tag), " ".join(_values(element.value))


def _say_so(dataset: Dataset, options: frozenset[Option], *, pixels_looked_at: bool) -> None:
    """PS3.15 E.1.1: the object itself says what was done to it."""
    said = [BASIC_PROFILE, *(option.value for option in Option if option in options)]
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = f"{MANUFACTURER} {MODEL_NAME} {software_version()}"
    dataset.DeidentificationMethodCodeSequence = Sequence(
        [code_item(value, "DCM", meaning) for value, meaning in said]
    )
    moved = Option.DATES in options
    dataset.LongitudinalTemporalInformationModified = "MODIFIED" if moved else "REMOVED"
    if pixels_looked_at:
        dataset.BurnedInAnnotation = "NO"


def _encoded(dataset: Dataset) -> bytes:
    syntax = dataset.file_meta.TransferSyntaxUID
    dataset.preamble = b"\0" * 128
    dataset.file_meta = file_meta(dataset.SOPClassUID, dataset.SOPInstanceUID)
    dataset.file_meta.TransferSyntaxUID = syntax
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
