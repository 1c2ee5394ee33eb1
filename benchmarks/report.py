# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A run as one JSON object: what `scanside bench run --json` promises, and everything that lies behind it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final

from appliance.config import MIB
from appliance.domain.result import EngineUse
from benchmarks.backlog import BacklogReport
from benchmarks.denoising.report import DenoisingReport
from benchmarks.engine_matrix.matrix import MatrixReport
from benchmarks.idle import IdleReport
from benchmarks.latency import RadiographLatency, RadiographReport
from benchmarks.machine import Machine
from benchmarks.memory import MemoryUse
from benchmarks.peak_hour import PeakHourReport
from benchmarks.pieces.report import PiecesReport
from benchmarks.pieces.starting import StartReport
from benchmarks.pieces.watching import WatchReport
from benchmarks.series import SeriesReport
from benchmarks.soak_part import SoakReport

FORMAT: Final = 1
"""Rises when a field changes its meaning or goes away."""
SERIES: Final = "ct_denoise"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was measured in a run; None: was not asked for."""

    machine: Machine
    began_at_utc: str
    software: str
    """Version of this software."""
    load_after_1min: float
    quick: bool
    radiographs: RadiographReport | None
    series: SeriesReport | None
    backlog: BacklogReport | None
    idle: IdleReport | None
    engines: MatrixReport | None
    denoising: DenoisingReport | None
    peak_hour: PeakHourReport | None
    pieces: PiecesReport | None
    watching: WatchReport | None
    starting: StartReport | None
    soak: SoakReport | None


def as_json(measured: Measured) -> dict[str, Any]:
    """Plain values. Times in milliseconds from the close of the last file, memory in MiB."""
    latencies = measured.radiographs.latencies if measured.radiographs else ()
    series, idle, backlog = measured.series, measured.idle, measured.backlog
    ratios = {one.name: one.ratio for one in latencies}
    times: dict[str, Any] = {one.name: _radiograph(one) for one in latencies}
    if series is not None:
        ratios[SERIES] = series.ratio_first_slice
        times[SERIES] = _series(series)
    return {
        "format": FORMAT,
        "quick": measured.quick,
        "began_at_utc": measured.began_at_utc,
        "software": measured.software,
        "machine": asdict(measured.machine),
        "load_after_1min": measured.load_after_1min,
        "ratio_to_naive": ratios,
        "ratio_to_naive_rounds": _rounds(latencies, series),
        "ratio_to_naive_variants": _variants(latencies, series),
        "latency_ms": times,
        "memory_mib": _memory(measured),
        "idle": None
        if idle is None
        else {
            "seconds_to_ready": idle.seconds_to_ready,
            "seconds": idle.seconds,
            "cpu_percent": idle.cpu_percent,
            "watcher_and_kiosk_cpu_percent": idle.watcher_and_kiosk_cpu_percent,
            "watcher_and_kiosk_mib": _mib(idle.watcher_and_kiosk_bytes),
        },
        "backlog": None if backlog is None else {**asdict(backlog), "memory": _highest(backlog.memory)},
        "engine_matrix": _plain(measured.engines),
        "denoising": _plain(measured.denoising),
        "peak_hour": _plain(measured.peak_hour),
        "pieces": _plain(measured.pieces),
        "watching": _plain(measured.watching),
        "starting": _plain(measured.starting),
        "soak": _plain(measured.soak),
        "same_work": {one.name: one.probability_difference for one in latencies},
        "engines": _engines(measured),
    }


def _plain(part: Any) -> dict[str, Any] | None:
    """A part that is its own JSON."""
    return None if part is None else asdict(part)


def _radiograph(one: RadiographLatency) -> dict[str, Any]:
    return {
        "quality": asdict(one.quality),
        "triage": asdict(one.triage),
        "all_answers": asdict(one.all_answers),
        "painted": asdict(one.painted) if one.painted else None,
        "slow_copy_quality": asdict(one.slow_copy_quality) if one.slow_copy_quality else None,
        "stages": {name: asdict(spread) for name, spread in one.stages.items()},
        "naive_quality": asdict(one.naive_quality),
        "naive_done": asdict(one.naive_done),
        "naive_stages": {name: asdict(spread) for name, spread in one.naive_stages.items()},
    }


def _series(series: SeriesReport) -> dict[str, Any]:
    return {
        "slices": series.slices,
        "quality": asdict(series.quality),
        "painted": asdict(series.painted) if series.painted else None,
        "first_slice": asdict(series.first_slice),
        "denoised": asdict(series.denoised),
        "stages": {name: asdict(spread) for name, spread in series.stages.items()},
        "naive_quality": asdict(series.naive_quality),
        "naive_first_slice": asdict(series.naive_first_slice),
        "naive_done": asdict(series.naive_done),
        "naive_stages": {name: asdict(spread) for name, spread in series.naive_stages.items()},
    }


def _rounds(latencies: Iterable[RadiographLatency], series: SeriesReport | None) -> dict[str, Any]:
    rounds = {one.name: list(one.ratios) for one in latencies}
    if series is not None:
        rounds[SERIES] = list(series.ratios_first_slice)
    return rounds


def _variants(latencies: Iterable[RadiographLatency], series: SeriesReport | None) -> dict[str, Any]:
    variants: dict[str, Any] = {
        one.name: {
            "session_kept": one.ratio_session_kept,
            "without_measuring": one.ratio_without_measuring,
            "triage": one.ratio_triage,
        }
        for one in latencies
    }
    if series is not None:
        variants[SERIES] = {
            "all_slices": series.ratio_all,
            "first_slice_without_measuring": series.ratio_first_slice_without_measuring,
            "all_slices_without_measuring": series.ratio_all_without_measuring,
        }
    return variants


def _memory(measured: Measured) -> dict[str, Any]:
    """Highest by process over all measurements, and how much the worker grew over the series."""
    parts = (measured.radiographs, measured.series, measured.backlog, measured.idle)
    uses = [use for part in parts if part is not None for use in part.memory]
    worker = [use for use in measured.series.memory if use.role == "worker"] if measured.series else []
    return {
        "highest": _highest(uses),
        "worker_growth_over_series": (
            round((worker[0].last_quarter_bytes - worker[0].first_quarter_bytes) / MIB, 1) if worker else None
        ),
    }


def _highest(uses: Iterable[MemoryUse]) -> dict[str, float]:
    highest: dict[str, float] = {}
    for use in uses:
        highest[use.role] = max(highest.get(use.role, 0.0), round(use.highest_bytes / MIB, 1))
    return highest


def _mib(size_bytes: int | None) -> float | None:
    return None if size_bytes is None else round(size_bytes / MIB, 1)


def _engines(measured: Measured) -> list[dict[str, Any]]:
    uses: dict[str, EngineUse] = {}
    for part in (measured.radiographs, measured.series):
        for use in part.engines if part is not None else ():
            uses[use.task] = use
    return [asdict(use) for use in uses.values()]
