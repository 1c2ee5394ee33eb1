# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The files that are measured with: synthetic radiographs in five transfer syntaxes, and a CT series.

The pixels are the phantoms of `appliance.selftest`: anatomy, quantum noise and detector resolution, so
that lossless codecs reach the 2:1 of real radiographs. Encoding is GDCM's and OpenJPH's; headers are
pydicom's. Each arrival is a study of its own: the same bytes twice would be recognised as such.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import gdcm
import imagecodecs
import numpy as np
from pydicom import dcmread
from pydicom.dataset import FileDataset
from pydicom.encaps import encapsulate
from pydicom.uid import HTJ2KLossless, generate_uid

from appliance.clock import NS_PER_S
from appliance.selftest.phantom_ct import CtPlan, write_ct
from appliance.selftest.phantom_radiograph import write_chest

RAW: Final = "dx_raw"
HTJ2K: Final = "dx_htj2k"
GDCM_SYNTAXES: Final = MappingProxyType(
    {
        "dx_jpeg_lossless": gdcm.TransferSyntax.JPEGLosslessProcess14_1,
        "dx_jpeg_ls": gdcm.TransferSyntax.JPEGLSLossless,
        "dx_j2k": gdcm.TransferSyntax.JPEG2000Lossless,
    }
)
RADIOGRAPHS: Final = (RAW, "dx_jpeg_lossless", "dx_jpeg_ls", HTJ2K, "dx_j2k")
"""Names of the radiograph measurements; `ratio_to_naive` has them as keys."""
CT_EXTENT_MM: Final = 300.0
"""From the lungs to the upper abdomen, whatever the number of slices."""
BACKLOG_AGE_S: Final = 3600.0
SMALL_PX: Final = 64
"""Side of a backlog radiograph: the files are to be many, not large."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """Files as they will arrive, and how the store will name them."""

    files: tuple[Path, ...]
    study_instance_uid: str


class ChangeSyntaxError(RuntimeError):
    """A codec library refused to encode."""


def write_radiographs(
    folder: Path, *, rows: int = 3000, columns: int = 2500, names: tuple[str, ...] = RADIOGRAPHS
) -> dict[str, Path]:
    """One 14-bit chest radiograph in every transfer syntax of `names`: name to file."""
    folder.mkdir(parents=True, exist_ok=True)
    raw = write_chest(folder / f"{RAW}.dcm", rows=rows, columns=columns).path
    written = {RAW: raw}
    for name, syntax in GDCM_SYNTAXES.items():
        if name in names:
            written[name] = _encode_with_gdcm(raw, folder / f"{name}.dcm", syntax)
    if HTJ2K in names:
        written[HTJ2K] = _encode_htj2k(raw, folder / f"{HTJ2K}.dcm")
    return {name: written[name] for name in names}


def _encode_with_gdcm(raw: Path, out: Path, syntax: int) -> Path:
    reader = gdcm.ImageReader()
    reader.SetFileName(str(raw))
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(out))
    if not reader.Read():
        raise ChangeSyntaxError(f"GDCM cannot read {raw}.")
    change.SetInput(reader.GetImage())
    if not change.Change():
        raise ChangeSyntaxError(f"GDCM cannot encode {raw} as {syntax}.")
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    if not writer.Write():
        raise ChangeSyntaxError(f"GDCM cannot write {out}.")
    return out


def _encode_htj2k(raw: Path, out: Path) -> Path:
    dataset = dcmread(raw)
    frame = bytes(imagecodecs.htj2k_encode(np.ascontiguousarray(dataset.pixel_array), reversible=True))
    dataset.file_meta.TransferSyntaxUID = HTJ2KLossless
    dataset.PixelData = encapsulate([frame])
    dataset["PixelData"].VR = "OB"
    dataset.save_as(out, enforce_file_format=True)
    return out


def write_series(folder: Path, *, slices: int) -> tuple[Path, ...]:
    """An axial CT series of 512 x 512, uncompressed."""
    return write_ct(folder, CtPlan(slices=slices, spacing_mm=CT_EXTENT_MM / slices)).paths


def new_arrival(template: tuple[Path, ...], folder: Path) -> Study:
    """The same pictures as a study that was never seen: new UIDs, files in `folder`.

    The headers say how many images the acquisition has (0020,1002), as scanners do: neither side has to
    wait for silence to know that a series is whole.
    """
    folder.mkdir(parents=True, exist_ok=True)
    study, series, frame_of_reference = generate_uid(), generate_uid(), generate_uid()
    files: list[Path] = []
    for path in template:
        dataset = dcmread(path)
        _rename(dataset, study=study, series=series)
        if "FrameOfReferenceUID" in dataset:
            dataset.FrameOfReferenceUID = frame_of_reference
        dataset.ImagesInAcquisition = len(template)
        out = folder / f"{dataset.SOPInstanceUID}.dcm"
        dataset.save_as(out, enforce_file_format=True)
        files.append(out)
    return Study(files=tuple(files), study_instance_uid=study)


def write_backlog(folder: Path, *, files: int, urgent: int) -> tuple[Study, ...]:
    """Small radiographs, each a study; the last `urgent` of them with RequestedProcedurePriority STAT.

    The urgent ones sort last by name, so that no order of listing favours them. All were written an hour ago,
    as far as their file system knows: what has just come is not taken for a backlog.
    """
    folder.mkdir(parents=True, exist_ok=True)
    template = write_chest(folder / "template", rows=SMALL_PX, columns=SMALL_PX).path
    dataset = dcmread(template)
    template.unlink()
    studies: list[Study] = []
    for number in range(files):
        study = generate_uid()
        _rename(dataset, study=study, series=generate_uid())
        dataset.RequestedProcedurePriority = "STAT" if number >= files - urgent else "ROUTINE"
        out = folder / f"{number:06d}.dcm"
        dataset.save_as(out, enforce_file_format=True)
        written_ns = out.stat().st_mtime_ns - round(BACKLOG_AGE_S * NS_PER_S)
        os.utime(out, ns=(written_ns, written_ns))
        studies.append(Study(files=(out,), study_instance_uid=study))
    return tuple(studies)


def _rename(dataset: FileDataset, *, study: str, series: str) -> None:
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study, series
    dataset.SOPInstanceUID = generate_uid()
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
