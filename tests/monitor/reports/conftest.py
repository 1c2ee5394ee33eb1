# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A site in a temporary folder: a real store whose exams, answers and people the test says."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from appliance.clock import ManualClock
from appliance.domain.acquisition import (
    Acquisition,
    Completeness,
    Door,
    Equipment,
    Exposure,
    Instance,
    Kind,
    LandedFile,
    SliceRef,
    Urgency,
)
from appliance.domain.finding import Code, Finding, LocalThreshold, decide
from appliance.domain.job import Lane
from appliance.domain.quality import QualityCheck
from appliance.domain.result import EngineUse, LaneResult
from appliance.layout import Layout
from appliance.monitor.reports.exams import Period
from appliance.store.connection import Database
from appliance.store.jobs import Jobs
from appliance.store.landing import FileStatus, Landings
from appliance.store.results import Results

MARCH = Period(first_day=date(2026, 3, 1), last_day=date(2026, 3, 31))
PNEUMOTHORAX = Code(value="36118008", scheme="SCT", meaning="Pneumothorax")


def found(
    probability: float,
    *,
    code: Code = PNEUMOTHORAX,
    sensitive: float = 0.3,
    specific: float = 0.7,
    local: float | None = None,
) -> Finding:
    """What a model said; `local`: the site has moved the operating point there."""
    in_force = sensitive if local is None else local
    return Finding(
        task="chest_triage",
        code=code,
        probability=probability,
        sensitive_threshold=in_force,
        specific_threshold=specific,
        decision=decide(probability, sensitive=in_force, specific=specific),
        local_threshold=None
        if local is None
        else LocalThreshold(in_force=local, signed=sensitive, decided_at_utc="2026-01-01T00:00:00+00:00"),
    )


class Site:
    """Lands exams and answers them, as watcher and worker do."""

    def __init__(self, data: Path, make_instance: Callable[..., Instance]) -> None:
        self.clock = ManualClock(start_utc=datetime(2026, 3, 2, 8, 0, tzinfo=timezone.utc))
        self.layout = Layout(data=data)
        self.layout.create()
        self.database = Database.open(self.layout.database, data=data, clock=self.clock)
        self._jobs = Jobs(self.database, max_attempts=1)
        self._make_instance = make_instance

    def on(self, day: int, hour: int = 8, minute: int = 0, *, month: int = 3) -> None:
        """It is that time."""
        self.clock.set_utc(datetime(2026, month, day, hour, minute, tzinfo=timezone.utc))

    def exam(
        self,
        name: str,
        *findings: Finding,
        quality: tuple[QualityCheck, ...] = (),
        model: str = "chest_triage@1.0",
        room: str | None = "Room 1",
        exposure: dict[str, Any] | None = None,
        kind: Kind = Kind.PROJECTION,
        **header: Any,
    ) -> Acquisition:
        """One image that has come and was answered at once; its study is its own unless the header says."""
        sha256 = hashlib.sha256(name.encode()).hexdigest()
        number = int(sha256[:8], 16)
        instance = self._make_instance(
            **{
                "sha256": sha256,
                "study_instance_uid": f"1.2.{number}",
                "series_instance_uid": f"1.2.{number}.1",
                "sop_instance_uid": f"1.2.{number}.1.1",
                "body_part": "CHEST",
                "view_position": "PA",
                "patient": {"patient_id": f"P-{name}", "patient_name": "CANARY^JANE", "patient_sex": "F"},
                "equipment": _unknown(Equipment, station_name=room),
                "exposure": _unknown(Exposure, **(exposure or {})),
                **header,
            }
        )
        acquisition = Acquisition(
            acquisition_id=name,
            version=1,
            kind=kind,
            completeness=Completeness.COMPLETE,
            evidence="one image",
            urgency=Urgency.LIVE,
            instances=(instance,),
            slices=(SliceRef(instance=0, frame=0, position_mm=None),),
        )
        file = LandedFile(
            path=self.layout.spool / sha256,
            sha256=sha256,
            size_bytes=1,
            door=Door.FOLDER,
            source=f"{name}.dcm",
            urgency=Urgency.LIVE,
            landed_at_utc=self.clock.now_utc(),
            noticed_ns=self.clock.monotonic_ns(),
            landed_ns=self.clock.monotonic_ns(),
        )
        Landings(self.database).land(
            file, status=FileStatus.ACCEPTED, instance=instance, acquisition=acquisition, queue=True
        )
        use = EngineUse(task="chest_triage", model=model, engine="ort f32 CPU", fallback_reason=None)
        empty = LaneResult(acquisition_id=name, version=1, lane=Lane.QUALITY)
        answers = {
            Lane.QUALITY: replace(empty, quality=quality),
            Lane.TRIAGE: replace(
                empty, lane=Lane.TRIAGE, findings=findings, engines=(use,) if findings else ()
            ),
            Lane.DENOISE: replace(empty, lane=Lane.DENOISE),
        }
        for _ in answers:
            job = self._jobs.lease(worker="worker", lease_s=1e6)
            assert job is not None
            Results(self.database).commit(job, answers[job.lane])
        return acquisition


def _unknown(noun: type[Any], **known: Any) -> Any:
    return noun(**dict.fromkeys(noun.__dataclass_fields__) | known)


@pytest.fixture
def site(tmp_path: Path, make_instance: Callable[..., Instance]) -> Iterator[Site]:
    made = Site(tmp_path / "data", make_instance)
    yield made
    made.database.close()
