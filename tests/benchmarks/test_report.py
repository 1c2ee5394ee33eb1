# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from benchmarks.guard import read_budgets, value_at
from benchmarks.latency import stage_spreads
from benchmarks.report import Measured, as_json
from benchmarks.studies import RADIOGRAPHS

RESULTS: Final = Path(__file__).parents[2] / "benchmarks" / "results"


def test_the_contract_is_kept_whatever_was_measured(whole_run: Measured, empty_run: Measured) -> None:
    for run in (whole_run, empty_run):
        report = json.loads(json.dumps(as_json(run), allow_nan=False))
        assert {"machine", "ratio_to_naive", "latency_ms", "engines"} <= report.keys()
        assert report["ratio_to_naive"].keys() == report["latency_ms"].keys()


def test_ratios_times_and_memory_are_where_they_are_looked_for(whole_run: Measured) -> None:
    report = as_json(whole_run)
    assert report["ratio_to_naive"] == {**dict.fromkeys(RADIOGRAPHS, 5.0), "ct_denoise": 3.5}
    assert report["latency_ms"]["dx_raw"]["quality"]["p50"] == 2.0
    assert report["latency_ms"]["ct_denoise"]["first_slice"]["max"] == 3.0
    assert report["memory_mib"] == {
        "highest": {"worker": 400.0, "watcher": 90.0, "kiosk": 150.0},
        "worker_growth_over_series": 10.0,
    }
    assert report["idle"]["watcher_and_kiosk_mib"] == 240.0
    assert (report["backlog"]["lost"], report["backlog"]["memory"]) == (1, {"watcher": 90.0})
    assert report["engines"] == [
        {"task": "t", "model": "t@1", "engine": "ort f32 CPU", "fallback_reason": None}
    ]


def test_every_promise_that_a_benchmark_holds_leads_to_a_number(whole_run: Measured) -> None:
    screen = json.loads((RESULTS / "epyc-2-kiosk.json").read_text(encoding="utf-8"))
    archive = json.loads((RESULTS / "epyc-2-delivery.json").read_text(encoding="utf-8"))
    # The screen and the ways out have benchmarks of their own.
    report = {**as_json(whole_run), "kiosk": screen["kiosk"], "delivery": archive["delivery"]}
    assert [budget.name for budget in read_budgets() if value_at(report, budget.path) is None] == []


def test_a_stage_that_not_every_round_had_is_summarised_over_those_that_had_it() -> None:
    spreads = stage_spreads([{"decoded": 1.0}, {"decoded": 3.0, "inferred": 7.0}])
    assert (spreads["decoded"].n, spreads["decoded"].p50) == (2, 2.0)
    assert (spreads["inferred"].n, spreads["inferred"].p50) == (1, 7.0)
