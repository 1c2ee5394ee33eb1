# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Each shipped network on each engine x precision x threads or streams, by turns, against the machine's peak.

All candidates of one network are loaded at once, each in a process of its own, and compute in turn for a
moment, round after round: what else the machine does weighs on all of them alike. Achieved operations are
the counted ones (`flops`), over the clock and over the processor's time; their share of the peak is taken in
processor time, which a busy machine does not stretch by waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.config import MIB
from appliance.engines.catalogue import unusable
from appliance.errors import EngineError
from appliance.models.bundle import Bundle, read_bundle
from appliance.models.candidate import CPU_ENGINES, GPU_ENGINES, Candidate
from appliance.models.registry import shipped_models
from appliance.models.selection import AUTO, PRECISIONS, Selection, plan_of
from benchmarks.engine_matrix.asking import Child
from benchmarks.engine_matrix.child import Request
from benchmarks.engine_matrix.flops import Work, count_work
from benchmarks.engine_matrix.peaks import GIGA, Peak, measure_peak
from benchmarks.machine import describe_machine
from benchmarks.plan import Workshop
from benchmarks.spread import Spread, spread_of, thinned

SLICE_PX: Final = 512
"""Side of a CT slice; the other networks have sizes of their own."""
INT8: Final = "int8"
BYTES_PER_NUMBER: Final = {"int8": 1, "fp16": 2, "fp32": 4}
MOST_STREAMS: Final = 4
KEPT_VALUES: Final = 100
"""Of one row's single times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixRow:
    """One network on one engine in one precision with so many threads and streams."""

    task: str
    model: str
    engine: str
    precision: str
    words: str
    """What really ran; empty: nothing did."""
    threads: int
    streams: int
    reason: str | None
    """Why nothing ran."""
    image_ms: Spread | None
    """One image in one stream."""
    p50_ms: float | None
    images_per_s: float | None
    """All streams together."""
    gflop: float
    """10^9 operations of one image."""
    gflops: float | None
    """10^9 operations a second, all streams together, by the clock."""
    cpu_ms: float | None
    """Processor time of one image."""
    core_gflops: float | None
    """10^9 operations for each second of processor time."""
    share_of_peak: float | None
    """`core_gflops` of the best matrix product in the same arithmetic with as many threads. None on a GPU."""
    flop_per_byte: float
    """If each layer reads and writes memory once."""
    load_s: float | None
    resident_mib: float | None
    """Of the whole process, all streams."""
    joules_package: float | None
    """Of one image, with all that ran on the package meanwhile. None: not told by this machine."""
    joules_gpu: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """What the appliance would take here by itself, and how near it is to the best that was measured."""

    task: str
    engine: str
    precision: str
    threads: int
    times_the_best: float | None
    """Its median for one image over the least of all rows with one stream; None: not among the rows."""
    times_least_cpu: float | None
    """Its processor time for one image over the least of all rows with as many threads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixReport:
    """All of it."""

    peaks: tuple[Peak, ...]
    rows: tuple[MatrixRow, ...]
    picks: tuple[Pick, ...]


def measure_matrix(workshop: Workshop) -> MatrixReport:
    """Peaks, then every shipped network. Raises EngineError when a bundle cannot be read."""
    cores = describe_machine().cores
    peaks = []
    for threads in sorted({1, cores}):
        workshop.say(f"engines: the machine's peak with {threads} threads")
        peaks.append(measure_peak(threads))
    rows: list[MatrixRow] = []
    picks: list[Pick] = []
    for folder in sorted(path.parent for path in shipped_models().glob("*/card.toml")):
        bundle = read_bundle(folder)
        rows += measure_bundle(bundle, workshop, peaks=peaks, say=workshop.say)
        workshop.say(f"engines: what the appliance takes for {folder.name}")
        picks.append(_pick(bundle, workshop.folder / "passports", rows))
    return MatrixReport(peaks=tuple(peaks), rows=tuple(rows), picks=tuple(picks))


def measure_bundle(
    bundle: Bundle, workshop: Workshop, *, peaks: list[Peak], say: Callable[[str], None]
) -> Iterator[MatrixRow]:
    """Every candidate of one network, by turns."""
    plan, task = workshop.plan, bundle.card.task
    shapes = input_shapes(bundle)
    with ExitStack() as owned:
        asked = []
        for candidate in candidates_of(bundle):
            say(f"engines: loading {task} on {candidate.words}")
            for threads, streams in ways_of(candidate.engine, max(peak.threads for peak in peaks)):
                request = Request(
                    bundle=str(bundle.folder),
                    sums_sha256=bundle.sums_sha256,
                    engine=candidate.engine,
                    precision=candidate.precision,
                    threads=threads,
                    streams=streams,
                    shapes=shapes,
                    cache=str(workshop.folder / "plans"),
                )
                asked.append(owned.enter_context(Child(request)))
        for number in range(plan.engine_rounds):
            say(f"engines: {task}, round {number + 1}")
            for child in asked:
                if child.loaded.reason is None:
                    child.turn(plan.engine_turn_s)
        for child in asked:
            precision = child.request.precision
            yield row_of(bundle, child, count_work(bundle.model_in(precision), shapes), peaks)


def candidates_of(bundle: Bundle) -> tuple[Candidate, ...]:
    """Every engine that can be used here with every precision of the bundle, also those never taken."""
    engines = [name for name in (*GPU_ENGINES, *CPU_ENGINES) if unusable(name) is None]
    precisions = [precision for precision in PRECISIONS if precision in bundle.model_sha256]
    return tuple(Candidate(engine=engine, precision=name) for engine in engines for name in precisions)


def ways_of(engine: str, cores: int) -> tuple[tuple[int, int], ...]:
    """Threads and streams: one alone, all cores for one image, one core for each of several images."""
    if engine in GPU_ENGINES or cores == 1:
        return ((1, 1),)
    return ((1, 1), (cores, 1), (1, min(cores, MOST_STREAMS)))


def input_shapes(bundle: Bundle) -> dict[str, tuple[int, ...]]:
    """One image, in the size in which the appliance uses the network."""
    return {
        spec.name: tuple(
            size if isinstance(size, int) else 1 if axis == 0 else SLICE_PX
            for axis, size in enumerate(spec.shape)
        )
        for spec in bundle.card.inputs
    }


def row_of(bundle: Bundle, child: Child, work: Work, peaks: list[Peak]) -> MatrixRow:
    """What a child's turns come to."""
    request, loaded, turns = child.request, child.loaded, child.turns
    runs_ms = [ms for turn in turns for ms in turn.runs_ms]
    wall_s, used_s = sum(turn.wall_s for turn in turns), sum(turn.cpu_s for turn in turns)
    core = work.flop * len(runs_ms) / used_s / GIGA if used_s else None
    peak = next((peak for peak in peaks if peak.threads == request.threads), peaks[-1])
    reference = peak.int8_core_gops if request.precision == INT8 else peak.f32_core_gflops
    on_cpu = request.engine in CPU_ENGINES
    spread = thinned(spread_of(runs_ms), KEPT_VALUES) if runs_ms else None
    reason = loaded.reason or (None if turns else "its process ended while it computed")
    return MatrixRow(
        task=bundle.card.task,
        model=bundle.card.identity,
        engine=request.engine,
        precision=request.precision,
        words=loaded.words,
        threads=request.threads,
        streams=request.streams,
        reason=reason,
        image_ms=spread,
        p50_ms=None if spread is None else spread.p50,
        images_per_s=round(len(runs_ms) / wall_s, 2) if wall_s else None,
        gflop=round(work.flop / GIGA, 4),
        gflops=round(work.flop * len(runs_ms) / wall_s / GIGA, 2) if wall_s else None,
        cpu_ms=round(1000 * used_s / len(runs_ms), 3) if runs_ms and on_cpu else None,
        core_gflops=None if core is None or not on_cpu else round(core, 2),
        share_of_peak=None if core is None or not on_cpu else round(core / reference, 3),
        flop_per_byte=round(work.intensity(BYTES_PER_NUMBER[request.precision]), 2),
        load_s=None if loaded.reason else loaded.load_s,
        resident_mib=None if loaded.reason else round(loaded.resident_bytes / MIB, 1),
        joules_package=_each([turn.joules_package for turn in turns], len(runs_ms)),
        joules_gpu=_each([turn.joules_gpu for turn in turns], len(runs_ms)),
    )


def _each(joules: list[float | None], images: int) -> float | None:
    """Of one image; None when one of the turns was not told."""
    told = [value for value in joules if value is not None]
    return round(sum(told) / images, 4) if told and len(told) == len(joules) else None


def _pick(bundle: Bundle, cache: Path, rows: list[MatrixRow]) -> Pick:
    """After all candidates have their passports, as `scanside models passport` leaves a device."""
    threads = describe_machine().cores
    task = bundle.card.task
    selection = Selection(plan_of((AUTO,)), threads=threads, cache=cache)
    try:
        for candidate in selection.every_candidate(bundle):
            selection.passport(bundle, candidate)
        passport = selection.try_out(bundle)
    except EngineError as error:
        return Pick(
            task=task,
            engine=error.what,
            precision="",
            threads=threads,
            times_the_best=None,
            times_least_cpu=None,
        )
    single = [row for row in rows if row.task == task and row.streams == 1 and row.p50_ms is not None]
    own = [
        row
        for row in single
        if (row.engine, row.precision, row.threads) == (passport.engine, passport.precision, threads)
    ]
    return Pick(
        task=task,
        engine=passport.engine,
        precision=passport.precision,
        threads=threads,
        times_the_best=_times_least(own, single, lambda row: row.p50_ms),
        times_least_cpu=_times_least(
            own, [row for row in single if row.threads == threads], lambda row: row.cpu_ms
        ),
    )


def _times_least(
    own: list[MatrixRow], rows: list[MatrixRow], of: Callable[[MatrixRow], float | None]
) -> float | None:
    taken = [value for row in own if (value := of(row)) is not None]
    least = min((value for row in rows if (value := of(row)) is not None), default=None)
    return round(taken[0] / least, 3) if taken and least else None
