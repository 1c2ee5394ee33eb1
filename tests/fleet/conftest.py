# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A store with one patient's image in it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.domain.acquisition import (
    Acquisition,
    Completeness,
    Door,
    Instance,
    Kind,
    LandedFile,
    SliceRef,
    Urgency,
)
from appliance.store.connection import Database
from appliance.store.landing import FileStatus, Landings


@pytest.fixture
def make_landed(make_instance: Callable[..., Instance]) -> Callable[..., None]:
    """Land one radiograph of a patient."""

    def land(database: Database, *, patient_name: str, patient_id: str) -> None:
        sha256 = hashlib.sha256(patient_id.encode()).hexdigest()
        instance = make_instance(
            sha256=sha256, patient={"patient_name": patient_name, "patient_id": patient_id}
        )
        clock = database.clock
        acquisition = Acquisition(
            acquisition_id="a",
            version=1,
            kind=Kind.PROJECTION,
            completeness=Completeness.COMPLETE,
            evidence="one image",
            urgency=Urgency.LIVE,
            instances=(instance,),
            slices=(SliceRef(instance=0, frame=0, position_mm=None),),
        )
        file = LandedFile(
            path=database.data / Path("spool") / sha256,
            sha256=sha256,
            size_bytes=1,
            door=Door.FOLDER,
            source="a.dcm",
            urgency=Urgency.LIVE,
            landed_at_utc=clock.now_utc(),
            noticed_ns=clock.monotonic_ns(),
            landed_ns=clock.monotonic_ns(),
        )
        Landings(database, peers_for_originals=()).land(
            file, status=FileStatus.ACCEPTED, instance=instance, acquisition=acquisition, queue=True
        )

    return land
