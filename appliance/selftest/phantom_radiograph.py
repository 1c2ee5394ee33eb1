# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Synthetic radiographs as DICOM files (Digital X-Ray Image Storage - For Presentation), with their truth.

The same seed and plan give the same bytes. Encoding is pydicom's.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

from appliance.selftest.phantom_canvas import Canvas
from appliance.selftest.phantom_chest import ChestTruth, chest_attenuation
from appliance.selftest.phantom_exposure import Display, ExposurePlan, expose, open_field_px
from appliance.selftest.phantom_limb import forearm_attenuation, hand_attenuation

ROWS: Final = 3000
COLUMNS: Final = 2500
CHEST_FIELD_MM: Final = 420.0
"""Height of a 35 x 42 cm detector."""
LIMB_FIELD_MM: Final = {"HAND": 300.0, "FOREARM": 420.0}
"""Height of the exposed part of the detector."""
_DRAWING_REDUCTION: Final = 2
"""Anatomy is drawn at half the resolution of the finest picture: finer than any structure in it."""
TARGET_EXPOSURE_INDEX: Final = {"CHEST": 250.0, "HAND": 400.0, "FOREARM": 400.0}
_CHEST_DISPLAY: Final = (0.25, 5.6)
_LIMB_DISPLAY: Final = {"HAND": (-0.05, 2.3), "FOREARM": (-0.05, 3.4)}
_CODES: Final = {
    "CHEST": ("816094009", "Chest"),
    "HAND": ("85562004", "Hand"),
    "FOREARM": ("14975008", "Forearm"),
}
"""SNOMED CT codes of the anatomic region (PS3.16 CID 4031)."""
_VIEWS: Final = {"AP": ("399348003", "antero-posterior"), "PA": ("272479007", "postero-anterior")}
"""SNOMED CT codes of the view (PS3.16 CID 4010)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What the header says beside the pixels."""

    seed: int = 1
    """Names the study: the same seed, the same UIDs and the same noise."""
    copy: int = 0
    """1, 2, ...: the same picture sent again as another instance."""
    patient_name: str | None = None
    """None: PHANTOM^ and the body part."""
    patient_id: str = "PHANTOM-1"
    body_part: str | None = None
    """What BodyPartExamined claims; None: the truth."""
    view_position: str = "PA"
    image_laterality: str = ""
    exposure_index_given: bool = True


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RadiographTruth:
    """What was planted in a radiograph."""

    body_part: str
    plan: ExposurePlan
    pixel_mm: float
    field_px: tuple[int, int, int, int]
    """Open field before turning: first row, first column, row and column after the last."""
    deviation_index: float
    cut_off_mm: tuple[tuple[str, float], ...]
    """Which anatomy lies outside the open field, and how far (chest only)."""
    chest: ChestTruth | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WrittenRadiograph:
    """A file and its truth."""

    path: Path
    truth: RadiographTruth


def write_chest(
    path: Path,
    plan: ExposurePlan | None = None,
    *,
    identity: Identity | None = None,
    rows: int = ROWS,
    columns: int = COLUMNS,
    bits_stored: int = 14,
    monochrome1: bool = False,
) -> WrittenRadiograph:
    """A PA chest. 3000 x 2500 pixels of 0.14 mm by default; fewer pixels cover the same field."""
    plan, identity = plan or ExposurePlan(), identity or Identity()
    canvas = Canvas(rows=rows, columns=columns, pixel_mm=CHEST_FIELD_MM / rows)
    drawing = _drawing(canvas, plan)
    rng = np.random.default_rng(identity.seed)
    attenuation, chest = chest_attenuation(drawing, rng)
    black, white = _CHEST_DISPLAY
    display = Display(black=black, white=white, bits_stored=bits_stored, monochrome1=monochrome1)
    pixels = expose(attenuation, canvas, plan, display, rng)
    truth = _truth("CHEST", canvas, plan, chest)
    return _write(path, pixels, truth, identity, display)


def write_limb(
    path: Path,
    plan: ExposurePlan | None = None,
    *,
    body_part: str = "HAND",
    identity: Identity | None = None,
    rows: int = ROWS,
    columns: int = COLUMNS,
    bits_stored: int = 14,
    monochrome1: bool = False,
) -> WrittenRadiograph:
    """A right hand (300 mm high field) or a right forearm (420 mm). `body_part`: HAND or FOREARM."""
    plan = plan or ExposurePlan()
    identity = identity or Identity(image_laterality="R", view_position="PA" if body_part == "HAND" else "AP")
    canvas = Canvas(rows=rows, columns=columns, pixel_mm=LIMB_FIELD_MM[body_part] / rows)
    drawing = _drawing(canvas, plan)
    rng = np.random.default_rng(identity.seed)
    draw = hand_attenuation if body_part == "HAND" else forearm_attenuation
    attenuation = draw(drawing, rng)
    black, white = _LIMB_DISPLAY[body_part]
    display = Display(black=black, white=white, bits_stored=bits_stored, monochrome1=monochrome1)
    pixels = expose(attenuation, canvas, plan, display, rng)
    return _write(path, pixels, _truth(body_part, canvas, plan, None), identity, display)


def _drawing(canvas: Canvas, plan: ExposurePlan) -> Canvas:
    reduction = _DRAWING_REDUCTION if canvas.rows >= 2 * ROWS // 3 else 1
    down, right = plan.shift_mm
    rows, columns = canvas.rows // reduction, canvas.columns // reduction
    return Canvas(
        rows=rows, columns=columns, pixel_mm=canvas.pixel_mm * canvas.rows / rows, centre_mm=(-down, -right)
    )


def _truth(body_part: str, canvas: Canvas, plan: ExposurePlan, chest: ChestTruth | None) -> RadiographTruth:
    rows, columns = open_field_px(canvas, plan)
    cut_off: tuple[tuple[str, float], ...] = ()
    if chest is not None:
        edge_mm = (rows.stop - canvas.rows / 2) * canvas.pixel_mm - plan.shift_mm[0]
        lowest = zip(("right base", "left base"), chest.lowest_mm(), strict=True)
        cut_off = tuple((name, low - edge_mm) for name, low in lowest if low > edge_mm)
    return RadiographTruth(
        body_part=body_part,
        plan=plan,
        pixel_mm=canvas.pixel_mm,
        field_px=(rows.start, columns.start, rows.stop, columns.stop),
        deviation_index=10.0 * float(np.log10(plan.dose)),
        cut_off_mm=cut_off,
        chest=chest,
    )


def _write(
    path: Path, pixels: NDArray[np.uint16], truth: RadiographTruth, identity: Identity, display: Display
) -> WrittenRadiograph:
    dataset = Dataset()
    _identify(dataset, truth, identity)
    _describe_exposure(dataset, truth, identity)
    _describe_pixels(dataset, pixels, truth, display)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.save_as(path, enforce_file_format=True)
    return WrittenRadiograph(path=path, truth=truth)


def phantom_uid(*parts: object) -> str:
    """A UID that is always the same for the same parts."""
    return str(generate_uid(entropy_srcs=["scanside phantom", *(str(part) for part in parts)]))


def identify_phantom(
    dataset: Dataset, *, name: str, patient_id: str, seed: int, kind: str, number: int
) -> None:
    """Patient, study, series and equipment of a synthetic acquisition; all of it invented."""
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.PatientName, dataset.PatientID = name, patient_id
    dataset.PatientBirthDate, dataset.PatientSex, dataset.PatientAge = "19700101", "O", "056Y"
    dataset.StudyInstanceUID = phantom_uid(kind, seed, "study")
    dataset.SeriesInstanceUID = phantom_uid(kind, seed, "series")
    dataset.StudyID, dataset.AccessionNumber, dataset.ReferringPhysicianName = str(seed), f"PH{seed:06d}", ""
    dataset.StudyDate = dataset.SeriesDate = dataset.AcquisitionDate = dataset.ContentDate = "20260105"
    dataset.StudyTime = dataset.SeriesTime = dataset.AcquisitionTime = dataset.ContentTime = "072600"
    dataset.SeriesNumber, dataset.InstanceNumber = 1, number
    dataset.Manufacturer, dataset.ManufacturerModelName = "Scanside", "Phantom"
    dataset.DeviceSerialNumber, dataset.SoftwareVersions, dataset.StationName = "0", "1", "PHANTOM"


def _identify(dataset: Dataset, truth: RadiographTruth, identity: Identity) -> None:
    identify_phantom(
        dataset,
        name=identity.patient_name if identity.patient_name is not None else f"PHANTOM^{truth.body_part}",
        patient_id=identity.patient_id,
        seed=identity.seed,
        kind=truth.body_part,
        number=1 + identity.copy,
    )
    dataset.Modality, dataset.PresentationIntentType = "DX", "FOR PRESENTATION"
    dataset.SOPClassUID = DigitalXRayImageStorageForPresentation
    dataset.SOPInstanceUID = phantom_uid(truth.body_part, identity.seed, truth.plan, identity.copy)
    dataset.ImageType = ["ORIGINAL", "PRIMARY", ""]
    dataset.BodyPartExamined = identity.body_part if identity.body_part is not None else truth.body_part
    dataset.ViewPosition, dataset.ImageLaterality = identity.view_position, identity.image_laterality or "U"
    dataset.PatientOrientation = ["L", "F"]
    dataset.PositionerType = ""
    if identity.view_position in _VIEWS:
        dataset.ViewCodeSequence = DicomSequence([_code(*_VIEWS[identity.view_position])])
        dataset.ViewCodeSequence[0].ViewModifierCodeSequence = DicomSequence([])
    dataset.SeriesDescription = f"{truth.body_part} {identity.view_position} phantom"
    dataset.AnatomicRegionSequence = DicomSequence([_code(*_CODES[truth.body_part])])
    dataset.AcquisitionContextSequence = DicomSequence([])
    dataset.BurnedInAnnotation, dataset.LossyImageCompression = "NO", "00"


def _code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "SCT", meaning
    return item


def _describe_exposure(dataset: Dataset, truth: RadiographTruth, identity: Identity) -> None:
    limb = truth.body_part != "CHEST"
    dataset.KVP, dataset.ExposureTime = ("55", 12) if limb else ("125", 8)
    dataset.ExposureInuAs = round((2000 if limb else 1600) * truth.plan.dose)
    dataset.Exposure = max(1, round((2.0 if limb else 1.6) * truth.plan.dose))
    dataset.DetectorType, dataset.DetectorID = "SCINTILLATOR", "PHANTOM"
    dataset.DetectorConfiguration = "AREA"
    if identity.exposure_index_given:
        target = TARGET_EXPOSURE_INDEX[truth.body_part]
        dataset.ExposureIndex = f"{target * truth.plan.dose:.6g}"
        dataset.TargetExposureIndex = f"{target:.6g}"
        dataset.DeviationIndex = f"{truth.deviation_index:.4g}"


def _describe_pixels(
    dataset: Dataset, pixels: NDArray[np.uint16], truth: RadiographTruth, display: Display
) -> None:
    top = (1 << display.bits_stored) - 1
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel, dataset.PixelRepresentation = 1, 0
    dataset.PhotometricInterpretation = "MONOCHROME1" if display.monochrome1 else "MONOCHROME2"
    dataset.PresentationLUTShape = "INVERSE" if display.monochrome1 else "IDENTITY"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = (
        16,
        display.bits_stored,
        display.bits_stored - 1,
    )
    dataset.PixelIntensityRelationship, dataset.PixelIntensityRelationshipSign = "LOG", -1
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = "0", "1", "US"
    dataset.WindowCenter, dataset.WindowWidth = f"{(top + 1) / 2:g}", f"{top + 1:g}"
    spacing = f"{truth.pixel_mm:.8g}"
    dataset.ImagerPixelSpacing = dataset.PixelSpacing = [spacing, spacing]
    dataset.PixelSpacingCalibrationType = "GEOMETRY"
    dataset.PixelSpacingCalibrationDescription = "At the detector"
    dataset.PixelData = pixels.astype("<u2", copy=False).tobytes()
