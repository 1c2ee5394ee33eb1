# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Images of a series as headers, and what a store would hold of them: for the tests of assembly."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from appliance.domain.acquisition import (
    Acquisition,
    Completeness,
    Equipment,
    Exposure,
    Geometry,
    Instance,
    Patient,
    PixelFormat,
    SeriesCounts,
    Urgency,
)
from appliance.domain.record import from_json, to_json
from appliance.intake.assembly import Change, arrive, association_ended, went_quiet

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
STEP_MM = 2.5
QUIET_S = 60.0


def image(
    uid: str,
    *,
    content: str = "",
    modality: str = "CT",
    number: int | None = 1,
    place_mm: float | None = None,
    direction: tuple[float, ...] | None = AXIAL,
    patient: str | None = "P1",
    series: str = "1.2.3",
    acquisition_number: int | None = 1,
    announced: int | None = None,
    phases: int | None = None,
    frames: int = 1,
    rows: int = 512,
    priority: str | None = None,
    sop_class: str = "1.2.840.10008.5.1.4.1.1.2",
) -> Instance:
    place = (0.0, 0.0, place_mm) if direction == AXIAL else (0.0, place_mm, 0.0)
    return Instance(
        path=Path("spool") / uid,
        sha256=hashlib.sha256(f"{uid} {content}".encode()).hexdigest(),
        study_instance_uid="1.2",
        series_instance_uid=series,
        sop_instance_uid=uid,
        sop_class_uid=sop_class,
        modality=modality,
        body_part=None,
        view_position=None,
        laterality=None,
        image_type=("ORIGINAL", "PRIMARY"),
        series_description=None,
        study_description=None,
        series_number=None,
        acquired_at=None,
        requested_priority=priority,
        burned_in_annotation=None,
        pixels=PixelFormat(
            transfer_syntax_uid="1.2.840.10008.1.2.1",
            rows=rows,
            columns=512,
            number_of_frames=frames,
            samples_per_pixel=1,
            photometric_interpretation="MONOCHROME2",
            bits_allocated=16,
            bits_stored=12,
            pixel_representation=0,
        ),
        patient=Patient(
            patient_id=patient, patient_name=None, patient_sex=None, patient_birth_date=None, age_years=None
        ),
        exposure=Exposure(
            exposure_index=None,
            target_exposure_index=None,
            deviation_index=None,
            kvp=None,
            exposure_mas=None,
            exposure_time_ms=None,
        ),
        geometry=Geometry(
            pixel_spacing_mm=None,
            pixel_spacing_source=None,
            image_orientation_patient=direction,  # type: ignore[arg-type]  # lists of six, by the constants
            frame_positions_mm=() if place_mm is None else (place,) * frames,  # type: ignore[arg-type]
            slice_thickness_mm=None,
            spacing_between_slices_mm=None,
            patient_orientation=None,
        ),
        equipment=Equipment(
            manufacturer=None,
            manufacturer_model_name=None,
            station_name=None,
            device_serial_number=None,
            detector_id=None,
            protocol_name=None,
            convolution_kernel=None,
        ),
        counts=SeriesCounts(
            instance_number=number,
            acquisition_number=acquisition_number,
            images_in_acquisition=announced,
            number_of_temporal_positions=phases,
            number_of_slices=None,
            number_of_time_slices=None,
            temporal_position_identifier=None,
        ),
    )


def ct_slice(index: int, *, content: str = "", patient: str = "P1", announced: int | None = None) -> Instance:
    return image(
        f"1.9.{patient[-1]}.{index}",
        content=content,
        number=index + 1,
        place_mm=index * STEP_MM,
        patient=patient,
        announced=announced,
    )


@dataclass
class World:
    """What a store would hold, and what it was told to queue."""

    held: dict[str, Acquisition] = field(default_factory=dict)
    queued: list[tuple[str, int]] = field(default_factory=list)

    def arrive(self, instance: Instance, urgency: Urgency = Urgency.LIVE) -> None:
        siblings = tuple(
            acquisition
            for acquisition in self.held.values()
            if any(
                instance.series_instance_uid == there.series_instance_uid
                or instance.sop_instance_uid == there.sop_instance_uid
                for there in acquisition.instances
            )
        )
        for change in arrive(instance, urgency=urgency, siblings=siblings):
            self.take(change)

    def association_ended(self, carried: int = 2) -> None:
        for acquisition in list(self.held.values()):
            self.take(association_ended(acquisition, carried=carried, siblings=self.others(acquisition)))

    def go_quiet(self) -> None:
        for acquisition in list(self.held.values()):
            self.take(went_quiet(acquisition, quiet_s=QUIET_S, siblings=self.others(acquisition)))

    def restart(self) -> None:
        self.held = {key: from_json(Acquisition, to_json(value)) for key, value in self.held.items()}

    def others(self, acquisition: Acquisition) -> tuple[Acquisition, ...]:
        return tuple(other for other in self.held.values() if other is not acquisition)

    def take(self, change: Change | None) -> None:
        if change is None:
            return
        new = change.acquisition
        old = self.held.get(new.acquisition_id)
        if old is not None:
            assert new.version >= old.version
            assert new.instances[: len(old.instances)] == old.instances  # nothing is ever lost
        self.held[new.acquisition_id] = new
        if change.queue:
            assert new.completeness is not Completeness.RECEIVING
            self.queued.append((new.acquisition_id, new.version))

    def only(self) -> Acquisition:
        (acquisition,) = self.held.values()
        return acquisition


def stacked(acquisition: Acquisition) -> list[str]:
    return [acquisition.instances[entry.instance].sop_instance_uid for entry in acquisition.slices]
