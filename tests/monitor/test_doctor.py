# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What the doctor finds, and that every CHECK and FAIL comes with what to do."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

import pytest
from pynetdicom.sop_class import CTImageStorage

from appliance.clock import Clock, ManualClock, SystemClock
from appliance.config import ListenerSettings, Settings, WorkerSettings
from appliance.layout import Layout
from appliance.models.registry import Registry
from appliance.models.selection import plan_of
from appliance.models.slots import SlotFolder
from appliance.monitor.diagnosis import Diagnosis, Health
from appliance.monitor.doctor import examine
from appliance.monitor.heartbeat import Heartbeat
from appliance.monitor.proof import ProofFile, moment, write_proof
from appliance.monitor.silent_folder import silent_words
from appliance.receivers import PeerSettings, SenderSettings
from appliance.store.connection import Database
from tests.receiver import receiver
from tests.running import free_port
from tests.tiny_bundles import build, trusted

NOBODY_LISTENS = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""pynetdicom drops the socket of a refused connection without closing it; Python closes it at once."""


@contextmanager
def registry_of(folder: Path, *engines: str) -> Iterator[Registry]:
    with Registry((folder,), engines=engines, threads=1, cache=folder / "cache", trust=trusted()) as registry:
        yield registry


def found(
    layout: Layout,
    settings: Settings | None = None,
    *,
    clock: Clock | None = None,
    models: Path | None = None,
) -> dict[str, Diagnosis]:
    settings = settings or Settings(
        listener=ListenerSettings(enabled=False), worker=WorkerSettings(engines=("ort",))
    )
    folder = models or layout.data / "no_models"
    with registry_of(folder, *settings.worker.engines) as registry:
        diagnoses = list(examine(settings, layout, registry, clock or SystemClock()))
    assert all(diagnosis.remedy for diagnosis in diagnoses if diagnosis.health is not Health.OK)
    assert all(diagnosis.found for diagnosis in diagnoses)
    return {diagnosis.subject: diagnosis for diagnosis in diagnoses}


def test_a_machine_without_models_fails(layout: Layout) -> None:
    assert found(layout)["models"].health is Health.FAIL


def test_a_model_that_proves_itself_is_ok_and_a_refused_bundle_fails(layout: Layout, tmp_path: Path) -> None:
    build(tmp_path / "models" / "good")
    bad = build(tmp_path / "models" / "bad", task="other")
    (bad / "card.toml").write_text("changed", encoding="utf-8")
    answers = found(layout, models=tmp_path / "models")
    assert answers["model ct_denoise"].health is Health.OK
    assert "ort f32 CPU" in answers["model ct_denoise"].found
    assert answers["model bundle"].health is Health.FAIL


def test_a_model_on_its_second_engine_is_to_be_looked_at(layout: Layout, tmp_path: Path) -> None:
    build(tmp_path / "models" / "good")
    settings = Settings(
        listener=ListenerSettings(enabled=False), worker=WorkerSettings(engines=("null", "ort"))
    )
    model = found(layout, settings, models=tmp_path / "models")["model ct_denoise"]
    assert model.health is Health.CHECK
    assert "because null fp32:" in model.found
    assert "null" in model.remedy


def test_an_engine_that_auto_passes_over_is_told_with_its_reason(layout: Layout) -> None:
    settings = Settings(listener=ListenerSettings(enabled=False))
    plan = plan_of(("auto",))
    answers = found(layout, settings)
    assert {subject for subject in answers if subject.startswith("engine ")} == {
        f"engine {name}" for name in (*plan.engines, *plan.skipped)
    }
    for name, reason in plan.skipped.items():
        diagnosis = answers[f"engine {name}"]
        assert (diagnosis.health, diagnosis.found) == (Health.OK, f"not used: {reason}")


def test_an_engine_that_was_named_and_is_not_there_is_to_be_looked_at(layout: Layout) -> None:
    named = Settings(listener=ListenerSettings(enabled=False), worker=WorkerSettings(engines=("base", "ort")))
    assert found(layout, named)["engine base"].health is Health.CHECK
    alone = Settings(listener=ListenerSettings(enabled=False), worker=WorkerSettings(engines=("base",)))
    assert found(layout, alone)["engine base"].health is Health.FAIL


def test_what_the_appliance_did_to_the_slots_by_itself_is_to_be_looked_at(layout: Layout) -> None:
    slots = SlotFolder(layout.models)
    slots.activate("ct_denoise", "1" * 16)
    assert "slot ct_denoise" not in found(layout)
    slots.roll_back("ct_denoise", left_release=None, note="ct_denoise@2 cannot serve")
    diagnosis = found(layout)["slot ct_denoise"]
    assert (diagnosis.health, diagnosis.found) == (Health.CHECK, "ct_denoise@2 cannot serve")
    (layout.models / "ct_denoise" / "slots.json").write_text("{", encoding="utf-8")
    assert found(layout)["slot ct_denoise"].health is Health.FAIL


def test_a_model_that_nothing_serves_fails(layout: Layout, tmp_path: Path) -> None:
    build(tmp_path / "models" / "wrong", golden_factor=0.9)
    assert found(layout, models=tmp_path / "models")["model ct_denoise"].health is Health.FAIL


def test_the_store_is_none_yet_or_sound_or_damaged(layout: Layout) -> None:
    assert found(layout)["store"].found.startswith("none yet")
    with Database.open(layout.database, data=layout.data, clock=SystemClock()):
        pass
    assert found(layout)["store"].health is Health.OK
    content = bytearray(layout.database.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    layout.database.write_bytes(content)
    assert found(layout)["store"].health is Health.FAIL


def test_a_clock_before_this_software_was_made_is_to_be_looked_at(layout: Layout) -> None:
    early = ManualClock(start_utc=datetime(2019, 5, 1, tzinfo=timezone.utc))
    clock = found(layout, clock=early)["clock"]
    assert (clock.health, "2019-05-01" in clock.found) == (Health.CHECK, True)
    assert found(layout, clock=ManualClock())["clock"].health is Health.OK


def test_the_last_proof_is_good_or_failed_or_too_old_or_missing(layout: Layout) -> None:
    clock = ManualClock()

    def prove(*failures: str) -> None:
        made = moment(clock)
        proof = ProofFile(
            made=made,
            took_ms=420.0,
            passed=not failures,
            failures=failures,
            image_passed=True,
            last_passed=None,
            interval_s=600.0,
        )
        write_proof(layout.run, proof)

    def row() -> Diagnosis:
        Heartbeat(layout.run, "worker", clock).beat("waiting")
        return found(layout, clock=clock)["proof"]

    assert row().health is Health.CHECK
    prove()
    clock.advance(120)
    assert (row().health, row().found) == (Health.OK, "passed 2 min ago, in 0.4 s")
    clock.advance(1700)
    assert row().health is Health.CHECK
    prove("chest_triage: wrong")
    assert (row().health, row().found) == (Health.FAIL, "chest_triage: wrong")


def test_a_process_without_a_fresh_sign_of_life_fails_beside_living_ones(layout: Layout) -> None:
    clock = ManualClock()
    assert found(layout, clock=clock)["appliance"].found.startswith("not running")
    Heartbeat(layout.run, "worker", clock).beat("working: quality")
    clock.advance(60)
    Heartbeat(layout.run, "watcher", clock).beat("waiting")
    answers = found(layout, clock=clock)
    assert (answers["watcher"].health, answers["watcher"].found) == (Health.OK, "waiting")
    assert answers["worker"].health is answers["sender"].health is Health.FAIL
    assert "appliance" not in answers


def test_a_share_that_does_not_answer_is_named_while_its_watcher_lives(
    layout: Layout, tmp_path: Path
) -> None:
    clock = ManualClock()
    words = silent_words(tmp_path, "14:02")
    Heartbeat(layout.run, "watcher", clock).beat(f"waiting; {words}")
    answer = found(layout, clock=clock)["watched folder"]
    assert answer.health is Health.CHECK
    assert answer.found == f"The share {tmp_path} does not answer since 14:02"
    clock.advance(60)
    Heartbeat(layout.run, "worker", clock).beat("waiting")
    assert "watched folder" not in found(layout, clock=clock)


def test_the_port_is_free_or_taken(layout: Layout) -> None:
    def asked(port: int) -> Diagnosis:
        settings = Settings(listener=ListenerSettings(port=port), worker=WorkerSettings(engines=("ort",)))
        return found(layout, settings)[f"DICOM port 127.0.0.1:{port}"]

    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert asked(taken.getsockname()[1]).health is Health.FAIL
    assert asked(free_port()).health is Health.OK


@NOBODY_LISTENS
def test_a_peer_answers_or_is_to_be_looked_at(layout: Layout) -> None:
    with receiver(takes=CTImageStorage) as (port, _):
        peers = tuple(
            PeerSettings(name=name, host="127.0.0.1", port=number, ae_title="ARCHIVE")
            for name, number in (("here", port), ("away", free_port()))
        )
        settings = Settings(
            listener=ListenerSettings(enabled=False),
            worker=WorkerSettings(engines=("ort",)),
            sender=SenderSettings(peers=peers),
        )
        answers = found(layout, settings)
    assert answers["peer here"].health is Health.OK
    assert answers["peer away"].health is Health.CHECK
    assert "does not answer" in answers["peer away"].found
