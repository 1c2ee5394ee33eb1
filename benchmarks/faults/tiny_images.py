# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Images as small as they can be and still be real DICOM: for faults that need many thousands of them.

pydicom writes one; the others are the same bytes with another number of the same length in every place
where the first one's stands.
"""

from __future__ import annotations

import io
from typing import Final

import numpy as np
from pydicom import uid
from pydicom.dataset import FileDataset, FileMetaDataset

SIZE_PX: Final = 16
STEP_MM: Final = 2.5
_MARK: Final = "900000000"
"""Nine digits that stand where an image's own number will."""
_SERIES: Final = "2.25.7"


def tiny_radiograph(number: int, *, rows: int = SIZE_PX) -> bytes:
    """A radiograph of its own; `number` below 10^8 makes it another one."""
    return _numbered(_radiograph(rows), number)


def tiny_radiographs(count: int, *, first: int = 0) -> list[bytes]:
    """Many of them."""
    template = _radiograph(SIZE_PX)
    return [_numbered(template, number) for number in range(first, first + count)]


def tiny_slice(
    index: int,
    *,
    series: int = 1,
    content: int = 0,
    patient: str = "P1",
    announced: int | None = None,
    rewritten: bool = False,
) -> bytes:
    """A CT slice in its place in a series.

    Another `content`: other pixels under the same name. `rewritten`: the same image in other bytes.
    """
    dataset = _image("CT", uid.CTImageStorage, SIZE_PX)
    dataset.StudyInstanceUID = f"2.25.6.{series}"
    dataset.SeriesInstanceUID = f"{_SERIES}.{series}"
    dataset.SOPInstanceUID = f"{_SERIES}.{series}.{patient[-1]}.{index}"
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.PatientID, dataset.InstanceNumber = patient, index + 1
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.ImagePositionPatient = [0, 0, STEP_MM * index]
    dataset.PixelSpacing = [1, 1]
    if announced is not None:
        dataset.ImagesInAcquisition = announced
    pixels = np.full((SIZE_PX, SIZE_PX), content, dtype="<u2")
    dataset.PixelData = pixels.tobytes()
    if rewritten:
        dataset.file_meta.TransferSyntaxUID = uid.ImplicitVRLittleEndian
    return _encoded(dataset)


def _radiograph(rows: int) -> bytes:
    dataset = _image("DX", uid.DigitalXRayImageStorageForPresentation, rows)
    dataset.StudyInstanceUID = f"2.25.{_MARK}1"
    dataset.SeriesInstanceUID = f"2.25.{_MARK}2"
    dataset.SOPInstanceUID = f"2.25.{_MARK}3"
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.PatientID = "P1"
    return _encoded(dataset)


def _image(modality: str, sop_class_uid: uid.UID, rows: int) -> FileDataset:
    dataset = FileDataset("", {}, preamble=bytes(128), file_meta=FileMetaDataset())
    dataset.SOPClassUID, dataset.Modality = sop_class_uid, modality
    dataset.Rows, dataset.Columns = rows, SIZE_PX
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.SamplesPerPixel, dataset.PixelRepresentation = 1, 0
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PixelData = (np.arange(rows * SIZE_PX) % 4096).astype("<u2").tobytes()
    dataset.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = sop_class_uid
    return dataset


def _numbered(template: bytes, number: int) -> bytes:
    return template.replace(_MARK.encode(), b"%d" % (int(_MARK) + number))


def _encoded(dataset: FileDataset) -> bytes:
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()
