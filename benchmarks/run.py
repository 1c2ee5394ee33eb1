# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A run: one part after the other, each kept when it is finished."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from appliance.clock import Clock
from benchmarks.backlog import BacklogReport, measure_backlog
from benchmarks.denoising.report import DenoisingReport
from benchmarks.engine_matrix.matrix import MatrixReport, measure_matrix
from benchmarks.idle import IdleReport, measure_idle
from benchmarks.latency import RadiographReport, measure_radiographs, together
from benchmarks.machine import describe_machine
from benchmarks.parts import Begun, Parts, this_software
from benchmarks.peak_hour import PeakHourReport, measure_peak_hour
from benchmarks.pieces.report import PiecesReport, measure_pieces
from benchmarks.pieces.starting import StartReport, measure_starting
from benchmarks.pieces.watching import WatchReport, measure_watching
from benchmarks.plan import FULL, QUICK, Plan, Workshop
from benchmarks.report import SERIES, Measured
from benchmarks.series import SeriesReport, measure_series
from benchmarks.soak_part import SoakReport, measure_soak
from benchmarks.studies import RADIOGRAPHS

BACKLOG: Final = "backlog"
IDLE: Final = "idle"
ENGINES: Final = "engines"
DENOISING: Final = "denoising"
PEAK_HOUR: Final = "peak_hour"
PIECES: Final = "pieces"
WATCHING: Final = "watching"
STARTING: Final = "starting"
SOAK: Final = "soak"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One measurement with a report of its own."""

    noun: type[Any]
    measure: Callable[[Workshop], Any]


def _measure_denoising(workshop: Workshop) -> DenoisingReport:
    from benchmarks.denoising.measure import measure_denoising  # noqa: PLC0415  (--help stays quick)

    return measure_denoising(workshop)


PARTS: Final = MappingProxyType(
    {
        SERIES: Part(noun=SeriesReport, measure=measure_series),
        BACKLOG: Part(noun=BacklogReport, measure=measure_backlog),
        IDLE: Part(noun=IdleReport, measure=measure_idle),
        ENGINES: Part(noun=MatrixReport, measure=measure_matrix),
        DENOISING: Part(noun=DenoisingReport, measure=_measure_denoising),
        PIECES: Part(noun=PiecesReport, measure=measure_pieces),
        WATCHING: Part(noun=WatchReport, measure=measure_watching),
        STARTING: Part(noun=StartReport, measure=measure_starting),
        PEAK_HOUR: Part(noun=PeakHourReport, measure=measure_peak_hour),
        SOAK: Part(noun=SoakReport, measure=measure_soak),
    }
)
NAMES: Final = (*RADIOGRAPHS, *PARTS)
"""In the order in which they are measured."""
IN_A_QUICK_RUN: Final = (*RADIOGRAPHS, SERIES)
S_PER_MIN: Final = 60.0


class Run:
    """Measures what is not there yet."""

    def __init__(self, parts: Parts, *, plan: Plan, work: Path, clock: Clock, progress: Progress) -> None:
        self._parts = parts
        self._plan = plan
        self._work = work
        self._clock = clock
        self._progress = progress
        self._bar = progress.add_task("starting", total=None)

    def measure(self, names: tuple[str, ...]) -> Measured:
        """All of `names`. Raises MeasuringError, after which what was finished is still there."""
        wanted = [name for name in NAMES if name in names]
        left = [name for name in wanted if name not in self._parts.names()]
        self._progress.update(self._bar, total=len(wanted), completed=len(wanted) - len(left))
        radiographs = tuple(name for name in left if name in RADIOGRAPHS)
        if radiographs:
            measure_radiographs(self._workshop("dx"), radiographs, self._finished_radiograph)
        for name in left:
            if name in PARTS:
                self._finish(name, PARTS[name].measure(self._workshop(name)))
        return self._whole(wanted)

    def _workshop(self, name: str) -> Workshop:
        place = self._work / name
        shutil.rmtree(place, ignore_errors=True)  # what an interrupted run had begun
        place.mkdir(parents=True)
        return Workshop(
            plan=self._plan,
            folder=place,
            kept=self._parts.folder_of(name),
            clock=self._clock,
            say=self._say,
        )

    def _say(self, words: str) -> None:
        self._progress.update(self._bar, description=words)

    def _finished_radiograph(self, report: RadiographReport) -> None:
        self._finish(report.latencies[0].name, report)

    def _finish(self, name: str, report: object) -> None:
        self._parts.keep(name, report)
        self._progress.advance(self._bar)

    def _whole(self, names: list[str]) -> Measured:
        radiographs = [self._kept(name, RadiographReport) for name in names if name in RADIOGRAPHS]
        found = {name: self._kept(name, PARTS[name].noun) for name in names if name in PARTS}
        begun = self._parts.begun
        return Measured(
            machine=begun.machine,
            began_at_utc=begun.began_at_utc,
            software=begun.software,
            quick=begun.quick,
            radiographs=together(radiographs) if radiographs else None,
            series=found.get(SERIES),
            backlog=found.get(BACKLOG),
            idle=found.get(IDLE),
            engines=found.get(ENGINES),
            denoising=found.get(DENOISING),
            peak_hour=found.get(PEAK_HOUR),
            pieces=found.get(PIECES),
            watching=found.get(WATCHING),
            starting=found.get(STARTING),
            soak=found.get(SOAK),
            load_after_1min=round(os.getloadavg()[0], 2),
        )

    def _kept(self, name: str, noun: type[Any]) -> Any:
        part = self._parts.kept(name, noun)
        assert part is not None  # everything that is asked for has been measured by now
        return part


def measure_run(
    names: tuple[str, ...],
    *,
    quick: bool,
    into: Path,
    clock: Clock,
    console: Console,
    soak_minutes: float | None = None,
) -> Measured:
    """Measure `names` with a bar, going on with what is in `into`; `soak_minutes` instead of the plan's.

    Raises MeasuringError when something does not answer; ConfigError when `into` belongs to another run.
    """
    begun = Begun(
        quick=quick,
        software=this_software(),
        machine=describe_machine(),
        began_at_utc=clock.now_utc().isoformat(timespec="seconds"),
    )
    parts, work = Parts.open(into / "parts", begun), into / "work"
    columns = (MofNCompleteColumn(), BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    plan = QUICK if quick else FULL
    if soak_minutes is not None:
        plan = replace(plan, soak_s=soak_minutes * S_PER_MIN)
    with Progress(*columns, console=console) as progress:
        run = Run(parts, plan=plan, work=work, clock=clock, progress=progress)
        measured = run.measure(names)
    shutil.rmtree(work, ignore_errors=True)
    return measured
