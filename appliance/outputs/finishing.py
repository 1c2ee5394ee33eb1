# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The last steps of every object that a library has put together: made repeatable, named by its content.

The library writes down when it ran and draws random identifiers; both would make the same work another
object. Times are those that the caller gives; UIDs follow from the content.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from pydicom.dataset import Dataset
from pydicom.uid import UID
from pydicom.valuerep import DA, TM

from appliance.errors import InputError
from appliance.outputs.identity import (
    MANUFACTURER,
    MODEL_NAME,
    SCHEME,
    SERIAL_NUMBER,
    coding_scheme,
    file_meta,
    software_version,
    uid_of,
)
from appliance.outputs.source_header import (
    PATIENT,
    PATIENT_OPTIONAL,
    STUDY,
    STUDY_OPTIONAL,
    content_moment,
    take_over,
)

NOT_KNOWN_YET: Final = uid_of("report", "not known yet")
"""Stands in a new object until its content is whole and gives it its name."""
MOMENTS: Final = (("ContentDate", "ContentTime"), ("PresentationCreationDate", "PresentationCreationTime"))
CLOCKED: Final = ("InstanceCreationDate", "InstanceCreationTime", "SeriesDate", "SeriesTime")

WITH_LATERALITY: Final = frozenset({"PR"})
"""Modalities whose series must have a Laterality (type 2C), which the library leaves out."""


def maker() -> dict[str, Any]:
    """What all constructors of the library are told: who makes it, and its name until it is finished."""
    return {
        "sop_instance_uid": NOT_KNOWN_YET,
        "manufacturer": MANUFACTURER,
        "manufacturer_model_name": MODEL_NAME,
        "device_serial_number": SERIAL_NUMBER,
        "software_versions": software_version(),
    }


@contextmanager
def making(what: str) -> Iterator[None]:
    """Around the library's work: no names in the log, and InputError where it knows no such original.

    It warns about names like "Doe", and would put them into the log; and it knows the modules of each
    standard class by its UID.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        try:
            yield
        except KeyError as error:
            raise InputError(
                f"There are no {what} on objects of this class, which DICOM does not know.",
                remedy="The results stay on this device: see `scanside results`.",
            ) from error


def finished(dataset: Any, *, kind: str, evidence: Dataset, moment: tuple[str, str] | None = None) -> bytes:
    """The object as a file.

    `kind` keeps the UIDs of different sorts of objects apart. `evidence` is the original's header: what it
    says of patient and study stands in all objects of the study alike. `moment` (DA, TM) is when the content
    was made; None: the original's own.
    """
    take_over(evidence, dataset, (key for key in (*PATIENT, *STUDY) if key not in dataset), always=True)
    more = (key for key in (*PATIENT_OPTIONAL, *STUDY_OPTIONAL) if key not in dataset)
    take_over(evidence, dataset, more, always=False)
    day, hour = moment or content_moment(evidence)
    for date, time in MOMENTS:
        if date in dataset:
            setattr(dataset, date, DA(day))
            setattr(dataset, time, TM(hour))
    for keyword in CLOCKED:
        dataset.pop(keyword, None)
    if dataset.Modality in WITH_LATERALITY:
        dataset.setdefault("Laterality", None)  # it may be one of a pair, nobody says
    for equipment in dataset.get("ContributingEquipmentSequence", ()):
        equipment.pop("ContributionDateTime", None)
    if any(item.get("CodingSchemeDesignator") == SCHEME for item in _all_items(dataset)):
        dataset.CodingSchemeIdentificationSequence = [coding_scheme()]
    dataset.SOPInstanceUID = NOT_KNOWN_YET
    dataset.file_meta = file_meta(dataset.SOPClassUID, NOT_KNOWN_YET)
    uid = uid_of(kind, hashlib.sha256(_encoded(dataset)).hexdigest())
    dataset.SOPInstanceUID = uid
    dataset.file_meta = file_meta(dataset.SOPClassUID, uid)
    return _encoded(dataset)


def name_dimensions(dataset: Dataset, uid: UID) -> None:
    """Give the one organisation of a multi-frame object's frames this UID, wherever it is named."""
    for item in _all_items(dataset):
        if "DimensionOrganizationUID" in item:
            item.DimensionOrganizationUID = uid


def _all_items(dataset: Dataset) -> Iterator[Dataset]:
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                yield item
                yield from _all_items(item)


def _encoded(dataset: Any) -> bytes:
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
