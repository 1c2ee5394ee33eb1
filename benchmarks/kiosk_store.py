# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A store with sixty exams and pictures of full size, for measuring the screen on."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from appliance.clock import Clock
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
from appliance.domain.record import to_json
from appliance.domain.view import TABLE_ENTRIES, VIEW_FILE, View
from appliance.layout import Layout
from appliance.store.connection import Database
from appliance.store.landing import FileStatus, Landings

EXAMS: Final = 60
RADIOGRAPHS: Final = 11
"""With pictures; one CT series comes to them: twelve view folders."""
RADIOGRAPH_PX: Final = (3000, 2500)
CT_SLICES: Final = 200
CT_PX: Final = 512
_NOISE_HU: Final = 22.0


def write_store(data: Path, clock: Clock) -> None:
    """Land the exams and write their view files, as watcher and worker do."""
    layout = Layout(data=data)
    layout.create()
    with Database.open(layout.database, data=data, clock=clock) as database:
        landings = Landings(database)
        for number in range(EXAMS):
            _land(landings, layout, clock, number)
    random = np.random.default_rng(1)
    radiograph = random.integers(300, 4000, RADIOGRAPH_PX, dtype=np.uint16)
    for number in range(RADIOGRAPHS):
        _write_view(layout.view_of(_exam_id(number), 1), radiograph, low=0, voi=(2000.0, 3600.0))
    slices = random.normal(40, _NOISE_HU, (CT_SLICES, CT_PX, CT_PX)).astype(np.int16)
    _write_view(layout.view_of(_exam_id(RADIOGRAPHS), 1), slices, low=-1024, voi=(40.0, 400.0))


def _exam_id(number: int) -> str:
    return f"exam-{number:02d}"


def _write_view(
    folder: Path, stored: NDArray[np.uint16] | NDArray[np.int16], *, low: int, voi: tuple[float, float]
) -> None:
    folder.mkdir(parents=True)
    np.save(folder / "pixels.npy", stored)
    is_volume = stored.ndim == 3
    if is_volume:
        np.save(folder / "denoised.npy", np.full_like(stored, 40))
    ramp = (np.arange(TABLE_ENTRIES) + low - voi[0]) / voi[1] + 0.5
    np.save(folder / "table.npy", np.rint(np.clip(ramp, 0, 1) * 255).astype(np.uint8))
    view = View(
        array="pixels.npy",
        denoised="denoised.npy" if is_volume else None,
        table="table.npy",
        stored_low=low,
        spacing_mm=(0.14, 0.14),
        voi=voi,
    )
    (folder / VIEW_FILE).write_text(to_json(view), encoding="utf-8")


def _land(landings: Landings, layout: Layout, clock: Clock, number: int) -> None:
    is_volume = number == RADIOGRAPHS
    instance = _instance(number, is_volume=is_volume)
    count = CT_SLICES if is_volume else 1
    acquisition = Acquisition(
        acquisition_id=_exam_id(number),
        version=1,
        kind=Kind.VOLUME if is_volume else Kind.PROJECTION,
        completeness=Completeness.COMPLETE,
        evidence="one image",
        urgency=Urgency.LIVE,
        instances=(instance,),
        slices=tuple(SliceRef(instance=0, frame=index, position_mm=index * 1.0) for index in range(count)),
    )
    file = LandedFile(
        path=layout.spool / instance.sha256,
        sha256=instance.sha256,
        size_bytes=1,
        door=Door.FOLDER,
        source=f"{number}.dcm",
        urgency=acquisition.urgency,
        landed_at_utc=clock.now_utc(),
        noticed_ns=clock.monotonic_ns(),
        landed_ns=clock.monotonic_ns(),
    )
    landings.land(file, status=FileStatus.ACCEPTED, instance=instance, acquisition=acquisition, queue=True)


def _instance(number: int, *, is_volume: bool) -> Instance:
    sha256 = hashlib.sha256(str(number).encode()).hexdigest()
    instance = Instance(
        path=Path("spool") / sha256,
        sha256=sha256,
        study_instance_uid=f"1.2.{number}",
        series_instance_uid=f"1.2.3.{number}",
        sop_instance_uid=f"1.2.3.4.{number}",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.1.1",
        modality="DX",
        body_part="CHEST",
        view_position="PA",
        laterality="U",
        image_type=("ORIGINAL", "PRIMARY"),
        series_description=None,
        study_description=None,
        series_number=None,
        acquired_at=None,
        requested_priority=None,
        burned_in_annotation=None,
        pixels=None,
        patient=Patient(
            patient_id=f"10-{number:04d}",
            patient_name=f"PERSON{number}^Measured",
            patient_sex="F",
            patient_birth_date="19910412",
            age_years=34,
        ),
        exposure=Exposure(**dict.fromkeys(Exposure.__dataclass_fields__)),
        geometry=Geometry(
            pixel_spacing_mm=(0.14, 0.14),
            pixel_spacing_source="ImagerPixelSpacing",
            image_orientation_patient=None,
            frame_positions_mm=(),
            slice_thickness_mm=None,
            spacing_between_slices_mm=None,
            patient_orientation=("L", "F"),
        ),
        equipment=Equipment(**dict.fromkeys(Equipment.__dataclass_fields__)),
        counts=SeriesCounts(**dict.fromkeys(SeriesCounts.__dataclass_fields__)),
    )
    return replace(instance, modality="CT", body_part="HEAD", view_position=None) if is_volume else instance
