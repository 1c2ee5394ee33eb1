# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks.kiosk_commit`: from the commit of a verdict to its first pixels on the kiosk.

A real store, a real window in another process (without a display), a commit at a random moment of the poll
interval. What a person waits for after the store has the answer.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

import numpy as np

from appliance.clock import NS_PER_MS, Clock, SystemClock
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
from appliance.domain.job import Job, Lane
from appliance.domain.quality import QualityCheck, Verdict
from appliance.domain.result import LaneResult
from appliance.intake.look import describe
from appliance.layout import Layout
from appliance.store.connection import Database
from appliance.store.decisions import Choice, Decisions
from appliance.store.jobs import Jobs
from appliance.store.landing import FileStatus, Landings
from appliance.store.results import Results
from benchmarks.painting import watched_kiosk
from benchmarks.spread import Spread, spread_of
from benchmarks.studies import RAW, write_radiographs

ROUNDS: Final = 60
LONGEST_WAIT_S: Final = 0.6
"""Between landing and commit at random: more than two poll intervals, so that all its phases are met."""
SEED: Final = 5
LEASE_S: Final = 60.0
SMALL_PX: Final = 64
"""Side of the picture: it is not drawn here, only its header counts."""
MIB: Final = 1 << 20


def measure_commit_to_screen(folder: Path, clock: Clock, *, rounds: int = ROUNDS) -> Spread:
    """Milliseconds from the end of a commit to the first painting of its verdict. `folder` is empty."""
    layout = Layout(data=folder / "data")
    layout.create()
    header = _header(folder / "template")
    pauses_s = np.random.default_rng(SEED).uniform(0.1, LONGEST_WAIT_S, rounds)
    took_ms = []
    with (
        Database.open(layout.database, data=layout.data, clock=clock) as database,
        watched_kiosk(layout.data, clock) as kiosk,
    ):
        jobs, results, decisions = Jobs(database, max_attempts=1), Results(database), Decisions(database)
        for number, pause_s in enumerate(pauses_s):
            acquisition = _land(database, layout, header, f"exam{number}")
            clock.sleep(float(pause_s))
            job = jobs.lease(worker="benchmark", lease_s=LEASE_S)
            if (
                job is None
                or job.acquisition_id != acquisition.acquisition_id
                or job.lane is not Lane.QUALITY
            ):
                raise RuntimeError(f"The queue gave {job}, not the check of {acquisition.acquisition_id}.")
            results.commit(job, _verdict(job))
            committed_ns = clock.monotonic_ns()
            painted_ns = kiosk.painted_ns(acquisition.acquisition_id)
            took_ms.append((painted_ns - committed_ns) / NS_PER_MS)
            decisions.decide(acquisition.acquisition_id, 1, Choice.KEEP, reason=None)  # it makes room on top
            while (left := jobs.lease(worker="benchmark", lease_s=LEASE_S)) is not None:
                results.commit(left, replace(_verdict(left), quality=()))
    return spread_of(took_ms)


def _header(folder: Path) -> Instance:
    path = write_radiographs(folder, rows=SMALL_PX, columns=SMALL_PX, names=(RAW,))[RAW]
    description = describe(path, max_frame_bytes=MIB)
    if description.instance is None:
        raise RuntimeError(f"The template cannot be read: {description.reason}")
    return description.instance


def _land(database: Database, layout: Layout, header: Instance, name: str) -> Acquisition:
    sha256 = hashlib.sha256(name.encode()).hexdigest()
    instance = replace(header, sha256=sha256, sop_instance_uid=f"2.25.{int(sha256[:24], 16)}")
    acquisition = Acquisition(
        acquisition_id=name,
        version=1,
        kind=Kind.PROJECTION,
        completeness=Completeness.COMPLETE,
        evidence="one image",
        urgency=Urgency.LIVE,
        instances=(instance,),
        slices=(SliceRef(instance=0, frame=0, position_mm=0.0),),
    )
    now_ns = database.clock.monotonic_ns()
    file = LandedFile(
        path=layout.spool / sha256,
        sha256=sha256,
        size_bytes=1,
        door=Door.FOLDER,
        source=f"{name}.dcm",
        urgency=Urgency.LIVE,
        landed_at_utc=database.clock.now_utc(),
        noticed_ns=now_ns,
        landed_ns=now_ns,
    )
    Landings(database).land(
        file, status=FileStatus.ACCEPTED, instance=instance, acquisition=acquisition, queue=True
    )
    return acquisition


def _verdict(job: Job) -> LaneResult:
    check = QualityCheck(
        criterion="sharpness", verdict=Verdict.REPEAT, value=1.0, unit="1", limit=None, advice="", marks=()
    )
    return LaneResult(acquisition_id=job.acquisition_id, version=job.version, lane=job.lane, quality=(check,))


def main() -> None:
    """Command line; see the module's docstring."""
    with tempfile.TemporaryDirectory(prefix="scanside-commit-") as folder:
        spread = measure_commit_to_screen(Path(folder), SystemClock())
    print(json.dumps({"commit_to_screen_ms": asdict(spread)}))


if __name__ == "__main__":
    main()
