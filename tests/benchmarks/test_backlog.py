# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from appliance.clock import SystemClock
from benchmarks.backlog import measure_backlog
from benchmarks.plan import QUICK, Workshop


def test_a_small_backlog_is_worked_off_and_told_as_it_was(tmp_path: Path) -> None:
    said: list[str] = []
    plan = replace(QUICK, backlog_files=12, urgent_files=1)
    report = measure_backlog(
        Workshop(plan=plan, folder=tmp_path, kept=tmp_path, clock=SystemClock(), say=said.append)
    )
    assert (report.files, report.answered, report.failed, report.lost, report.urgent) == (12, 12, 0, 0, 1)
    assert report.urgent_rank < 0.5
    assert {"watcher", "worker", "sender"} <= {use.role for use in report.memory}
    assert 0 < report.urgent_after_seen_s < report.seconds
    assert any("12" in words for words in said)
