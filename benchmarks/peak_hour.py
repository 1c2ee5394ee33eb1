# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A radiology department's busiest hour, replayed at its own pace: who is answered in time, and what waits.

The rates are those of a published test of another system (Guy's and St Thomas' NHS Foundation Trust, AIDE:
120 radiographs and 30 CT series in the peak hour; the 50 ultrasounds and 25 MRs of that hour are left out,
as this device answers nothing about them). Time is not compressed: the gaps between arrivals are as long as
in that hour, and only a part of the hour is replayed (`Plan.hour_s`), which the report says. Arrivals are
Poisson's: as many as the rate expects, at times drawn evenly from a fixed seed. A series comes by the slice.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Final

import numpy as np

from appliance.clock import NS_PER_MS, NS_PER_S, Clock
from appliance.domain.acquisition import Kind
from appliance.domain.deadline import deadline_s
from appliance.domain.job import Lane
from appliance.models.energy import joules_between, reader_of_this_device
from appliance.monitor.thermal import read_temperature
from appliance.store.board import Board, BoardEntry
from benchmarks.appliance_run import Appliance, has_ended, running_appliance
from benchmarks.arrival import rename_in
from benchmarks.memory import cpu_seconds
from benchmarks.plan import Workshop
from benchmarks.spread import Spread, spread_of
from benchmarks.studies import RADIOGRAPHS, Study, new_arrival, write_radiographs, write_series

RADIOGRAPHS_PER_HOUR: Final = 120
SERIES_PER_HOUR: Final = 30
FACTORS: Final = (1.0, 1.25, 1.5)
S_PER_HOUR: Final = 3600.0
SEED: Final = 120
LOOK_S: Final = 1.0
"""How often the queue is looked at."""
DRAIN_S: Final = 900.0
"""How long after the last arrival is waited for answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KindOfArrival:
    """The radiographs, or the series."""

    kind: str
    arrived: int
    answered: int
    """Their quality lane has a result."""
    late: int
    """Quality verdicts behind the deadline of their kind, those that never came among them."""
    deadline_s: float
    quality_ms: Spread | None
    """From the first sight of the last file to the commit."""
    all_answers_ms: Spread | None
    """To the commit of the last lane."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLook:
    """Lanes that wait or are worked on, at one moment."""

    at_s: float
    """Since the first second of the replay."""
    jobs: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """One replay."""

    factor: float
    seconds: float
    """So much of the hour was replayed."""
    kinds: tuple[KindOfArrival, ...]
    queue: tuple[QueueLook, ...]
    most_waiting: int
    """Lanes, at once."""
    waiting_at_end: dict[str, int]
    """By lane, when the replayed time was over: what was put off. Nothing is ever dropped."""
    drained_s: float | None
    """From the last arrival to the last answer; None: longer than was waited for."""
    failed_lanes: int
    cpu_percent: float
    """Of one core, all processes of the appliance together, on the average."""
    joules_package: float | None
    """None: not told by this machine."""
    temperature_c: float | None
    """At the end; None: not told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakHourReport:
    """All factors."""

    radiographs_per_hour: int
    series_per_hour: int
    slices: int
    hours: tuple[Hour, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arrival:
    at_s: float
    study: Study
    per_s: float | None


def arrival_times(per_hour: float, seconds: float, random: np.random.Generator) -> list[float]:
    """When they come, s: as many as are expected, one at the least, evenly at random."""
    count = max(1, round(per_hour * seconds / S_PER_HOUR))
    return sorted(random.uniform(0.0, seconds, count).tolist())


def measure_peak_hour(workshop: Workshop) -> PeakHourReport:
    """Every factor on an appliance of its own: nothing of the one before waits."""
    plan = workshop.plan
    templates = tuple(
        write_radiographs(workshop.folder / "radiographs", rows=plan.rows, columns=plan.columns).values()
    )
    series = write_series(workshop.folder / "series", slices=plan.slices)
    hours = []
    for factor in FACTORS:
        folder = workshop.folder / f"x{factor:g}"
        hours.append(_hour(workshop, folder, factor, templates, series))
        shutil.rmtree(folder)
    return PeakHourReport(
        radiographs_per_hour=RADIOGRAPHS_PER_HOUR,
        series_per_hour=SERIES_PER_HOUR,
        slices=plan.slices,
        hours=tuple(hours),
    )


def _hour(
    workshop: Workshop, folder: Path, factor: float, templates: Sequence[Path], series: tuple[Path, ...]
) -> Hour:
    plan, clock = workshop.plan, workshop.clock
    workshop.say(f"peak hour x{factor:g}: making what comes")
    arrivals = _planned(workshop, folder / "arrivals", factor, templates, series)
    with running_appliance(folder / "appliance", clock) as appliance:
        appliance.wait_until_ready()
        workshop.say(f"peak hour x{factor:g}: {len(arrivals)} exams in {plan.hour_s:g} s")
        read = reader_of_this_device()
        joules, used_s = (read() if read else None), cpu_seconds(appliance.pid)
        watch = _QueueWatch(appliance, clock)
        with watch:
            _replay(arrivals, appliance, clock, seconds=plan.hour_s)
            end_ns, waiting = clock.monotonic_ns(), watch.now()
            spent = None if joules is None or read is None else joules_between(joules, read())
            busy_s = cpu_seconds(appliance.pid) - used_s
            temperature = read_temperature()
            workshop.say(f"peak hour x{factor:g}: waiting for the last answer")
            drained_s = _drained(appliance, clock, len(arrivals), since_ns=end_ns)
        with appliance.store() as database:
            entries = tuple(Board(database).every_entry())
    return Hour(
        factor=factor,
        seconds=plan.hour_s,
        kinds=tuple(_of_kind(kind, entries, arrivals) for kind in (Kind.PROJECTION, Kind.VOLUME)),
        queue=tuple(watch.looks),
        most_waiting=max((sum(look.jobs.values()) for look in watch.looks), default=0),
        waiting_at_end=waiting,
        drained_s=drained_s,
        failed_lanes=sum(
            lane.result is None for entry in entries if has_ended(entry) for lane in entry.lanes
        ),
        cpu_percent=round(100 * busy_s / plan.hour_s, 1),
        joules_package=spent,
        temperature_c=None if temperature is None else temperature.celsius,
    )


def _planned(
    workshop: Workshop, folder: Path, factor: float, templates: Sequence[Path], series: tuple[Path, ...]
) -> list[_Arrival]:
    """Radiographs in every transfer syntax in turn, and series."""
    seconds, random = workshop.plan.hour_s, np.random.default_rng(SEED)
    planned = [
        _Arrival(
            at_s=at_s, study=new_arrival((templates[n % len(RADIOGRAPHS)],), folder / f"dx{n}"), per_s=None
        )
        for n, at_s in enumerate(arrival_times(factor * RADIOGRAPHS_PER_HOUR, seconds, random))
    ]
    planned += [
        _Arrival(at_s=at_s, study=new_arrival(series, folder / f"ct{n}"), per_s=workshop.plan.slices_per_s)
        for n, at_s in enumerate(arrival_times(factor * SERIES_PER_HOUR, seconds, random))
    ]
    return sorted(planned, key=lambda arrival: arrival.at_s)


def _replay(arrivals: Sequence[_Arrival], appliance: Appliance, clock: Clock, *, seconds: float) -> None:
    """Each at its time, and a series while others come; then until the time is over."""
    start_ns = clock.monotonic_ns()

    def wait_until(at_s: float) -> None:
        clock.sleep(max(0.0, at_s - (clock.monotonic_ns() - start_ns) / NS_PER_S))

    threads = []
    for arrival in arrivals:
        wait_until(arrival.at_s)
        threads.append(_begin(partial(_deliver, arrival, appliance, clock)))
    for thread in threads:
        thread.join()
    wait_until(seconds)


def _begin(work: Callable[[], object]) -> Thread:
    thread = Thread(target=work, name="arrival")
    thread.start()
    return thread


def _deliver(arrival: _Arrival, appliance: Appliance, clock: Clock) -> None:
    rename_in(arrival.study, appliance.layout.inbox, clock, per_s=arrival.per_s)


class _QueueWatch:
    """Looks at the queue from a thread."""

    def __init__(self, appliance: Appliance, clock: Clock) -> None:
        self._appliance = appliance
        self._clock = clock
        self._stop = Event()
        self._start_ns = clock.monotonic_ns()
        self._thread = Thread(target=self._look, name="queue watch")
        self.looks: list[QueueLook] = []

    def now(self) -> dict[str, int]:
        """Lanes that wait or are worked on."""
        with self._appliance.store() as database:
            rows = database.read(
                "SELECT lane, count(*) FROM job WHERE state IN ('queued', 'leased') GROUP BY lane"
            )
        return {str(lane): int(count) for lane, count in rows}

    def _look(self) -> None:
        while not self._stop.wait(LOOK_S):
            at_s = (self._clock.monotonic_ns() - self._start_ns) / NS_PER_S
            self.looks.append(QueueLook(at_s=round(at_s, 1), jobs=self.now()))

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def _drained(appliance: Appliance, clock: Clock, exams: int, *, since_ns: int) -> float | None:
    """Seconds until every exam is answered; None: longer than DRAIN_S."""
    while (clock.monotonic_ns() - since_ns) / NS_PER_S < DRAIN_S:
        with appliance.store() as database:
            ended = sum(has_ended(entry) for entry in Board(database).every_entry())
        if ended >= exams:
            return round((clock.monotonic_ns() - since_ns) / NS_PER_S, 1)
        clock.sleep(LOOK_S)
    return None


def _of_kind(kind: Kind, entries: Sequence[BoardEntry], arrivals: Sequence[_Arrival]) -> KindOfArrival:
    arrived = sum((arrival.per_s is not None) is (kind is Kind.VOLUME) for arrival in arrivals)
    own = [entry for entry in entries if entry.kind is kind]
    quality_ms = [ms for entry in own if (ms := _answered_ms(entry, Lane.QUALITY)) is not None]
    all_ms = [
        max(ms for lane in entry.lanes if (ms := lane.landed_to_committed_ms) is not None)
        for entry in own
        if has_ended(entry) and any(lane.landed_to_committed_ms is not None for lane in entry.lanes)
    ]
    limit_ms = deadline_s(kind) * NS_PER_S / NS_PER_MS
    return KindOfArrival(
        kind=kind.value,
        arrived=arrived,
        answered=len(quality_ms),
        late=arrived - sum(ms <= limit_ms for ms in quality_ms),
        deadline_s=deadline_s(kind),
        quality_ms=spread_of(quality_ms) if quality_ms else None,
        all_answers_ms=spread_of(all_ms) if all_ms else None,
    )


def _answered_ms(entry: BoardEntry, lane: Lane) -> float | None:
    found = entry.lane(lane)
    return None if found is None or found.result is None else found.landed_to_committed_ms
