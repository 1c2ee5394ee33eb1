# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import pytest

from appliance.clock import SystemClock
from benchmarks.archive import BINARY
from benchmarks.delivery import DeliveryReport, measure_delivery, report_of
from benchmarks.guard import judge, read_budgets
from benchmarks.spread import spread_of
from benchmarks.tables import RESULTS, as_markdown


def test_a_short_run_measures_what_arrived(tmp_path: Path) -> None:
    if not BINARY.is_file():
        pytest.skip("no Orthanc here: `make setup-peers` installs it")
    found = measure_delivery(tmp_path, SystemClock(), series=1, slices=5, exams=1)
    assert (found.objects, found.result_to_archive_s.n) == (5, 1)
    assert found.objects_of_an_exam >= 3, "the original, a report, a capture"
    assert found.objects_per_min > 0
    assert 0 < found.result_to_archive_s.max < 60


def test_every_promise_of_delivery_is_judged() -> None:
    mine = tuple(budget for budget in read_budgets() if budget.path.startswith("delivery."))
    assert len(mine) == 2
    for per_min, seconds, kept in ((500.0, 5.0, True), (499.0, 5.1, False)):
        measured = DeliveryReport(
            objects=1, objects_per_min=per_min, objects_of_an_exam=5, result_to_archive_s=spread_of([seconds])
        )
        assert [one.kept for one in judge(report_of(measured, {}, 0.5), mine)] == [kept, kept]


def test_the_kept_run_is_told() -> None:
    report = json.loads((RESULTS / "epyc-2-delivery.json").read_text(encoding="utf-8"))
    assert "| objects a minute |" in as_markdown(report)
