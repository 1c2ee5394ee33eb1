# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What arrived: a file, the DICOM instance in it, and the acquisition that instances make together.

Fields that mirror a DICOM attribute carry its keyword in snake_case. Unknown is None, never a default.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path


class Door(str, Enum):
    """Through which door a file came in."""

    FOLDER = "folder"
    ASSOCIATION = "association"
    COMMAND = "command"


class Urgency(int, Enum):
    """How soon somebody needs the answer; smaller is sooner."""

    STAT = 0
    """The request says so: RequestedProcedurePriority or the door's own setting."""
    LIVE = 1
    """It has just been acquired: the patient may still be here."""
    BACKFILL = 2
    """It was already waiting when the appliance started."""


class Kind(str, Enum):
    """What instances make together."""

    PROJECTION = "projection"
    """One radiograph; an acquisition by itself."""
    VOLUME = "volume"
    """Slices of a CT or MR series."""


class Completeness(str, Enum):
    """How sure we are that everything that belongs to an acquisition is here."""

    RECEIVING = "RECEIVING"
    COMPLETE = "COMPLETE"
    """Evidence says so: a count, a gapless stack after its association ended, or a single image."""
    QUIET = "QUIET"
    """Nothing came for the quiet time. Assumed, not known."""
    INCOMPLETE = "INCOMPLETE"
    """Evidence says that something is missing."""
    CONFLICT = "CONFLICT"
    """One SOPInstanceUID came with different contents. All versions are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LandedFile:
    """A durable copy in the spool: its name is its content."""

    path: Path
    sha256: str
    size_bytes: int
    door: Door
    source: str
    """The path in the inbox, or "AE TITLE@host" of the sender. For people; never opened again."""
    urgency: Urgency
    landed_at_utc: datetime
    noticed_ns: int
    """Monotonic time of the first sight of the finished file (closed, or received)."""
    landed_ns: int
    """Monotonic time at which the copy was durable."""
    complete_ns: int | None = None
    """When it was seen to be finished; None: it came through an association, which says so itself."""
    claimed_ns: int | None = None
    """When the copy had been read, flushed and given back by the disk; None: nobody took the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelFormat:
    """How the pixels of an instance are stored. Sizes in pixels; samples are per PS3.5 section 8."""

    transfer_syntax_uid: str
    rows: int
    columns: int
    number_of_frames: int
    samples_per_pixel: int
    photometric_interpretation: str
    bits_allocated: int
    bits_stored: int
    pixel_representation: int
    """0 unsigned, 1 two's complement."""

    @property
    def bytes_native(self) -> int:
        """Bytes of all frames when decoded."""
        bits = self.rows * self.columns * self.number_of_frames * self.samples_per_pixel
        return (bits * self.bits_allocated + 7) // 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """Who the header says this is. Shown on screen, never logged."""

    patient_id: str | None
    patient_name: str | None
    patient_sex: str | None
    patient_birth_date: str | None
    age_years: float | None
    """From PatientAge, else from PatientBirthDate and the acquisition's date, else None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """What the modality says about the exposure (IEC 62494-1 indices where it gives them)."""

    exposure_index: float | None
    target_exposure_index: float | None
    deviation_index: float | None
    kvp: float | None
    exposure_mas: float | None
    exposure_time_ms: float | None
    body_part_thickness_mm: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """Where the pixels are in the patient. One position per frame, in millimetres (PS3.3 C.7.6.2)."""

    pixel_spacing_mm: tuple[float, float] | None
    """Row spacing, column spacing; never guessed."""
    pixel_spacing_source: str | None
    """The keyword it came from: PixelSpacing, ImagerPixelSpacing or NominalScannedPixelSpacing."""
    image_orientation_patient: tuple[float, float, float, float, float, float] | None
    frame_positions_mm: tuple[tuple[float, float, float], ...]
    """ImagePositionPatient of each frame; empty where the header gives none."""
    slice_thickness_mm: float | None
    spacing_between_slices_mm: float | None
    patient_orientation: tuple[str, str] | None
    """Directions of the rows and of the columns: PatientOrientation, e.g. ("L", "F")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """Which machine, protocol and settings made the image."""

    manufacturer: str | None
    manufacturer_model_name: str | None
    station_name: str | None
    device_serial_number: str | None
    detector_id: str | None
    protocol_name: str | None
    convolution_kernel: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesCounts:
    """What the header says about how many instances there should be. All of it optional in DICOM."""

    instance_number: int | None
    acquisition_number: int | None
    images_in_acquisition: int | None
    number_of_temporal_positions: int | None
    number_of_slices: int | None
    number_of_time_slices: int | None
    temporal_position_identifier: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One DICOM object as its header describes it, leniently read and validated."""

    path: Path
    sha256: str
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str
    modality: str
    body_part: str | None
    """BodyPartExamined, else the meaning of AnatomicRegionSequence; upper case."""
    view_position: str | None
    """ViewPosition, else the meaning of ViewCodeSequence; upper case."""
    laterality: str | None
    """ImageLaterality, else Laterality: R, L, U or B."""
    image_type: tuple[str, ...]
    series_description: str | None
    study_description: str | None
    series_number: int | None
    acquired_at: str | None
    """AcquisitionDateTime, or AcquisitionDate+Time, or ContentDate+Time, as the header writes them."""
    requested_priority: str | None
    burned_in_annotation: str | None
    pixels: PixelFormat | None
    """None: this object carries no pixels (SR, RTSTRUCT, DICOMDIR, ...)."""
    patient: Patient
    exposure: Exposure
    geometry: Geometry
    equipment: Equipment
    counts: SeriesCounts
    accession_number: str | None = None
    """The order's number. Not in headers that were stored before it was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceRef:
    """One slice of a volume: which frame of which instance, and where it lies along the stack."""

    instance: int
    """Index into `Acquisition.instances`."""
    frame: int
    position_mm: float | None
    """Along the normal of the slices; None where the header gives no position."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquisition:
    """What one exposure or one scan produced: the unit that is checked, triaged and denoised."""

    acquisition_id: str
    version: int
    """Rises when a late or different instance changes what there is to look at."""
    kind: Kind
    completeness: Completeness
    evidence: str
    """In words: why `completeness` is what it is."""
    urgency: Urgency
    instances: tuple[Instance, ...]
    """In order of arrival for the eye of the reader; `slices` is the order that counts."""
    slices: tuple[SliceRef, ...]
    """The stack in spatial order; one entry for a projection."""

    @property
    def first(self) -> Instance:
        """The instance whose header speaks for the acquisition."""
        return self.instances[self.slices[0].instance if self.slices else 0]
