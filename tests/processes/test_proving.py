# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Proof of life with real and really broken engines: it passes, fails, heals itself, passes again."""

from __future__ import annotations

import time  # noqa: TID251  (a worker works in real time)
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest

from appliance.clock import ManualClock, SystemClock
from appliance.config import Settings
from appliance.domain.acquisition import Acquisition
from appliance.engines.faulty import NAN_ON_INFER, FaultyEngine
from appliance.intake.jail import Jail
from appliance.layout import Layout
from appliance.models.registry import Registry
from appliance.monitor.proof import PROOF_FILE, RETRY_S, Proof, Schedule, read_proof
from appliance.processes.proving import Proving
from appliance.selftest.phantom_radiograph import write_chest
from appliance.store.board import Board
from appliance.store.connection import Database
from tests.processes.test_worker import opened, settings_with
from tests.tiny_bundles import build, trusted

INTERVAL_S = 600.0


@contextmanager
def proved_by(layout: Layout, clock: ManualClock, bundle: Path) -> Iterator[tuple[Proving, Registry]]:
    """A worker's proofs, its models on the engine that can be broken."""
    with Registry(
        (bundle.parent,), engines=("faulty",), threads=1, cache=layout.engine_cache, trust=trusted()
    ) as models:
        yield Proving(Settings(), layout, clock, models), models


def last(layout: Layout, clock: ManualClock) -> Proof:
    proof = read_proof(layout.run, clock)
    assert proof is not None
    return proof


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A model that answers zeros, as its golden data want it."""
    return build(tmp_path / "models" / "zeros", factor=0.5, golden_factor=0.0)


def break_engine(models: Registry) -> None:
    engine = models.served("ct_denoise").engine
    assert isinstance(engine, FaultyEngine)
    engine._fault = NAN_ON_INFER


# Trace: REQ-019
def test_a_broken_engine_is_found_within_30_s_and_a_cured_one_passes(
    layout: Layout, jail: Jail, bundle: Path
) -> None:
    clock = ManualClock()
    graph = bundle / "model.onnx"
    whole = graph.read_bytes()
    with proved_by(layout, clock, bundle) as (proofs, models):
        assert proofs.is_due()
        assert proofs.prove(jail).passed
        good = last(layout, clock)
        assert not proofs.is_due()
        break_engine(models)
        graph.write_bytes(b"damaged")  # the second try loads it anew, and must not
        proofs.suspect()
        assert proofs.is_due()
        assert proofs.is_overdue()
        proofs.prove(jail)
        failed = last(layout, clock)
        assert not failed.passed
        assert failed.image_passed
        assert "ct_denoise: " in failed.failures[0]
        assert failed.last_passed_ns == good.made_ns
        assert not proofs.is_due()
        clock.advance(RETRY_S - 1)
        assert not proofs.is_due()
        clock.advance(1)
        assert proofs.is_due()
        assert proofs.is_overdue()
        assert not proofs.prove(jail).passed
        graph.write_bytes(whole)
        clock.advance(RETRY_S)
        assert proofs.prove(jail).passed
        assert last(layout, clock).failures == ()


def test_an_engine_that_stumbled_once_is_loaded_anew_at_the_second_try(
    layout: Layout, jail: Jail, bundle: Path
) -> None:
    with proved_by(layout, ManualClock(), bundle) as (proofs, models):
        assert proofs.prove(jail).passed
        break_engine(models)
        assert proofs._answers(jail) != ()
        assert proofs.prove(jail).passed


def test_a_planted_fault_that_is_not_found_fails(layout: Layout, jail: Jail, bundle: Path) -> None:
    with proved_by(layout, ManualClock(), bundle) as (proofs, _):
        assert proofs.prove(jail).passed
        (file,) = layout.selftest.glob("*.dcm")
        write_chest(file, rows=480, columns=400)
        made = proofs.prove(jail)
    assert "planted fault" in made.failures[0]
    assert not made.image_passed


def test_a_test_image_that_is_damaged_fails(layout: Layout, jail: Jail, bundle: Path) -> None:
    with proved_by(layout, ManualClock(), bundle) as (proofs, _):
        assert proofs.prove(jail).passed
        (file,) = layout.selftest.glob("*.dcm")
        file.write_bytes(b"no image")
        assert not proofs.prove(jail).passed


def test_the_proof_never_enters_the_store(layout: Layout, database: Database) -> None:
    with opened(layout, database, settings_with()) as worker:
        worker.prove()
    proof = read_proof(layout.run, SystemClock())
    assert proof is not None
    assert proof.passed, proof.failures
    assert Board(database).entries() == ()
    assert database.read("SELECT count(*) FROM file")[0][0] == 0
    assert list(layout.results.iterdir()) == []
    assert list(layout.views.iterdir()) == []


def test_an_idle_worker_proves_itself(layout: Layout, database: Database) -> None:
    stop = Event()

    def end_when_proved() -> None:
        deadline = time.monotonic() + 90
        while not (layout.run / PROOF_FILE).exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        stop.set()

    looking_on = Thread(target=end_when_proved)
    looking_on.start()
    with opened(layout, database, settings_with(), stop) as worker:
        worker.run()
    looking_on.join()
    assert (layout.run / PROOF_FILE).exists()


def test_the_schedule() -> None:
    schedule = Schedule(interval_s=INTERVAL_S)

    def due(seconds: float, *, passed: bool = True, took_s: float = 0.2) -> bool:
        return schedule.is_due(last_ns=0, passed=passed, took_s=took_s, now_ns=round(seconds * 1e9))

    def overdue(seconds: float, *, passed: bool = True) -> bool:
        return schedule.is_overdue(last_ns=0, passed=passed, took_s=0.2, now_ns=round(seconds * 1e9))

    assert schedule.is_due(last_ns=None, passed=True, took_s=0, now_ns=0)
    assert (due(599), due(600)) == (False, True)
    assert (overdue(1199), overdue(1200)) == (False, True)
    assert (due(29, passed=False), due(30, passed=False)) == (False, True)
    assert (overdue(29, passed=False), overdue(30, passed=False)) == (False, True)
    assert not due(499, passed=False, took_s=100), "one that hangs leaves time for the patients' images"
    assert due(500, passed=False, took_s=100)
    assert due(600, passed=False, took_s=1000)


def test_a_proof_of_another_boot_has_no_age(layout: Layout, jail: Jail, bundle: Path) -> None:
    with proved_by(layout, ManualClock(), bundle) as (proofs, _):
        proofs.prove(jail)
    proof = read_proof(layout.run, SystemClock())
    assert proof is not None
    assert (proof.made_ns, proof.age_s, proof.last_passed_ns) == (None, float("inf"), None)
    (layout.run / PROOF_FILE).write_text("{", encoding="utf-8")
    assert read_proof(layout.run, SystemClock()) is None


def test_an_acquisition_is_what_the_line_takes(layout: Layout, jail: Jail, bundle: Path) -> None:
    with proved_by(layout, ManualClock(), bundle) as (proofs, _):
        made = proofs._acquisition(jail)
    assert isinstance(made, Acquisition)
    assert made.first.patient.patient_id == "PROOF"
