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
    Instance,
    Kind,
    LandedFile,
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


LandOne = Callable[..., Acquisition]


@pytest.fixture
def land(
    database: Database, clock: ManualClock, tmp_path: Path, make_instance: Callable[..., Instance]
) -> LandOne:
    """Land one radiograph and queue its lanes; returns the acquisition."""

    def land_one(
        name: str,
        *,
        urgency: Urgency = Urgency.LIVE,
        version: int = 1,
        kind: Kind = Kind.PROJECTION,
        study_instance_uid: str = "1.2.3",
    ) -> Acquisition:
        sha256 = hashlib.sha256(f"{name}{version}".encode()).hexdigest()
        instance = make_instance(
            sha256=sha256,
            study_instance_uid=study_instance_uid,
            series_instance_uid="1.2.3",
            sop_instance_uid=f"1.2.3.{int(sha256[:8], 16)}",
        )
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
