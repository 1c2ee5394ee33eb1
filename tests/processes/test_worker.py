# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The worker on a real store: order of need, interruption, bad input, failing engines, lost leases."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest

from appliance.clock import SystemClock
from appliance.config import Settings, WorkerSettings
from appliance.domain.acquisition import Acquisition, Urgency
from appliance.domain.job import Job, Lane
from appliance.errors import StoreError
from appliance.layout import Layout
from appliance.processes.lock import AlreadyRunningError, only_one
from appliance.processes.worker import NAME, Worker, run_worker
from appliance.store.connection import Database
from appliance.store.jobs import Jobs
from appliance.store.outbox import Outbox
from appliance.store.results import Results
from tests.tiny_bundles import build

Land = Callable[..., Acquisition]
LEASE_S = 60.0


def settings_with(*models: Path, lease_s: float = LEASE_S) -> Settings:
    return Settings(models=models, worker=WorkerSettings(engines=("ort",), threads=1, lease_s=lease_s))


@pytest.fixture(scope="session")
def denoiser(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a bundle that changes no value."""
    folder = tmp_path_factory.mktemp("models")
    build(folder / "unchanged", factor=1.0)
    return folder


class WatchedWorker(Worker):
    """A worker with a test looking on: `between` is called whenever it shows life."""

    between: Callable[[], object] = staticmethod(lambda: None)

    def show_life(self, job: Job) -> None:
        self.between()
        super().show_life(job)


@contextmanager
def opened(
    layout: Layout, database: Database, settings: Settings, stop: Event | None = None
) -> Iterator[WatchedWorker]:
    with WatchedWorker(
        settings=settings, layout=layout, clock=SystemClock(), database=database, stop=stop or Event()
    ) as worker:
        yield worker


def lease(database: Database, lane: Lane | None = None) -> Job:
    """The next job, or the next of a lane: those before it are done."""
    jobs = Jobs(database, max_attempts=3)
    job = jobs.lease(worker=NAME, lease_s=LEASE_S)
    while job is not None and lane not in (None, job.lane):
        jobs.quarantine(job, reason="not of this test")
        job = jobs.lease(worker=NAME, lease_s=LEASE_S)
    assert job is not None
    return job


def states(database: Database) -> dict[tuple[str, str], tuple[str, str | None, int, int]]:
    rows = database.read("SELECT acquisition_id, lane, state, reason, failures, deaths FROM job")
    return {(row[0], row[1]): (row[2], row[3], row[4], row[5]) for row in rows}


def committed(database: Database) -> list[tuple[str, str]]:
    return [
        (row[0], row[1])
        for row in database.read("SELECT acquisition_id, lane FROM result ORDER BY committed_ns")
    ]


def work_off(worker: Worker, database: Database) -> None:
    jobs = Jobs(database, max_attempts=3)
    while job := jobs.lease(worker=NAME, lease_s=LEASE_S):
        worker.do(job)


def test_every_lane_of_a_series_is_answered_committed_and_queued_for_rendering(
    layout: Layout, database: Database, land: Land, ct_files: tuple[Path, ...], denoiser: Path
) -> None:
    series = land(ct_files)
    with opened(layout, database, settings_with(denoiser)) as worker:
        work_off(worker, database)
    name = series.acquisition_id
    assert committed(database) == [(name, lane.value) for lane in Lane]
    assert {row[:1] for row in states(database).values()} == {("done",)}
    denoised = Results(database).of(name, series.version, Lane.DENOISE)
    assert denoised is not None
    assert len(denoised.derived) == len(ct_files)
    assert [timing.stage for timing in denoised.timings][:2] == ["landed", "waited"]
    render = Outbox(database).next_render()
    assert render is not None
    assert render.lane is Lane.QUALITY


# Trace: REQ-032
def test_a_radiograph_that_comes_in_the_middle_of_a_series_goes_first(
    layout: Layout,
    database: Database,
    land: Land,
    ct_files: tuple[Path, ...],
    chest_file: Path,
    denoiser: Path,
) -> None:
    series = land(ct_files)
    arrived: list[Acquisition] = []
    with opened(layout, database, settings_with(denoiser)) as worker:
        job = lease(database, Lane.DENOISE)

        def somebody_comes() -> None:
            if not arrived and list(layout.results.rglob("*.dcm")):
                arrived.append(land([chest_file]))

        worker.between = somebody_comes
        worker.do(job)
    (chest,) = arrived
    order = committed(database)
    assert order.index((chest.acquisition_id, "quality")) < order.index((series.acquisition_id, "denoise"))
    assert states(database)[series.acquisition_id, "denoise"][0] == "done"
    denoised = Results(database).of(series.acquisition_id, series.version, Lane.DENOISE)
    assert denoised is not None
    assert len(denoised.derived) == len(ct_files)


def test_less_urgent_work_waits_for_the_series(
    layout: Layout,
    database: Database,
    land: Land,
    ct_files: tuple[Path, ...],
    chest_file: Path,
    denoiser: Path,
) -> None:
    series = land(ct_files)
    old = land([chest_file], urgency=Urgency.BACKFILL)
    with opened(layout, database, settings_with(denoiser)) as worker:
        worker.do(lease(database, Lane.QUALITY))
    assert committed(database) == [(series.acquisition_id, "quality")]
    assert states(database)[old.acquisition_id, "quality"][0] == "queued"


def test_a_file_that_cannot_be_decoded_is_quarantined_with_its_reason(
    layout: Layout, database: Database, land: Land, chest_file: Path
) -> None:
    chest = land([chest_file])
    chest.first.path.write_bytes(chest_file.read_bytes()[:-100_000])
    with opened(layout, database, settings_with()) as worker:
        worker.do(lease(database))
    state, reason, failures, _ = states(database)[chest.acquisition_id, "quality"]
    assert (state, failures) == ("quarantined", 0)
    assert reason
    assert committed(database) == []


# Trace: REQ-020
def test_an_engine_that_answers_nonsense_is_tried_again_then_said_and_leaves_nothing(
    layout: Layout,
    database: Database,
    land: Land,
    ct_files: tuple[Path, ...],
    tmp_path: Path,
) -> None:
    build(tmp_path / "models" / "halving")
    series = land(ct_files)
    with opened(layout, database, settings_with(tmp_path / "models")) as worker:
        seen = []
        job = lease(database, Lane.DENOISE)
        worker.do(job)
        seen.append(states(database)[series.acquisition_id, "denoise"])
        work_off(worker, database)
    assert seen[0][0] == "queued"
    assert "shifted the CT numbers" in (seen[0][1] or "")
    state, reason, failures, _ = states(database)[series.acquisition_id, "denoise"]
    assert (state, failures) == ("failed", 3)
    assert "No engine can serve" in (reason or "")
    assert committed(database) == []
    assert not list(layout.results.rglob("*.dcm"))


def test_a_lost_lease_commits_nothing(
    layout: Layout, database: Database, land: Land, chest_file: Path
) -> None:
    chest = land([chest_file])
    with opened(layout, database, settings_with()) as worker:
        job = lease(database)
        assert Jobs(database, max_attempts=3).take_back(worker=NAME) == 1
        worker.do(job)
    assert committed(database) == []
    assert states(database)[chest.acquisition_id, "quality"][0] == "queued"


def test_a_lease_that_is_lost_in_the_middle_ends_the_work_there(
    layout: Layout, database: Database, land: Land, ct_files: tuple[Path, ...], denoiser: Path
) -> None:
    land(ct_files)
    steps = []
    with opened(layout, database, settings_with(denoiser, lease_s=1e-6)) as worker:
        job = lease(database, Lane.DENOISE)

        def the_third_time_it_is_lost() -> None:
            steps.append(job)
            if len(steps) == 3:
                Jobs(database, max_attempts=3).take_back(worker=NAME)

        worker.between = the_third_time_it_is_lost
        worker.do(job)
    assert len(steps) == 3, "the first slices were not the last"
    assert committed(database) == []
    assert not list(layout.results.rglob("*.dcm"))


def test_a_newer_version_drops_the_work_on_the_old_one(
    layout: Layout, database: Database, land: Land, ct_files: tuple[Path, ...]
) -> None:
    land(ct_files[:4])
    with opened(layout, database, settings_with()) as worker:
        job = lease(database)
        database.read("UPDATE acquisition SET version = version + 1")
        worker.do(job)
    assert committed(database) == []


def test_told_to_stop_in_the_middle_it_gives_the_job_back_uncounted(
    layout: Layout, database: Database, land: Land, ct_files: tuple[Path, ...], denoiser: Path
) -> None:
    series = land(ct_files)
    stop = Event()
    with opened(layout, database, settings_with(denoiser), stop) as worker:
        job = lease(database, Lane.DENOISE)

        def the_order_comes() -> None:
            if list(layout.results.rglob("*.dcm")):
                stop.set()

        worker.between = the_order_comes
        worker.do(job)
    assert stop.is_set()
    assert states(database)[series.acquisition_id, "denoise"] == ("queued", None, 0, 0)
    assert not list(layout.results.rglob("*.dcm"))
    assert committed(database) == []


# Trace: REQ-010
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_stops_the_worker_and_costs_the_job_nothing(
    layout: Layout, database: Database, land: Land, chest_file: Path
) -> None:
    chest = land([chest_file])
    view = layout.view_of(chest.acquisition_id, chest.version)
    view.mkdir()
    (view / "pixels.npy.part").symlink_to("/dev/full")
    with opened(layout, database, settings_with()) as worker, pytest.raises(StoreError, match="No space"):
        worker.do(lease(database))
    assert states(database)[chest.acquisition_id, "quality"] == ("queued", None, 0, 0)


def test_a_fault_of_our_own_is_tried_again_and_quotes_nothing(
    layout: Layout, database: Database, land: Land, chest_file: Path
) -> None:
    chest = land([chest_file])
    with opened(layout, database, settings_with()) as worker:
        job = lease(database)

        def stumble() -> None:
            raise ZeroDivisionError("CANARY^JANE")

        worker.between = stumble
        worker.do(job)
    state, reason, failures, _ = states(database)[chest.acquisition_id, "quality"]
    assert (state, failures) == ("queued", 1)
    assert "ZeroDivisionError" in (reason or "")
    assert "CANARY" not in (reason or "")


def test_only_one_worker_works_on_a_data_folder(layout: Layout) -> None:
    with only_one(layout.run, NAME), pytest.raises(AlreadyRunningError):
        run_worker(settings_with(), layout, SystemClock(), Event())


def test_at_its_start_it_takes_back_what_its_dead_predecessor_had(
    layout: Layout, database: Database, land: Land, chest_file: Path
) -> None:
    chest = land([chest_file])
    lease(database)
    stop = Event()
    stop.set()
    with opened(layout, database, settings_with(), stop) as worker:
        worker.run()
    state, _, failures, deaths = states(database)[chest.acquisition_id, "quality"]
    assert (state, failures, deaths) == ("queued", 0, 1)
    assert os.listdir(layout.results) == []  # noqa: PTH208  (nothing was done)
