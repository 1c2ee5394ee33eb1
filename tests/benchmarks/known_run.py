# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A run whose numbers are known."""

from __future__ import annotations

from collections.abc import Sequence

from appliance.config import MIB
from appliance.domain.result import EngineUse
from benchmarks.backlog import BacklogReport
from benchmarks.denoising.report import DenoisingReport, QualityRow, QualitySet, TimeRow
from benchmarks.engine_matrix.spent import Spent
from benchmarks.idle import IdleReport
from benchmarks.latency import RadiographLatency, RadiographReport
from benchmarks.machine import describe_machine
from benchmarks.memory import MemoryUse
from benchmarks.peak_hour import Hour, KindOfArrival, PeakHourReport, QueueLook
from benchmarks.pieces.report import PiecesReport
from benchmarks.pieces.starting import StartReport
from benchmarks.pieces.turns import piece_of
from benchmarks.pieces.watching import WatchReport
from benchmarks.report import Measured
from benchmarks.series import SeriesReport
from benchmarks.soak import Slope
from benchmarks.soak_part import SoakReport
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
            ratios=(4.9, 5.0, 5.1),
            ratio_session_kept=4.5,
            ratio_without_measuring=3.0,
            ratio_triage=6.0,
            quality=ONE,
            triage=ONE,
            all_answers=ONE,
            painted=ONE,
            slow_copy_quality=None,
            stages={"quality.decoded": ONE, "quality.painted": ONE},
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
        ratios_first_slice=(3.4, 3.5, 3.6),
        ratio_all=2.0,
        ratio_first_slice_without_measuring=2.5,
        ratio_all_without_measuring=1.8,
        quality=ONE,
        painted=None,
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


def _peak_hour() -> PeakHourReport:
    kind = KindOfArrival(
        kind="projection",
        arrived=4,
        answered=3,
        late=1,
        deadline_s=3.0,
        quality_ms=ONE,
        all_answers_ms=None,
    )
    hour = Hour(
        factor=1.5,
        seconds=60.0,
        kinds=(kind,),
        queue=(
            QueueLook(at_s=1.0, jobs={"quality": 1}),
            QueueLook(at_s=2.0, jobs={"quality": 1, "denoise": 2}),
        ),
        most_waiting=3,
        waiting_at_end={"denoise": 2},
        drained_s=None,
        failed_lanes=0,
        cpu_percent=120.0,
        joules_package=None,
        temperature_c=None,
    )
    return PeakHourReport(radiographs_per_hour=120, series_per_hour=30, slices=48, hours=(hour,))


def _pieces() -> PiecesReport:
    quick, slow = (Spent(wall_s=0.002, cpu_s=0.001),), (Spent(wall_s=0.004, cpu_s=0.005),)
    return PiecesReport(
        pieces=(piece_of("decode_dx_raw", "ours over theirs", list(quick), list(slow), goal=1.1),)
    )


def _watching() -> WatchReport:
    return WatchReport(
        folders=20,
        files=10,
        by_events=True,
        ready_s=0.5,
        isolated_ms=ONE,
        burst_ms=ONE,
        events_missed=1,
        missed=0,
        overflow_files=8192,
        overflow_told=5461,
        overflow_missed=0,
        listing_s=0.1,
    )


def _denoising() -> DenoisingReport:
    def row(method: str, psnr_db: float, *settings: str) -> QualityRow:
        return QualityRow(
            method=method, settings=settings, psnr_db=psnr_db, ssim=0.7, rmse_hu=21.0, texture_ratio=0.9
        )

    def time(times: float) -> TimeRow:
        return TimeRow(ms=ONE, cpu_ms=2.0, times_ours=times, cpu_times_ours=times)

    rows = (row("input", 22.0), row("gaussian", 26.0, "sigma_px 0.8"), row("ct_denoise ort fp32", 27.0))
    return DenoisingReport(
        skipped=None,
        red_cnn="nobody trained it",
        sets={"added_noise": QualitySet(chosen_on=3, judged_on=2, rows=rows, gain_db=1.0)},
        side_px=512,
        times={
            "gaussian": time(0.1),
            "ct_denoise ort fp32": time(1.0),
            "dncnn17 ort fp32": time(80.0),
            "nlm_skimage": time(8.0),
        },
    )


def _soak() -> SoakReport:
    def slope(what: str) -> Slope:
        return Slope(
            what=what,
            per_hour=2.0 * MIB,
            low_per_hour=-MIB,
            high_per_hour=4.0 * MIB,
            median=90.0 * MIB,
            samples=9,
        )

    return SoakReport(
        minutes=5.0,
        given=7,
        answered=7,
        restarts=0,
        failed=0,
        failures=(),
        slopes={"worker rss_bytes": slope("worker rss_bytes")},
        at_minute=(0.0, 1.0),
        resident_mib={"worker": (89.0, 90.0), "kiosk": (None, 150.0)},
    )


def made_run(*, whole: bool) -> Measured:
    """A run whose numbers are known; not whole: nothing was asked for."""
    return Measured(
        machine=describe_machine(),
        began_at_utc="2026-12-01T09:30:15+00:00",
        software="0.1.0",
        load_after_1min=0.5,
        quick=not whole,
        radiographs=_radiographs(RADIOGRAPHS) if whole else None,
        series=_series() if whole else None,
        backlog=_backlog() if whole else None,
        idle=_idle() if whole else None,
        engines=None,
        denoising=_denoising() if whole else None,
        peak_hour=_peak_hour() if whole else None,
        pieces=_pieces() if whole else None,
        watching=_watching() if whole else None,
        starting=StartReport(first_s=9.0, first_all_s=10.0, again_s=ONE, again_all_s=ONE) if whole else None,
        soak=_soak() if whole else None,
    )
