# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Sequence

from appliance.config import MIB
from appliance.domain.result import EngineUse
from benchmarks.backlog import BacklogReport
from benchmarks.guard import read_budgets, value_at
from benchmarks.idle import IdleReport
from benchmarks.latency import RadiographLatency, RadiographReport, stage_spreads
from benchmarks.machine import describe_machine
from benchmarks.memory import MemoryUse
from benchmarks.report import Measured, as_json
from benchmarks.series import SeriesReport
from benchmarks.spread import spread_of
from benchmarks.studies import RADIOGRAPHS

ONE = spread_of([1.0, 2.0, 3.0])
ENGINE = EngineUse(task="t", model="t@1", engine="ort f32 CPU", fallback_reason=None)


def _memory(role: str, *, highest: int, first: int, last: int) -> MemoryUse:
    return MemoryUse(
        role=role,
        highest_bytes=highest * MIB,
        first_quarter_bytes=first * MIB,
        last_quarter_bytes=last * MIB,
    )


def _radiographs(names: Sequence[str]) -> RadiographReport:
    latencies = tuple(
        RadiographLatency(
            name=name,
            ratio=5.0,
            ratio_session_kept=4.5,
            ratio_without_measuring=3.0,
            quality=ONE,
            triage=ONE,
            slow_copy_quality=None,
            stages={"quality.decoded": ONE},
            naive_quality=ONE,
            naive_done=ONE,
            naive_stages={"decode": ONE},
            probability_difference=0.01,
        )
        for name in names
    )
    memory = (_memory("worker", highest=300, first=250, last=260),)
    return RadiographReport(latencies=latencies, memory=memory, engines=(ENGINE,))


def _series() -> SeriesReport:
    return SeriesReport(
        slices=200,
        ratio_first_slice=3.5,
        ratio_all=2.0,
        ratio_first_slice_without_measuring=2.5,
        ratio_all_without_measuring=1.8,
        quality=ONE,
        first_slice=ONE,
        denoised=ONE,
        stages={},
        naive_quality=ONE,
        naive_first_slice=ONE,
        naive_done=ONE,
        naive_stages={},
        memory=(_memory("worker", highest=400, first=280, last=290),),
        engines=(ENGINE,),
    )


def _backlog() -> BacklogReport:
    return BacklogReport(
        files=10,
        answered=9,
        failed=0,
        lost=1,
        seconds=5.0,
        files_per_second=2.0,
        urgent=1,
        urgent_rank=0.0,
        urgent_after_seen_s=0.5,
        memory=(_memory("watcher", highest=90, first=80, last=80),),
    )


def _idle() -> IdleReport:
    return IdleReport(
        seconds_to_ready=4.0,
        seconds=20.0,
        cpu_percent={"watcher": 1.0, "kiosk": 0.5},
        watcher_and_kiosk_cpu_percent=1.5,
        memory=(_memory("kiosk", highest=150, first=150, last=150),),
        watcher_and_kiosk_bytes=240 * MIB,
    )


def _measured(*, whole: bool) -> Measured:
    return Measured(
        machine=describe_machine(),
        load_after_1min=0.5,
        quick=not whole,
        radiographs=_radiographs(RADIOGRAPHS) if whole else None,
        series=_series() if whole else None,
        backlog=_backlog() if whole else None,
        idle=_idle() if whole else None,
    )


def test_the_contract_is_kept_whatever_was_measured() -> None:
    for whole in (False, True):
        report = json.loads(json.dumps(as_json(_measured(whole=whole)), allow_nan=False))
        assert {"machine", "ratio_to_naive", "latency_ms", "engines"} <= report.keys()
        assert report["ratio_to_naive"].keys() == report["latency_ms"].keys()


def test_ratios_times_and_memory_are_where_they_are_looked_for() -> None:
    report = as_json(_measured(whole=True))
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


def test_every_promise_that_a_benchmark_holds_leads_to_a_number() -> None:
    report = as_json(_measured(whole=True))
    assert [budget.name for budget in read_budgets() if value_at(report, budget.path) is None] == []


def test_a_stage_that_not_every_round_had_is_summarised_over_those_that_had_it() -> None:
    spreads = stage_spreads([{"decoded": 1.0}, {"decoded": 3.0, "inferred": 7.0}])
    assert (spreads["decoded"].n, spreads["decoded"].p50) == (2, 2.0)
    assert (spreads["inferred"].n, spreads["inferred"].p50) == (1, 7.0)
