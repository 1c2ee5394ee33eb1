# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""One image of a calibration set: from the bytes that were hashed to what the appliance's tasks look at.

DICOM goes through the appliance's own reader, so that polarity, padding and rescaling are the device's.
A file that still says who the patient is goes no further: these sets are copied, kept and shown in
reports.
"""

from __future__ import annotations

import io
from pathlib import PurePosixPath
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from appliance.domain.image import PixelImage
from appliance.errors import InputError
from appliance.intake.opening import CutShortError, parse
from appliance.intake.pixels import FrameReader

PICTURES: Final = frozenset({".png", ".jpg", ".jpeg"})
ARRAY: Final = ".npy"
DICOM: Final = frozenset({".dcm", ".dicom", ".ima"})
KINDS: Final = frozenset({*PICTURES, ARRAY, *DICOM})
"""File name endings that a set may hold."""
MOST_BYTES: Final = 512 * 1024**2
"""Of one frame: as in the appliance's own settings (reading.max_frame_bytes)."""
IDENTIFYING: Final = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "OtherPatientIDs",
    "OtherPatientNames",
    "OtherPatientIDsSequence",
    "PatientBirthName",
    "PatientMotherBirthName",
    "PatientAddress",
    "PatientTelephoneNumbers",
    "MedicalRecordLocator",
    "AccessionNumber",
)
"""What names a person directly (DICOM PS3.15 table E.1-1: removed or emptied by the basic profile)."""
PSEUDONYMS: Final = frozenset({"PatientName", "PatientID"})
"""May hold a made-up value in a file that declares PatientIdentityRemoved YES (PS3.15 E.1.1)."""


def read_image(name: str, content: bytes) -> PixelImage:
    """The one frame in `content`, the bytes of the file called `name` (its ending says what it is).

    Pictures (8 or 16 bits, colour as its brightness) and arrays have neither units nor padding: their
    numbers are taken as they are; an array of a denoiser's set holds HU. Raises InputError.
    """
    ending = PurePosixPath(name).suffix.lower()
    if ending in DICOM:
        return _dicom(name, content)
    if ending == ARRAY:
        return _plain(_array(name, content))
    if ending in PICTURES:
        found = cv2.imdecode(
            np.frombuffer(content, np.uint8),
            cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION,
        )
        if found is None or found.dtype not in (np.uint8, np.uint16):
            raise InputError(
                f"{name} is not a picture of 8 or 16 bits that can be read.",
                remedy="Save it again as PNG, or give the DICOM file itself.",
            )
        return _plain(np.asarray(found))
    raise InputError(
        f"{name} is no image of a kind that a set may hold: {', '.join(sorted(KINDS))}.",
        remedy="Convert it, or leave it out of the manifest.",
    )


def _array(name: str, content: bytes) -> NDArray[Any]:
    try:
        found = np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise InputError(
            f"{name} is not a plain array: {error}.", remedy="Save it with numpy.save, without objects."
        ) from error
    if (
        not isinstance(found, np.ndarray)
        or found.ndim != 2
        or found.size == 0
        or found.dtype.kind not in "iuf"
    ):
        raise InputError(
            f"{name} does not hold one frame of numbers (rows, columns).",
            remedy="Save one slice per file, as a 2-D array of HU or grey values.",
        )
    return found.astype(np.float32)


def _plain(stored: NDArray[Any]) -> PixelImage:
    stored.flags.writeable = False
    integer = stored.dtype.kind == "u"
    return PixelImage(
        stored=stored,
        slope=1.0,
        intercept=0.0,
        inverted=False,
        stored_range=(0, int(np.iinfo(stored.dtype).max) if integer else 0),
        padding=None,
        voi=None,
        spacing_mm=None,
        rescale_type=None,
    )


def _dicom(name: str, content: bytes) -> PixelImage:
    try:
        file = parse(io.BytesIO(content), largest_inflated_bytes=MOST_BYTES)
        refuse_identity(file.dataset)
        reader = FrameReader(file, max_frame_bytes=MOST_BYTES)
        buffer = bytearray(reader.needed_bytes())
        header = reader.read(0, memoryview(buffer))
    except CutShortError as error:
        raise InputError(
            f"{name} ends inside its header.", remedy="Copy the file again from where it came from."
        ) from error
    except InputError as error:
        raise InputError(f"{name}: {error.what}", remedy=error.remedy) from error
    stored = np.frombuffer(buffer, header.dtype, count=header.rows * header.columns)
    stored = stored.reshape(header.rows, header.columns)
    stored.flags.writeable = False
    return header.image(stored)


def refuse_identity(dataset: Dataset) -> None:
    """Raises InputError naming the tags by which this header still says who the patient is.

    A file that declares its identity removed may carry a pseudonym as name and number, nothing else.
    """
    declared = str(dataset.get("PatientIdentityRemoved", "")).strip().upper() == "YES"
    named = [
        keyword
        for keyword in IDENTIFYING
        if keyword in dataset and str(dataset[keyword].value or "").strip() not in ("", "[]")
        if not (declared and keyword in PSEUDONYMS)
    ]
    if str(dataset.get("BurnedInAnnotation", "")).strip().upper() == "YES":
        named.append("BurnedInAnnotation")
    if named:
        raise InputError(
            f"the header still says who the patient is: {', '.join(named)}.",
            remedy="De-identify it (DICOM PS3.15, basic profile) before it goes into a set; a pseudonym may"
            " stay if PatientIdentityRemoved is YES.",
        )
