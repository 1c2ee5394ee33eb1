# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The CT slices that the denoiser is trained and measured on, and their simulated noise, kept on disk."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.encaps import get_frame
from pydicom.uid import JPEG2000Lossless, JPEGLosslessSV1

from export.reference.low_dose import FloatArray, blur_px, clamp, noise_level, random_scan, unit_noise

HELD_OUT_PATIENTS = ("CCMD-cap002", "NYSBU-A048383", "NYSBU-A058062")
"""Whole patients kept for measuring; chosen for scanner and kernel before any training."""
PHANTOM = "ALDERSON-PHANTOM"
"""No licence is stated for it: neither trained on nor measured."""
COMPRESSED: dict[str, Callable[[bytes], NDArray[np.integer]]] = {
    JPEGLosslessSV1: imagecodecs.ljpeg_decode,
    JPEG2000Lossless: imagecodecs.jpeg2k_decode,
}
"""How these files are compressed, and what decodes them."""
NOISES_PER_SLICE = 4
SIDE_PX = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One routine-dose slice."""

    file: str
    patient: str
    spacing_mm: float
    own_noise_hu: float
    held_out: bool
    blurs_px: tuple[float, ...]
    """How the kernel of each simulated noise blurs the patient."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceSet:
    """Slices with unit noise images drawn for each of them."""

    slices: tuple[Slice, ...]
    hu: NDArray[np.int16]
    noise: NDArray[np.float16]


def read_hu(path: Path) -> tuple[FloatArray, float]:
    """CT numbers of a file, and the pixel spacing."""
    file = pydicom.dcmread(path)
    syntax = file.file_meta.TransferSyntaxUID
    if syntax in COMPRESSED:
        stored = COMPRESSED[syntax](get_frame(file.PixelData, 0, number_of_frames=1))
        if file.PixelRepresentation == 1:
            unused_bits = 16 - int(file.BitsStored)
            stored = (stored.astype(np.uint16) << unused_bits).astype(np.int16) >> unused_bits
    else:
        stored = file.pixel_array
    hu = stored.astype(np.float32) * float(file.RescaleSlope) + float(file.RescaleIntercept)
    return hu, float(file.PixelSpacing[0])


def low_dose_pairs(data: Path) -> list[tuple[str, Path, Path]]:
    """Real (series, routine dose, quarter dose) files; for measuring only, their terms forbid more."""
    found = sorted((data / "ct" / "ct-lowdose-pairs").glob("*/*_FD.dcm"))
    return [(path.parent.name, path, path.with_name(path.name.replace("_FD", "_QD"))) for path in found]


def routine_rows(data: Path) -> list[dict[str, str]]:
    """Rows of the list of routine-dose slices whose files are there, the phantom left out."""
    with (data / "ct" / "ct-normal-dose" / "MANIFEST.csv").open(newline="") as table:
        rows = [row for row in csv.DictReader(table) if row["patient"] != PHANTOM]
    return [row for row in rows if (data / "ct" / row["file"]).exists()]


def simulate(
    data: Path, rows: Iterable[dict[str, str]], *, noises: int, random: np.random.Generator
) -> SliceSet:
    """Read these slices and draw so many unit noise images for each; those of another size are left out."""
    slices: list[Slice] = []
    values: list[NDArray[np.int16]] = []
    drawn: list[NDArray[np.float16]] = []
    for row in rows:
        hu, spacing_mm = read_hu(data / "ct" / row["file"])
        clamped = clamp(hu)
        if clamped.shape != (SIDE_PX, SIDE_PX):
            continue
        scans = tuple(random_scan(random) for _ in range(noises))
        noise = unit_noise(clamped, spacing_mm=spacing_mm, scans=scans, random=random)
        drawn.append(noise.astype(np.float16))
        values.append(clamped.round().astype(np.int16))
        slices.append(
            Slice(
                file=row["file"],
                patient=row["patient"],
                spacing_mm=spacing_mm,
                own_noise_hu=noise_level(clamped),
                held_out=row["patient"] in HELD_OUT_PATIENTS,
                blurs_px=tuple(blur_px(scan) for scan in scans),
            )
        )
    return SliceSet(slices=tuple(slices), hu=np.stack(values), noise=np.stack(drawn))


def prepare(data: Path, cache: Path, *, seed: int = 20261122) -> SliceSet:
    """Read the slices and simulate their noise once; later calls read the cache."""
    index = cache / "slices.json"
    if not index.exists():
        cache.mkdir(parents=True, exist_ok=True)
        made = simulate(data, routine_rows(data), noises=NOISES_PER_SLICE, random=np.random.default_rng(seed))
        np.save(cache / "hu.npy", made.hu)
        np.save(cache / "noise.npy", made.noise)
        index.write_text(json.dumps([asdict(item) for item in made.slices]))
    return SliceSet(
        slices=tuple(
            Slice(**{**item, "blurs_px": tuple(item["blurs_px"])}) for item in json.loads(index.read_text())
        ),
        hu=np.load(cache / "hu.npy"),
        noise=np.load(cache / "noise.npy", mmap_mode="r"),
    )
