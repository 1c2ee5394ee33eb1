# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A synthetic axial CT series as DICOM files (CT Image Storage), with its truth.

The slices run from the lungs down into the upper abdomen. Hounsfield units are ordinary tissue values.
The same plan gives the same bytes. Encoding is pydicom's.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from appliance.selftest.phantom_canvas import Plane
from appliance.selftest.phantom_radiograph import identify_phantom, phantom_uid

SIZE_PX: Final = 512
AIR_HU: Final = -1000.0
LUNG_HU: Final = -860.0
FAT_HU: Final = -100.0
MUSCLE_HU: Final = 55.0
LIVER_HU: Final = 60.0
BLOOD_HU: Final = 45.0
BONE_HU: Final = 700.0
METAL_HU: Final = 3071.0
"""Largest value of 12 stored bits with the usual intercept of -1024."""
_LOWEST_HU: Final = -1024.0
_TOP_OF_LIVER_MM: Final = 60.0
"""Depth below the first slice at which the diaphragm domes begin."""
_SUBPIXEL_BITS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class CtPlan:
    """How the series is scanned, and what is wrong with it. The default is a good one."""

    seed: int = 1
    slices: int = 40
    """How many there ought to be."""
    spacing_mm: float = 5.0
    header_spacing_mm: float | None = None
    """What SpacingBetweenSlices claims; None: the truth."""
    field_mm: float = 380.0
    """Diameter of the reconstruction; the body is 330 mm wide."""
    off_centre_mm: tuple[float, float] = (0.0, 0.0)
    """Displacement of the patient: (down, right)."""
    noise_hu: float = 9.0
    """Standard deviation at the centre of the body."""
    missing: tuple[int, ...] = ()
    """Slices that are not written, counted from 0."""
    doubled: tuple[int, ...] = ()
    """Slices that are written twice at the same place, as two instances."""
    streaked: tuple[int, ...] = ()
    """Slices with streaks, as of photon starvation or of a patient that moved."""
    streak_hu: float = 45.0
    metal: tuple[int, ...] = ()
    """Slices through a metal implant."""
    intercept_error_hu: float = 0.0
    """Added to every value: a wrong rescale."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenCt:
    """The files in order of position, and what was planted in them."""

    paths: tuple[Path, ...]
    positions_mm: tuple[float, ...]
    plan: CtPlan


def write_ct(folder: Path, plan: CtPlan | None = None) -> WrittenCt:
    """Write the series into `folder` (made when absent) as ct_000.dcm, ct_001.dcm, ..."""
    plan = plan or CtPlan()
    folder.mkdir(parents=True, exist_ok=True)
    paths, positions = list[Path](), list[float]()
    for index in range(plan.slices):
        if index in plan.missing:
            continue
        stored = _slice_stored(plan, index)
        for copy in range(2 if index in plan.doubled else 1):
            path = folder / f"ct_{len(paths):03d}.dcm"
            position = -plan.spacing_mm * index
            _write_slice(path, plan, index, copy, position, stored)
            paths.append(path)
            positions.append(position)
    return WrittenCt(paths=tuple(paths), positions_mm=tuple(positions), plan=plan)


def _slice_stored(plan: CtPlan, index: int) -> NDArray[np.int16]:
    rng = np.random.default_rng((plan.seed, index))
    hu = ct_slice_hu(plan, index)
    hu = hu + _noise(hu, plan.noise_hu, rng)
    if index in plan.streaked:
        hu = hu + _streaks(hu, plan.streak_hu, rng)
    if index in plan.metal:
        hu = _with_metal(hu, rng)
    hu = hu + np.float32(plan.intercept_error_hu)
    np.clip(hu, _LOWEST_HU, METAL_HU, out=hu)
    y, x = _grid(plan, centred=True)
    hu[np.hypot(y, x) > plan.field_mm / 2] = _LOWEST_HU
    return (np.round(hu) - _LOWEST_HU).astype(np.int16)


def _grid(plan: CtPlan, *, centred: bool = False) -> tuple[Plane, Plane]:
    pixel_mm = plan.field_mm / SIZE_PX
    line = (np.arange(SIZE_PX, dtype=np.float32) - (SIZE_PX - 1) / 2) * np.float32(pixel_mm)
    down, right = (0.0, 0.0) if centred else plan.off_centre_mm
    return (line - np.float32(down))[:, None], (line - np.float32(right))[None, :]


class _Slice:
    """A slice being drawn, in millimetres from the centre of the body."""

    def __init__(self, plan: CtPlan) -> None:
        self._pixel_mm = plan.field_mm / SIZE_PX
        self._centre = plan.off_centre_mm
        self.hu: Plane = np.full((SIZE_PX, SIZE_PX), AIR_HU, dtype=np.float32)

    def ellipse(
        self,
        row: float,
        column: float,
        half_height: float,
        half_width: float,
        hu: float,
        *,
        turn: float = 0.0,
    ) -> None:
        """Fill an ellipse with one value; `turn` in degrees clockwise."""
        if half_height <= 0 or half_width <= 0:
            return
        scale = 1 << _SUBPIXEL_BITS
        middle = (SIZE_PX - 1) / 2
        centre = (
            round(((column + self._centre[1]) / self._pixel_mm + middle) * scale),
            round(((row + self._centre[0]) / self._pixel_mm + middle) * scale),
        )
        axes = (round(half_width / self._pixel_mm * scale), round(half_height / self._pixel_mm * scale))
        cv2.ellipse(self.hu, centre, axes, turn, 0.0, 360.0, (hu,), -1, cv2.LINE_8, _SUBPIXEL_BITS)


def ct_slice_hu(plan: CtPlan, index: int) -> Plane:
    """One slice without noise or faults, in HU."""
    depth = plan.spacing_mm * index
    below = max(0.0, depth - _TOP_OF_LIVER_MM)
    drawn = _Slice(plan)
    girth = 1.0 + 0.04 * float(np.sin(depth / 70.0))
    drawn.ellipse(4, 0, 108 * girth, 165 * girth, FAT_HU)
    drawn.ellipse(4, 0, 96 * girth, 150 * girth, MUSCLE_HU)
    lung = max(0.0, 1.0 - below / 120.0)
    for side in (-1.0, 1.0):
        drawn.ellipse(2, side * 76, 82, 58, LIVER_HU if side < 0 else FAT_HU)
        drawn.ellipse(2 + 34 * (1 - lung), side * (76 + 14 * (1 - lung)), 80 * lung, 56 * lung**0.5, LUNG_HU)
        _vessels(drawn, plan, index, side, lung)
    if below < 30.0:
        drawn.ellipse(-24, 14, 52, 62, BLOOD_HU)
        drawn.ellipse(-22, 0, 60, 22, MUSCLE_HU)
    else:
        _abdomen(drawn, below)
    _skeleton(drawn, depth)
    y, x = _grid(plan)
    table = np.abs(y - 124.0 + np.square(x) / 900.0) < 3.0
    drawn.hu[table & (np.abs(x) < 200.0)] = 120.0
    return cv2.GaussianBlur(drawn.hu, (0, 0), 0.7)


def _vessels(drawn: _Slice, plan: CtPlan, index: int, side: float, lung: float) -> None:
    rng = np.random.default_rng((plan.seed, 7, index // 3))
    for _ in range(int(26 * lung)):
        angle, reach = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.85)
        row, column = 2 + 74 * lung * reach * np.sin(angle), side * 76 + 48 * lung * reach * np.cos(angle)
        radius = 0.8 + 2.2 * (1 - reach)
        drawn.ellipse(float(row), float(column), radius, radius * 1.3, BLOOD_HU)


def _abdomen(drawn: _Slice, below: float) -> None:
    grown = min(1.0, (below - 20.0) / 60.0)
    drawn.ellipse(-8, -62, 70 * grown, 78 * grown, LIVER_HU, turn=-12)
    drawn.ellipse(22, 96, 40 * grown, 26 * grown, 52.0, turn=30)
    drawn.ellipse(-46, 56, 30 * grown, 40 * grown, 30.0)
    drawn.ellipse(-54, 54, 14 * grown, 30 * grown, -950.0)
    for side in (-1.0, 1.0):
        drawn.ellipse(44, side * 58, 26 * grown, 18 * grown, 35.0, turn=20 * side)


def _skeleton(drawn: _Slice, depth: float) -> None:
    drawn.ellipse(46, 0, 20, 24, 220.0)
    drawn.ellipse(46, 0, 17, 21, 170.0)
    drawn.ellipse(72, 0, 11, 12, BONE_HU * 0.6)
    drawn.ellipse(71, 0, 8, 9, 20.0)
    drawn.ellipse(92, 0, 13, 4, 420.0)
    drawn.ellipse(24, 20, 12, 12, BLOOD_HU + 5)
    for rib in range(9):
        for side in (-1.0, 1.0):
            angle = np.radians(-78.0 + rib * 17.0 + 8.0 * np.sin(depth / 12.0 + rib))
            row, column = 4 + 93 * np.sin(angle), side * 144 * np.cos(angle)
            drawn.ellipse(
                float(row), float(column), 5, 8, BONE_HU, turn=side * float(np.degrees(angle)) + 90.0
            )
            drawn.ellipse(
                float(row), float(column), 2.4, 4.5, 180.0, turn=side * float(np.degrees(angle)) + 90.0
            )


def _noise(hu: Plane, deviation: float, rng: np.random.Generator) -> Plane:
    """Band-limited noise as of filtered back projection, strongest where the body is thickest."""
    white = rng.standard_normal(hu.shape, dtype=np.float32)
    texture = cv2.GaussianBlur(white, (0, 0), 0.75) - 0.85 * cv2.GaussianBlur(white, (0, 0), 2.4)
    texture *= np.float32(1.0 / max(float(texture.std()), 1e-6))
    thick = cv2.blur((hu > -500.0).astype(np.float32), (121, 121))
    share = (0.3 + 0.7 * thick / max(float(thick.max()), 1e-6)).astype(np.float32)
    return texture * share * np.float32(deviation)


def _streaks(hu: Plane, amplitude: float, rng: np.random.Generator) -> Plane:
    """Lines right across the body, within 12 degrees of horizontal: the direction of the shoulders."""
    field: Plane = np.zeros(hu.shape, dtype=np.float32)
    for _ in range(70):
        row, slope = float(rng.uniform(0.2, 0.85)) * SIZE_PX, float(rng.normal(0.0, 0.08))
        half = slope * SIZE_PX / 2
        value = float(rng.normal(0.0, 1.0))
        cv2.line(
            field,
            (0, round(row - half)),
            (SIZE_PX, round(row + half)),
            (value,),
            int(rng.integers(1, 4)),
            cv2.LINE_8,
        )
    field = cv2.GaussianBlur(field, (0, 0), 0.8)
    scaled = field * np.float32(amplitude / max(float(field.std()), 1e-6))
    return np.where(hu > -950.0, scaled, 0.3 * scaled).astype(np.float32)


def _with_metal(hu: Plane, rng: np.random.Generator) -> Plane:
    """A rod beside the spine, with bright and dark rays."""
    row, column = round(SIZE_PX * 0.64), round(SIZE_PX * 0.45)
    rays = np.zeros(hu.shape, dtype=np.float32)
    for angle in np.linspace(0, np.pi, 24, endpoint=False):
        dy, dx = float(np.sin(angle)) * SIZE_PX, float(np.cos(angle)) * SIZE_PX
        ends = ((round(column - dx), round(row - dy)), (round(column + dx), round(row + dy)))
        cv2.line(rays, ends[0], ends[1], (float(rng.normal(0, 250.0)),), 2)
    y, x = np.ogrid[:SIZE_PX, :SIZE_PX]
    away = np.hypot(y - row, x - column).astype(np.float32)
    damaged = hu + cv2.GaussianBlur(rays, (0, 0), 1.0) * np.exp(-away / 90.0).astype(np.float32)
    damaged[away < 7] = METAL_HU
    return np.asarray(damaged, dtype=np.float32)


def _write_slice(
    path: Path, plan: CtPlan, index: int, copy: int, position: float, stored: NDArray[np.int16]
) -> None:
    dataset = Dataset()
    identify_phantom(
        dataset, name="PHANTOM^CT", patient_id="PHANTOM-CT", seed=plan.seed, kind="CT", number=index + 1
    )
    dataset.Modality, dataset.SOPClassUID = "CT", CTImageStorage
    dataset.SOPInstanceUID = phantom_uid("CT", plan, index, copy)
    dataset.FrameOfReferenceUID, dataset.PositionReferenceIndicator = (
        phantom_uid("CT", plan.seed, "frame"),
        "",
    )
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.BodyPartExamined, dataset.PatientPosition = "CHEST", "HFS"
    dataset.SeriesDescription, dataset.ProtocolName = "CT phantom", "Phantom"
    dataset.AcquisitionNumber, dataset.KVP, dataset.ConvolutionKernel = 1, "120", "STANDARD"
    dataset.Exposure, dataset.XRayTubeCurrent, dataset.ExposureTime = 30, 60, 500
    dataset.ReconstructionDiameter = f"{plan.field_mm:g}"
    dataset.SliceThickness = f"{plan.spacing_mm:g}"
    dataset.SpacingBetweenSlices = f"{plan.header_spacing_mm or plan.spacing_mm:g}"
    corner = -plan.field_mm / 2 + plan.field_mm / SIZE_PX / 2
    dataset.ImagePositionPatient = [f"{corner:.6g}", f"{corner:.6g}", f"{position:.6g}"]
    dataset.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    dataset.SliceLocation = f"{position:.6g}"
    dataset.Rows = dataset.Columns = SIZE_PX
    dataset.PixelSpacing = [f"{plan.field_mm / SIZE_PX:.8g}"] * 2
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = f"{_LOWEST_HU:g}", "1", "HU"
    dataset.WindowCenter, dataset.WindowWidth = "40", "400"
    dataset.PixelData = stored.astype("<u2").tobytes()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = CTImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.save_as(path, enforce_file_format=True)
