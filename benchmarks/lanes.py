# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks.lanes`: the lanes of one radiograph again and again in one process, to be profiled.

py-spy record --format raw --rate 100 -o lanes.txt -- python -m benchmarks.lanes
python -m benchmarks.flame lanes.txt docs/performance/lanes.svg
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from appliance.clock import SystemClock
from appliance.config import Settings
from appliance.domain.acquisition import Acquisition, Completeness, Kind, SliceRef, Urgency
from appliance.domain.job import Lane
from appliance.intake.frames import open_frames
from appliance.intake.jail import Jail
from appliance.layout import Layout
from appliance.pipeline.bench import Bench
from appliance.pipeline.line import run_lane
from appliance.processes.models import open_registry
from benchmarks.studies import RAW, write_radiographs

ROUNDS = 40


def _uninterrupted() -> None:
    """Nothing more urgent comes."""


def main(rounds: Annotated[int, typer.Option(min=1)] = ROUNDS) -> None:
    """Quality and triage of a decoded radiograph, `rounds` times after one that loads the networks."""
    clock, settings = SystemClock(), Settings()
    with tempfile.TemporaryDirectory(prefix="scanside-lanes-") as temporary:
        layout = Layout(data=Path(temporary) / "data")
        layout.create()
        file = write_radiographs(Path(temporary) / "dx", names=(RAW,))[RAW]
        with Jail(settings.reading, clock) as jail, open_registry(settings, layout.engine_cache) as models:
            instance = jail.describe(file).instance
            if instance is None:
                raise typer.BadParameter("The radiograph cannot be read.")
            acquisition = Acquisition(
                acquisition_id="profiled",
                version=1,
                kind=Kind.PROJECTION,
                completeness=Completeness.COMPLETE,
                evidence="one image",
                urgency=Urgency.LIVE,
                instances=(instance,),
                slices=(SliceRef(instance=0, frame=0, position_mm=None),),
            )
            bench = Bench(models=models, clock=clock, layout=layout, between=_uninterrupted)
            frames = open_frames(acquisition, jail)
            for lane in (Lane.QUALITY, Lane.TRIAGE):
                run_lane(lane, acquisition, frames, bench)
            for _ in range(rounds):
                for lane in (Lane.QUALITY, Lane.TRIAGE):
                    run_lane(lane, acquisition, frames, bench)


if __name__ == "__main__":
    typer.run(main)
