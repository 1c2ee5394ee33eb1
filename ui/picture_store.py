# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A store for the pictures of the documentation: a morning of invented patients, answered by the real lanes.

The clock is moved by hand, so that the same morning has always got as far; the answers are the models' own.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

from appliance.clock import NS_PER_S, ManualClock, SystemClock
from appliance.config import Settings
from appliance.domain.acquisition import Acquisition, Door, Instance, LandedFile, Urgency
from appliance.errors import EngineError, InputError
from appliance.intake.assembly import all_given, arrive, urgency_of
from appliance.intake.frames import open_frames
from appliance.intake.jail import Jail
from appliance.layout import Layout
from appliance.models.registry import Registry
from appliance.monitor.heartbeat import Heartbeat
from appliance.pipeline.bench import Bench
from appliance.pipeline.line import run_lane
from appliance.processes.models import kept_passports, open_registry
from appliance.processes.proving import Proving
from appliance.selftest.demo_morning import Arrival, morning, write_arrival
from appliance.selftest.demonstration import clear_folder
from appliance.store.connection import Database
from appliance.store.jobs import Jobs
from appliance.store.landing import FileStatus, Landings
from appliance.store.results import Results

START: Final = datetime.fromisoformat("2026-03-02T07:30:00").astimezone()
"""Where the morning begins, on the clock of the place where the pictures are made."""
ROWS_DRAWN: Final = 1000
LONGEST_LEASE_S: Final = 1e6


def fill_store(data: Path, profile: str) -> tuple[Layout, ManualClock]:
    """The whole morning of `profile` in `data`, which is cleared first. Returns where and when it is then.

    Raises ConfigError when `data` holds something else.
    """
    layout, clock, settings = clear_folder(data), ManualClock(start_utc=START), Settings()
    with (
        Database.open(layout.database, data=layout.data, clock=clock) as database,
        open_registry(settings, kept_passports()) as registry,
        Jail(settings.reading, SystemClock()) as jail,
    ):
        for arrival in morning(profile):
            clock.advance(arrival.after_s)
            for acquisition in _land(arrival, layout, clock, jail, database):
                _answer(acquisition, jail, _bench(registry, layout), database, clock)
        Proving(settings, layout, clock, registry).prove(jail)
    for process in ("watcher", "worker", "sender"):
        Heartbeat(layout.run, process, clock).beat("waiting")
    return layout, clock


def _bench(registry: Registry, layout: Layout) -> Bench:
    return Bench(models=registry, clock=SystemClock(), layout=layout, between=lambda: None)


def _land(
    arrival: Arrival, layout: Layout, clock: ManualClock, jail: Jail, database: Database
) -> tuple[Acquisition, ...]:
    """Draw the files, look into them and put what they make into the store, as the watcher does."""
    folder = layout.data / "studies" / arrival.folder
    write_arrival(arrival, folder, now=clock.now_utc().astimezone(), rows=ROWS_DRAWN)
    found: dict[str, Acquisition] = {}
    landed: list[tuple[Path, Instance]] = []
    for file in sorted(folder.iterdir()):
        description = jail.describe(file, sha256=hashlib.sha256(file.read_bytes()).hexdigest())
        assert description.instance is not None  # this program drew it
        landed.append((file, description.instance))
        for change in arrive(
            description.instance,
            urgency=urgency_of(description.instance, Urgency.LIVE),
            siblings=tuple(found.values()),
        ):
            found[change.acquisition.acquisition_id] = change.acquisition
    whole = tuple(all_given(each, siblings=tuple(found.values())) for each in found.values())
    for acquisition in whole:
        held = {instance.sha256 for instance in acquisition.instances}
        mine = [(file, instance) for file, instance in landed if instance.sha256 in held]
        for number, (file, instance) in enumerate(mine, start=1):
            Landings(database).land(
                _landed_file(file, instance, acquisition, clock),
                status=FileStatus.ACCEPTED,
                instance=instance,
                acquisition=acquisition,
                queue=number == len(mine),
            )
    return whole


def _landed_file(file: Path, instance: Instance, acquisition: Acquisition, clock: ManualClock) -> LandedFile:
    return LandedFile(
        path=file,
        sha256=instance.sha256,
        size_bytes=file.stat().st_size,
        door=Door.FOLDER,
        source=file.name,
        urgency=acquisition.urgency,
        landed_at_utc=clock.now_utc(),
        noticed_ns=clock.monotonic_ns(),
        landed_ns=clock.monotonic_ns(),
    )


def _answer(
    acquisition: Acquisition, jail: Jail, bench: Bench, database: Database, clock: ManualClock
) -> None:
    """All lanes of one acquisition, as the worker does; the store's clock goes on by what they took."""
    jobs = Jobs(database, max_attempts=1)
    frames = open_frames(acquisition, jail)
    while (job := jobs.lease(worker="worker", lease_s=LONGEST_LEASE_S)) is not None:
        started_ns = bench.clock.monotonic_ns()
        try:
            result = run_lane(job.lane, acquisition, frames, bench)
        except InputError as error:
            jobs.quarantine(job, reason=str(error))
            continue
        except EngineError as error:
            jobs.fail(job, reason=str(error))
            continue
        clock.advance((bench.clock.monotonic_ns() - started_ns) / NS_PER_S)
        Results(database).commit(job, replace(result, version=job.version))
