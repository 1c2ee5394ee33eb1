# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""DICOM files with known truth, and one jail for all tests that do not hurt it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels import get_decoder
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from appliance.clock import SystemClock
from appliance.config import ReadingSettings
from appliance.intake.jail import Jail

WriteDicom: TypeAlias = Callable[..., Path]
ReadReference: TypeAlias = Callable[..., NDArray[Any]]
DX_CLASS = "1.2.840.10008.5.1.4.1.1.1.1"


@pytest.fixture(scope="session")
def jail() -> Iterator[Jail]:
    """A jail with the settings as shipped."""
    with Jail(ReadingSettings(), SystemClock()) as shared:
        yield shared


@pytest.fixture
def header() -> Dataset:
    """A complete radiograph's header, pixels not included."""
    dataset = Dataset()
    dataset.SOPClassUID = DX_CLASS
    dataset.SOPInstanceUID = "2.25.1"
    dataset.StudyInstanceUID = "2.25.2"
    dataset.SeriesInstanceUID = "2.25.3"
    dataset.Modality = "DX"
    dataset.PatientID = "PHANTOM"
    return dataset


@pytest.fixture
def write_dicom(tmp_path: Path, header: Dataset) -> WriteDicom:
    """Write `pixels` as DICOM. Elements given by keyword win over what follows from the array.

    `frames` are codestreams for a compressed `syntax`; `raw` are the bytes of PixelData as they are.
    """

    def write(
        pixels: NDArray[Any] | None = None,
        *,
        name: str = "image.dcm",
        syntax: str = ExplicitVRLittleEndian,
        frames: list[bytes] | None = None,
        raw: bytes | None = None,
        **elements: Any,
    ) -> Path:
        if pixels is not None:
            header.Rows, header.Columns = pixels.shape[-2:] if pixels.ndim < 4 else pixels.shape[1:3]
            header.BitsAllocated = header.BitsStored = 8 * pixels.dtype.itemsize
            header.HighBit = header.BitsStored - 1
            header.PixelRepresentation = int(pixels.dtype.kind == "i")
            header.SamplesPerPixel = 1
            header.PhotometricInterpretation = "MONOCHROME2"
            if pixels.ndim == 3:
                header.NumberOfFrames = pixels.shape[0]
            order = ">" if syntax == ExplicitVRBigEndian else "<"
            content = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
            header.PixelData = content + b"\0" * (len(content) % 2)
        for keyword, value in elements.items():
            setattr(header, keyword, value)
        if frames is not None:
            header.PixelData = encapsulate(frames)
        if raw is not None:
            header.PixelData = raw
        if "PixelData" in header:
            header["PixelData"].VR = "OW" if frames is None else "OB"
            header["PixelData"].is_undefined_length = frames is not None
        header.file_meta = FileMetaDataset()
        header.file_meta.TransferSyntaxUID = syntax
        path = tmp_path / name
        implicit = syntax == ImplicitVRLittleEndian
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some of these files are wrong on purpose
            pydicom.dcmwrite(
                path,
                header,
                implicit_vr=implicit,
                little_endian=syntax != ExplicitVRBigEndian,
                enforce_file_format=True,
            )
        return path

    return write


@pytest.fixture(scope="session")
def read_reference() -> ReadReference:
    """The stored values of a frame as pydicom decodes them, raw (no colour conversion)."""

    def read(path: Path, frame_index: int = 0) -> NDArray[Any]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(path, force=True)
            decoder = get_decoder(dataset.file_meta.TransferSyntaxUID)
            return np.asarray(decoder.as_array(dataset, index=frame_index, raw=True)[0])

    return read
