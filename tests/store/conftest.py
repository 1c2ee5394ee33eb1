# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A store on disk, a clock that the test moves, and acquisitions made of nothing but headers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.clock import ManualClock
from appliance.domain.acquisition import (
    Acquisition,
    Completeness,
    Door,
    Equipment,
    Exposure,
    Geometry,
    Instance,
    Kind,
    LandedFile,
    Patient,
    SeriesCounts,
    SliceRef,
    Urgency,
)
from appliance.store.connection import Database
from appliance.store.landing import FileStatus, Landings


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def database(tmp_path: Path, clock: ManualClock) -> Iterator[Database]:
    with Database.open(tmp_path / "store" / "scanside.sqlite", data=tmp_path, clock=clock) as opened:
        yield opened


def header(sha256: str, *, modality: str = "DX", series: str = "1.2.3") -> Instance:
    return Instance(
        path=Path("spool") / sha256,
        sha256=sha256,
        study_instance_uid="1.2",
        series_instance_uid=series,
        sop_instance_uid=f"1.2.3.{int(sha256[:8], 16)}",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.1.1",
        modality=modality,
        body_part="CHEST",
        view_position="PA",
        laterality=None,
        image_type=("DERIVED", "PRIMARY"),
        series_description=None,
        study_description=None,
        series_number=None,
        acquired_at=None,
        requested_priority=None,
        burned_in_annotation=None,
        pixels=None,
        patient=Patient(
            patient_id=None, patient_name=None, patient_sex=None, patient_birth_date=None, age_years=None
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
            image_orientation_patient=None,
            frame_positions_mm=(),
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
            instance_number=None,
            acquisition_number=None,
            images_in_acquisition=None,
            number_of_temporal_positions=None,
            number_of_slices=None,
            number_of_time_slices=None,
            temporal_position_identifier=None,
        ),
    )


LandOne = Callable[..., Acquisition]


@pytest.fixture
def land(database: Database, clock: ManualClock, tmp_path: Path) -> LandOne:
    """Land one radiograph and queue its lanes; returns the acquisition."""

    def land_one(
        name: str, *, urgency: Urgency = Urgency.LIVE, version: int = 1, kind: Kind = Kind.PROJECTION
    ) -> Acquisition:
        sha256 = hashlib.sha256(f"{name}{version}".encode()).hexdigest()
        instance = header(sha256)
        acquisition = Acquisition(
            acquisition_id=name,
            version=version,
            kind=kind,
            completeness=Completeness.COMPLETE,
            evidence="one image",
            urgency=urgency,
            instances=(instance,) * version,
            slices=(SliceRef(instance=0, frame=0, position_mm=None),),
        )
        file = LandedFile(
            path=tmp_path / "spool" / sha256,
            sha256=sha256,
            size_bytes=1,
            door=Door.FOLDER,
            source=f"{name}.dcm",
            urgency=urgency,
            landed_at_utc=clock.now_utc(),
            noticed_ns=clock.monotonic_ns(),
            landed_ns=clock.monotonic_ns(),
        )
        Landings(database, peers_for_originals=("pacs",)).land(
            file, status=FileStatus.ACCEPTED, instance=instance, acquisition=acquisition, queue=True
        )
        return acquisition

    return land_one
