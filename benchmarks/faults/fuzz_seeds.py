# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What fuzzing starts from: small sound files of every kind that the appliance reads, cut from phantoms."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from copy import deepcopy
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, cast

import imagecodecs
import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from appliance.selftest.phantom_ct import CtPlan, write_ct
from appliance.selftest.phantom_radiograph import write_chest

SIDE_PX: Final = 16
"""Small enough that an execution costs less than the parsing of its header."""
_NATIVE: Final = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
)
_ENCODERS: Final = MappingProxyType(
    {
        "1.2.840.10008.1.2.4.50": lambda grey: imagecodecs.jpeg8_encode((grey >> 4).astype(np.uint8)),
        "1.2.840.10008.1.2.4.57": imagecodecs.ljpeg_encode,
        "1.2.840.10008.1.2.4.70": imagecodecs.ljpeg_encode,
        "1.2.840.10008.1.2.4.80": imagecodecs.jpegls_encode,
        "1.2.840.10008.1.2.4.90": lambda grey: imagecodecs.jpeg2k_encode(grey, codecformat="j2k", level=0),
        "1.2.840.10008.1.2.4.201": imagecodecs.htj2k_encode,
    }
)
"""Transfer syntax to what makes a codestream of it."""


def radiograph(folder: Path) -> Dataset:
    """A chest phantom, its pixels cut to SIDE_PX x SIDE_PX of 12 bits."""
    path = write_chest(folder / "chest.dcm", rows=120, columns=100, bits_stored=12).path
    return _cut(pydicom.dcmread(path))


def _cut(dataset: Dataset) -> Dataset:
    grey = dataset.pixel_array[40 : 40 + SIDE_PX, 40 : 40 + SIDE_PX]
    dataset.Rows, dataset.Columns = grey.shape
    dataset.PixelData = np.ascontiguousarray(grey).tobytes()
    return dataset


def encoded(dataset: Dataset, syntax: str = ExplicitVRLittleEndian, **elements: Any) -> bytes:
    """The data set as a file in this transfer syntax, with these elements in the place of its own."""
    changed = deepcopy(dataset)
    for keyword, value in elements.items():
        setattr(changed, keyword, value)
    changed.file_meta.TransferSyntaxUID = UID(syntax)
    if "PixelData" in changed:
        changed["PixelData"].VR = "OB" if UID(syntax).is_encapsulated else "OW"
        changed["PixelData"].is_undefined_length = UID(syntax).is_encapsulated
    out = BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some of these are strange on purpose
        pydicom.dcmwrite(
            out,
            changed,
            implicit_vr=syntax == ImplicitVRLittleEndian,
            little_endian=syntax != ExplicitVRBigEndian,
            enforce_file_format=True,
        )
    return out.getvalue()


def _grey(dataset: Dataset) -> NDArray[np.uint16]:
    return np.frombuffer(dataset.PixelData, np.uint16).reshape(SIDE_PX, SIDE_PX)


def images(folder: Path) -> Iterator[bytes]:
    """DICOM files: every transfer syntax that is read, and every layout of pixels."""
    chest = radiograph(folder)
    grey = _grey(chest)
    for syntax in _NATIVE:
        raw = grey.byteswap().tobytes() if syntax == ExplicitVRBigEndian else grey.tobytes()
        yield encoded(chest, syntax, PixelData=raw)
    for name, encode in _ENCODERS.items():
        bits: dict[str, Any] = (
            {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7} if name.endswith(".50") else {}
        )
        yield encoded(chest, name, PixelData=encapsulate([bytes(cast(Any, encode)(grey))]), **bits)
    compressed = deepcopy(chest)
    compressed.compress(RLELossless, generate_instance_uid=False)
    yield encoded(compressed, RLELossless, PixelData=compressed.PixelData)
    yield from _layouts(chest, grey)
    ct = write_ct(folder / "ct", CtPlan(slices=1)).paths[0]
    yield encoded(_cut(pydicom.dcmread(ct)))


def _layouts(chest: Dataset, grey: NDArray[np.uint16]) -> Iterator[bytes]:
    eight = (grey >> 4).astype(np.uint8)
    colour: dict[str, Any] = {
        "SamplesPerPixel": 3,
        "PlanarConfiguration": 0,
        "BitsAllocated": 8,
        "BitsStored": 8,
        "HighBit": 7,
    }
    rgb = np.repeat(eight[..., None], 3, axis=2).tobytes()
    yield encoded(chest, **colour, PhotometricInterpretation="RGB", PixelData=rgb)
    yield encoded(
        chest, **colour, PhotometricInterpretation="YBR_FULL_422", PixelData=rgb[: SIDE_PX * SIDE_PX * 2]
    )
    yield encoded(chest, NumberOfFrames=3, PixelData=grey.tobytes() * 3)
    yield encoded(
        chest, BitsAllocated=1, BitsStored=1, HighBit=0, PixelData=np.packbits(eight.ravel() > 99).tobytes()
    )
    table = Dataset()
    table.LUTDescriptor, table.LUTData = [16, 0, 8], bytes(range(16))
    table["LUTDescriptor"].VR, table["LUTData"].VR = "US", "OW"
    table.ModalityLUTType = "US"
    yield encoded(chest, ModalityLUTSequence=[table], VOILUTSequence=[table])
    floating = deepcopy(chest)
    del floating.PixelData
    yield encoded(floating, FloatPixelData=grey.astype(np.float32).tobytes(), BitsAllocated=32)


def volumes(folder: Path) -> Iterator[bytes]:
    """NIfTI files."""
    import nibabel  # noqa: PLC0415  (only this seed needs it)

    library: Any = nibabel

    for kind in (np.int16, np.float32):
        path = folder / f"{np.dtype(kind).name}.nii"
        library.save(library.Nifti1Image(np.arange(64, dtype=kind).reshape(4, 4, 4), np.eye(4)), path)
        yield path.read_bytes()


def _references(count: int) -> list[Dataset]:
    found = []
    for index in range(count):
        item = Dataset()
        item.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
        item.ReferencedSOPInstanceUID = f"2.25.7.{index}"
        found.append(item)
    return found


def messages() -> Iterator[bytes]:
    """Data sets of MPPS, storage commitment and worklist, as they come in messages (explicit VR)."""
    step, series, scheduled = Dataset(), Dataset(), Dataset()
    scheduled.StudyInstanceUID, scheduled.AccessionNumber = "2.25.1", "A1"
    series.SeriesInstanceUID, series.ReferencedImageSequence = "2.25.2", _references(2)
    step.ScheduledStepAttributesSequence, step.PerformedSeriesSequence = [scheduled], [series]
    step.PerformedProcedureStepStatus = "COMPLETED"
    kept = Dataset()
    kept.TransactionUID, kept.ReferencedSOPSequence = "2.25.3", _references(2)
    kept.FailedSOPSequence = _references(1)
    kept.FailedSOPSequence[0].FailureReason = 0x0110
    expected, of_step, code = Dataset(), Dataset(), Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "RPID1", "RadLex", "XR Chest PA"
    of_step.Modality, of_step.ScheduledProcedureStepStartDate = "DX", "20260105"
    of_step.ScheduledProcedureStepStartTime = "0830"
    of_step.ScheduledProcedureStepDescription = "Thorax pa/lat"
    of_step.ScheduledProtocolCodeSequence = [code]
    expected.PatientName, expected.PatientID, expected.StudyInstanceUID = "PHANTOM^A", "P1", "2.25.4"
    expected.SpecificCharacterSet = "ISO_IR 192"
    expected.ScheduledProcedureStepSequence, expected.RequestedProcedureCodeSequence = [of_step], [code]
    for message in (step, kept, expected):
        out = BytesIO()
        pydicom.dcmwrite(out, message, implicit_vr=False, little_endian=True)
        yield out.getvalue()
