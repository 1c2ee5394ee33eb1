# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The real appliance, started and read as the benchmark does it."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from appliance.clock import SystemClock
from appliance.domain.job import Lane
from benchmarks.appliance_run import MeasuringError, running_appliance
from benchmarks.arrival import rename_in
from benchmarks.memory import roles
from benchmarks.studies import new_arrival


def test_a_radiograph_is_answered_and_timed(radiographs: dict[str, Path], tmp_path: Path) -> None:
    clock = SystemClock()
    study = new_arrival((radiographs["dx_jpeg_ls"],), tmp_path / "arrivals")
    with running_appliance(tmp_path / "data", clock) as appliance:
        appliance.wait_until_ready()
        running = set(roles(psutil.Process(appliance.pid)).values())
        before_ns = clock.monotonic_ns()
        closed_ns = rename_in(study, appliance.layout.inbox, clock)
        answered = appliance.wait_for_study(study.study_instance_uid, closed_ns=closed_ns, timeout_s=60)
        after_ns = clock.monotonic_ns()
        pid = appliance.pid
    assert {"run", "watcher", "worker", "sender"} <= running
    assert not psutil.pid_exists(pid)
    assert before_ns <= closed_ns < answered.committed_ns(Lane.QUALITY) < after_ns
    assert answered.committed_ns(Lane.QUALITY) < answered.committed_ns(Lane.TRIAGE) < after_ns
    stages = answered.stages_ms()
    assert 0 < stages["quality.decoded"] < answered.committed_ms(Lane.QUALITY)
    assert stages["quality.landed"] > 0


def test_an_appliance_that_ends_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCANSIDE__INTAKE__LOOK_INTERVAL_S", "-1")
    with (
        running_appliance(tmp_path / "data", SystemClock()) as appliance,
        pytest.raises(MeasuringError, match="look_interval_s"),
    ):
        appliance.wait_until_ready()
