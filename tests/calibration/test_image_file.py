# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""DICOM in a set: read as the appliance reads it, and only without the patient's name."""

from __future__ import annotations

import io

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

from appliance.errors import InputError
from calibration.image_file import IDENTIFYING, read_image

VALUES = np.arange(20, dtype=np.uint16).reshape(4, 5)


def dicom(**more: object) -> bytes:
    """A 4 x 5 MONOCHROME1 image of 12 bits."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = DigitalXRayImageStorageForPresentation
    for keyword in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        setattr(dataset, keyword, generate_uid())
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = 4, 5, 1
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation, dataset.PhotometricInterpretation = 0, "MONOCHROME1"
    dataset.PatientName = dataset.PatientID = dataset.PatientBirthDate = ""
    for keyword, value in more.items():
        setattr(dataset, keyword, value)
    dataset.PixelData = VALUES.tobytes()
    out = io.BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    return out.getvalue()


def test_polarity_is_the_appliances() -> None:
    np.testing.assert_array_equal(read_image("a.dcm", dicom()).grey(), 4095 - VALUES.astype(np.float32))


@pytest.mark.parametrize("keyword", [name for name in IDENTIFYING if "Sequence" not in name])
def test_a_named_patient_is_refused_and_the_tag_is_said(keyword: str) -> None:
    value = "19700101" if "Date" in keyword else "DOE^JANE"
    with pytest.raises(InputError, match=f"still says who the patient is: {keyword}"):
        read_image("a.dcm", dicom(**{keyword: value}))


def test_a_sequence_of_other_numbers_names_the_patient_too() -> None:
    other = Dataset()
    other.PatientID = "4711"
    with pytest.raises(InputError, match="OtherPatientIDsSequence"):
        read_image("a.dcm", dicom(OtherPatientIDsSequence=[other]))


def test_burned_in_text_is_refused() -> None:
    with pytest.raises(InputError, match="BurnedInAnnotation"):
        read_image("a.dcm", dicom(BurnedInAnnotation="YES"))


def test_a_declared_pseudonym_may_stay_but_no_date_of_birth() -> None:
    known = {"PatientIdentityRemoved": "YES", "PatientName": "CASE^12", "PatientID": "12"}
    assert read_image("a.dcm", dicom(**known)).shape == (4, 5)
    with pytest.raises(InputError, match="PatientBirthDate"):
        read_image("a.dcm", dicom(**known, PatientBirthDate="19700101"))


def test_a_file_cut_short_is_refused() -> None:
    with pytest.raises(InputError, match=r"a\.dcm"):
        read_image("a.dcm", dicom()[:-10])


def test_what_only_looks_like_an_image_is_refused() -> None:
    with pytest.raises(InputError, match="not a picture"):
        read_image("a.png", b"not a picture")
    with pytest.raises(InputError, match="not a plain array"):
        read_image("a.npy", b"not an array")


def test_an_array_of_objects_is_never_unpickled() -> None:
    out = io.BytesIO()
    np.save(out, np.array([[{"a": 1}]], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="not a plain array"):
        read_image("a.npy", out.getvalue())
