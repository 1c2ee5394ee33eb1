# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Who made an object, and its name: UIDs that follow from what the object is made of.

Work that is done twice (a restart, a second send) makes the same objects with the same UIDs, so no
archive ever holds two; and two different contents never share a UID.
"""

from __future__ import annotations

import uuid
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from typing import Final

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

MANUFACTURER: Final = "Scanside"
MODEL_NAME: Final = "Scanside appliance"
SERIAL_NUMBER: Final = "not assigned"
"""Type 1 in reports; this software does not know the machine that it runs on."""
SCHEME: Final = "99SCANSIDE"
"""Our private coding scheme (PS3.16 section 8.2: private designators begin with 99)."""
_NAMESPACE: Final = uuid.UUID("6c1f7a53-3f0e-5a52-9d0b-2f6d1d7c9b11")
"""Random, and ours for ever: changing it would rename every object ever made."""
IMPLEMENTATION_VERSION_NAME: Final = "SCANSIDE_1"
"""PS3.7 annex D.3.3.2: 16 characters at most."""


def uid_of(*parts: str) -> UID:
    """The UID (PS3.5 annex B.2: "2.25." and a UUID) that these parts, and only these, always get."""
    name = chr(0).join(parts).encode("utf-8", "backslashreplace").decode("utf-8")  # headers hold anything
    return UID(f"2.25.{uuid.uuid5(_NAMESPACE, name).int}")


def derived_series_uid(series_instance_uid: str, model: str) -> UID:
    """Of the series that this model (`task@version`) makes of that original."""
    task, _, version = model.partition("@")
    return uid_of("derived series", series_instance_uid, task, version)


def frame_of_reference_uid(series_instance_uid: str) -> UID:
    """Of the series made of an original that names no frame of reference."""
    return uid_of("frame of reference", series_instance_uid)


def software_version() -> str:
    """The version of this appliance; "unknown" when it runs from a checkout that is not installed."""
    try:
        return version_of("scanside")
    except PackageNotFoundError:
        return "unknown"


def file_meta(sop_class_uid: str, sop_instance_uid: str) -> FileMetaDataset:
    """The group 0002 of our objects."""
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = UID(sop_class_uid)
    meta.MediaStorageSOPInstanceUID = UID(sop_instance_uid)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = uid_of("implementation")
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    return meta


def code_item(value: str, scheme: str, meaning: str) -> Dataset:
    """One item of a code sequence (PS3.3 section 8.8)."""
    item = Dataset()
    item.CodeValue = value
    item.CodingSchemeDesignator = scheme
    item.CodeMeaning = meaning
    return item


def coding_scheme() -> Dataset:
    """What `SCHEME` is, for an object with a code of it (PS3.3 section C.12.1.1.1)."""
    item = Dataset()
    item.CodingSchemeDesignator = SCHEME
    item.CodingSchemeUID = uid_of("coding scheme")
    item.CodingSchemeName = "Scanside codes"
    item.CodingSchemeResponsibleOrganization = "The Scanside authors"
    return item
