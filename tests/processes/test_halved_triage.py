# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Triage answers from a halved frame before quality control: only then, only there, and it says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import HTJ2KLossless, generate_uid

from appliance.clock import SystemClock
from appliance.config import Settings, WorkerSettings
from appliance.domain.acquisition import Acquisition
from appliance.domain.job import Lane
from appliance.domain.record import from_json
from appliance.domain.result import LaneResult
from appliance.layout import Layout
from appliance.processes.worker import NAME, Worker
from appliance.selftest.phantom_radiograph import write_chest
from appliance.store.connection import Database
from appliance.store.jobs import Jobs
from tests.tiny_triage import build_triage

Land = Callable[..., Acquisition]
LEASE_S = 60.0
SMALLEST_PX = 330
"""A frame of 700 rows may be halved once, to 350."""


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("halving")
    build_triage(folder / "chest_triage", release=1, smallest_halved_px=SMALLEST_PX)
    return folder


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_chest(tmp_path_factory.mktemp("films") / "plain.dcm", rows=700, columns=600).path


@pytest.fixture(scope="session")
def film(plain: Path) -> Callable[..., Path]:
    """The same radiograph as HTJ2K, as another exam each time; elements as given."""

    def write(**elements: object) -> Path:
        dataset = pydicom.dcmread(plain)
        frame = imagecodecs.htj2k_encode(np.ascontiguousarray(dataset.pixel_array), reversible=True)
        dataset.PixelData = encapsulate([bytes(frame)])
        dataset["PixelData"].VR = "OB"
        dataset.file_meta.TransferSyntaxUID = HTJ2KLossless
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = generate_uid(), generate_uid()
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        for keyword, value in elements.items():
            setattr(dataset, keyword, value)
        path = plain.with_name(f"{dataset.SOPInstanceUID}.dcm")
        dataset.save_as(path, enforce_file_format=True)
        return path

    return write


def settings(models: Path, *, halved: str = "htj2k") -> Settings:
    worker = WorkerSettings(engines=("ort",), threads=1, lease_s=LEASE_S, halved_triage=halved)
    return Settings(models=(models,), worker=worker)


def work_off(chosen: Settings, layout: Layout, database: Database) -> list[LaneResult]:
    """All jobs to their end; the results in the order of their commits."""
    with Worker(
        settings=chosen, layout=layout, clock=SystemClock(), database=database, stop=Event()
    ) as worker:
        jobs = Jobs(database, max_attempts=3)
        while job := jobs.lease(worker=NAME, lease_s=LEASE_S):
            worker.do(job)
    assert {row[0] for row in database.read("SELECT state FROM job")} == {"done"}
    return [
        from_json(LaneResult, row[0])
        for row in database.read("SELECT record FROM result ORDER BY committed_ns, rowid")
    ]


def lanes(results: list[LaneResult]) -> list[Lane]:
    return [result.lane for result in results]


def test_triage_comes_first_from_the_halved_frame_and_says_so(
    layout: Layout, database: Database, land: Land, models: Path, film: Callable[..., Path], plain: Path
) -> None:
    exam = land([film()])
    results = work_off(settings(models), layout, database)
    assert lanes(results) == [Lane.TRIAGE, Lane.QUALITY, Lane.DENOISE]
    triage, quality, _ = results
    assert (triage.halvings, quality.halvings) == (1, 0)
    assert {timing.stage for timing in triage.timings} >= {"decoded", "prepared", "inferred"}
    view = layout.view_of(exam.acquisition_id, exam.version)
    shown = np.load(view / "pixels.npy", mmap_mode="r")
    assert np.array_equal(shown, pydicom.dcmread(plain).pixel_array)  # the whole frame followed
    land([plain])
    (raw,) = [one for one in work_off(settings(models), layout, database)[3:] if one.lane is Lane.TRIAGE]
    assert raw.halvings == 0
    for one, other in zip(triage.findings, raw.findings, strict=True):
        assert one.probability == pytest.approx(other.probability, abs=0.002)
        assert one.decision is other.decision


def test_switched_off_quality_control_comes_first(
    layout: Layout, database: Database, land: Land, models: Path, film: Callable[..., Path]
) -> None:
    land([film()])
    results = work_off(settings(models, halved="off"), layout, database)
    assert lanes(results) == [Lane.QUALITY, Lane.TRIAGE, Lane.DENOISE]
    assert {result.halvings for result in results} == {0}


def test_what_cannot_be_halved_waits_for_its_turn(
    layout: Layout, database: Database, land: Land, models: Path, film: Callable[..., Path]
) -> None:
    land([film(BitsStored=16, HighBit=15)])
    results = work_off(settings(models), layout, database)
    assert lanes(results) == [Lane.QUALITY, Lane.TRIAGE, Lane.DENOISE]
    assert {result.halvings for result in results} == {0}


def test_nobody_waits_for_quality_control_because_of_it(
    layout: Layout, database: Database, land: Land, models: Path, film: Callable[..., Path]
) -> None:
    first, second = land([film()]), land([film()])
    results = work_off(settings(models), layout, database)
    order = [(result.acquisition_id, result.lane) for result in results]
    assert order.index((first.acquisition_id, Lane.QUALITY)) == 0  # the second exam's check is next in line
    checked = order.index((second.acquisition_id, Lane.QUALITY))
    assert checked < order.index((first.acquisition_id, Lane.TRIAGE))
