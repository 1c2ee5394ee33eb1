# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A GPU that is lost: the worker ends, a new one tries it once more, then the processor serves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from appliance.clock import NS_PER_S, ManualClock, SystemClock
from appliance.config import Settings
from appliance.domain.acquisition import Acquisition
from appliance.domain.job import Lane
from appliance.errors import EngineLostError
from appliance.layout import Layout
from appliance.processes.lost_engines import WINDOW_S, LostEngines
from appliance.processes.worker import NAME, Worker
from appliance.store.connection import Database
from appliance.store.jobs import Jobs
from appliance.store.results import Results
from tests.tiny_bundles import build

Land = Callable[..., Acquisition]


def loss(engine: str | None = "cuda") -> EngineLostError:
    return EngineLostError("illegal address", remedy="start anew", engine=engine)


def test_one_loss_is_forgiven_two_within_an_hour_are_not(layout: Layout) -> None:
    clock = ManualClock()
    lost = LostEngines(layout.run, clock)
    assert lost.given_up() == {}
    lost.note(loss())
    assert lost.given_up() == {}
    lost.note(loss("tensorrt"))
    assert lost.given_up() == {}
    lost.note(loss())
    assert list(LostEngines(layout.run, clock).given_up()) == ["cuda"]
    assert "lost 2 times within an hour, last: illegal address" in lost.given_up()["cuda"]
    clock.advance(WINDOW_S + 1)
    assert lost.given_up() == {}


def test_losses_of_another_boot_do_not_count(layout: Layout) -> None:
    lost = LostEngines(layout.run, SystemClock())
    lost.note(loss())
    lost.note(loss())
    assert lost.given_up()
    assert LostEngines(layout.run, ManualClock()).given_up() == {}


def test_a_broken_file_and_a_missing_folder_do_no_harm(layout: Layout, tmp_path: Path) -> None:
    (layout.run / "lost-engines.json").write_text("{", encoding="utf-8")
    assert LostEngines(layout.run, SystemClock()).given_up() == {}
    LostEngines(tmp_path / "none", SystemClock()).note(loss())


class LosesItsDevice(Worker):
    """Its engine meets a sticky error at the first slice, as a GPU does."""

    def _answer(self, job: object, jail: object) -> None:
        del job, jail
        raise loss("ort")


def test_the_worker_ends_after_the_job_and_its_successor_serves_without(
    layout: Layout, database: Database, land: Land, ct_files: tuple[Path, ...], tmp_path: Path
) -> None:
    build(tmp_path / "models" / "unchanged", factor=1.0)
    series = land(ct_files)
    settings = Settings.model_validate(
        {"models": [tmp_path / "models"], "worker": {"engines": ["ort", "openvino"], "threads": 1}}
    )

    def start(kind: type[Worker]) -> Worker:
        return kind(settings=settings, layout=layout, clock=SystemClock(), database=database, stop=Event())

    for _ in range(2):
        with start(LosesItsDevice) as worker, pytest.raises(EngineLostError):
            worker.run()
    states = database.read("SELECT state, failures FROM job WHERE lane = 'quality'")
    assert states == [("queued", 2)]
    with start(Worker) as worker:
        jobs = Jobs(database, max_attempts=3)
        while job := jobs.lease(worker=NAME, lease_s=60):
            worker.do(job)
    denoised = Results(database).of(series.acquisition_id, series.version, Lane.DENOISE)
    assert denoised is not None
    (use,) = denoised.engines
    assert use.engine.startswith("openvino")
    assert "ort: lost 2 times within an hour" in (use.fallback_reason or "")


def test_the_loss_is_noted_on_the_monotonic_clock(layout: Layout) -> None:
    clock = ManualClock()
    lost = LostEngines(layout.run, clock)
    lost.note(loss())
    clock.advance(WINDOW_S - 1)
    lost.note(loss())
    assert lost.given_up()
    clock.advance(2)
    assert lost.given_up() == {}
    assert clock.monotonic_ns() > WINDOW_S * NS_PER_S
