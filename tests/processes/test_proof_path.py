# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The test exam through the real processes: back in time, never among the patients, AI OFF when it is not."""

from __future__ import annotations

import signal
import time  # noqa: TID251  (processes live in real time)
import urllib.request
from contextlib import suppress

import psutil
import pytest

from appliance.clock import SystemClock
from appliance.config import Settings
from appliance.errors import StoreError
from appliance.layout import Layout
from appliance.monitor.proof import PATH, PROOFS, Proof, ask_for_exam, read_proof, read_proof_of
from appliance.processes.proof_path import PathProof
from appliance.processes.proving import TEST_IMAGE
from appliance.store.connection import Database
from tests.running import RunningAppliance

START_LIMIT_S = 180.0
BACK_LIMIT_S = 15.0
AI_OFF_LIMIT_S = 30.0
"""budgets.toml: test_exam_ai_off."""
TABLES = ("file", "acquisition", "job", "result", "outbox", "peer_standing", "drift_exam", "tally")


def proof_after(appliance: RunningAppliance, made_ns: int, *, limit_s: float) -> Proof:
    """The first proof of the whole way that was made after that moment."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        proof = read_proof_of(appliance.layout.run, PATH, SystemClock())
        if proof is not None and proof.made_ns is not None and proof.made_ns > made_ns:
            return proof
        time.sleep(0.05)
    pytest.fail(f"no proof within {limit_s} s: {appliance.log.read_text(encoding='utf-8')[-2000:]}")


def test_it_comes_back_and_is_never_among_the_patients(tmp_path_factory: pytest.TempPathFactory) -> None:
    with RunningAppliance(tmp_path_factory.mktemp("path") / "data") as appliance:
        proof = proof_after(appliance, 0, limit_s=START_LIMIT_S)
        assert proof.passed, proof.failures
        assert proof.took_ms < BACK_LIMIT_S * 1000
        own = appliance.layout.selftest / "path"
        assert len(list((own / "received").iterdir())) >= 2
        assert appliance.lines() == []
        with Database.open_to_read(
            appliance.layout.database, data=appliance.layout.data, clock=SystemClock()
        ) as patients:
            assert {
                table: patients.read(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES
            } == dict.fromkeys(TABLES, 0)
        for folder in (appliance.layout.spool, appliance.layout.results, appliance.layout.views):
            assert [path for path in folder.rglob("*") if path.is_file()] == []
        url = f"http://127.0.0.1:{appliance.metrics_port}/metrics"
        with urllib.request.urlopen(url, timeout=10) as answer:
            text = answer.read().decode()
        assert 'scanside_proof_ok{proof="path"} 1.0' in text
        assert "PROOF^OF^LIFE" not in text
        assert "PROOF^OF^LIFE" not in appliance.log.read_text(encoding="utf-8")
        ask_for_exam(appliance.layout.run)  # its turn would come in ten minutes
        asked = proof_after(appliance, proof.made_ns or 0, limit_s=START_LIMIT_S)
        assert asked.passed, asked.failures


@pytest.mark.parametrize("process", ["sender"])  # a worker that stands still is replaced before that
def test_a_process_that_stands_still_is_ai_off_within_30_s(
    tmp_path_factory: pytest.TempPathFactory, process: str
) -> None:
    with RunningAppliance(tmp_path_factory.mktemp("path") / "data") as appliance:
        good = proof_after(appliance, 0, limit_s=START_LIMIT_S)
        assert good.made_ns is not None
        stopped = appliance.child(process)
        monitor = appliance.child("monitor")
        assert stopped is not None
        assert monitor is not None
        stopped.send_signal(signal.SIGSTOP)
        try:
            (appliance.layout.run / PROOFS[PATH]).unlink()
            monitor.terminate()  # a new one sends its first exam at once
            proof = proof_after(appliance, good.made_ns, limit_s=START_LIMIT_S)
            whole = read_proof(appliance.layout.run, SystemClock())
        finally:
            with suppress(psutil.NoSuchProcess):  # past its budget it is killed and started again
                stopped.send_signal(signal.SIGCONT)
        assert not proof.passed
        assert process in proof.failures[0]
        assert whole is not None
        assert not whole.passed
        assert proof.took_ms < AI_OFF_LIMIT_S * 1000
        cured = proof_after(appliance, proof.made_ns or 0, limit_s=90)
        assert cured.passed, cured.failures


def test_another_store_than_its_own_is_never_cleared(layout: Layout) -> None:
    clock = SystemClock()
    with Database.open(layout.database, data=layout.data, clock=clock) as patients:
        path = PathProof(Settings(), layout, clock, patients=patients)
        path._store.layout = layout
        layout.selftest.mkdir()
        (layout.selftest / TEST_IMAGE).write_bytes(b"")
        with patients.transaction() as write:
            write("INSERT INTO settled VALUES (x'00', 1, 2, 3)")
        with pytest.raises(StoreError):
            path._drop(0)
        assert patients.read("SELECT count(*) FROM settled") == [(1,)]
        path.close()


def test_without_the_test_image_it_fails_and_says_so(layout: Layout) -> None:
    clock = SystemClock()
    with Database.open(layout.database, data=layout.data, clock=clock) as patients:
        path = PathProof(Settings(), layout, clock, patients=patients)
        path._drop(clock.monotonic_ns())
        path.close()
    proof = read_proof_of(layout.run, PATH, clock)
    assert proof is not None
    assert "has not drawn it" in proof.failures[0]
