# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A CT series: from the last closed file to the first denoised slice on disk, and to all committed."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Final

from typing_extensions import Self

from appliance.clock import NS_PER_MS, Clock
from appliance.domain.job import Lane
from appliance.domain.result import EngineUse
from benchmarks.appliance_run import LOOK_S, Answered, Appliance, MeasuringError, running_appliance
from benchmarks.arrival import rename_in
from benchmarks.latency import MEASURE, stage_spreads, with_ends
from benchmarks.memory import MemoryUse, wait_until_quiet, watched_memory
from benchmarks.naive_run import NaiveAnswer, NaivePipeline, running_naive
from benchmarks.painting import PaintWatch, kiosk_on
from benchmarks.plan import Workshop
from benchmarks.spread import Spread, median_ratio, ratios, spread_of
from benchmarks.studies import Study, new_arrival, write_series

ANSWER_TIMEOUT_S: Final = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesRound:
    """One series through both sides."""

    appliance: Answered
    appliance_first_ms: float
    """To the first denoised slice on disk."""
    naive: NaiveAnswer
    naive_first_ms: float
    painted_ns: int | None
    """When the quality verdict was first on the screen; None: no kiosk is installed."""

    def stages_ms(self) -> dict[str, float]:
        """The appliance's, and what lies before and behind them: first sight, and painting."""
        return with_ends(self.appliance, self.painted_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesReport:
    """Times are from the close of the last file, in milliseconds."""

    slices: int
    ratio_first_slice: float
    """Naive over appliance; median of the rounds."""
    ratios_first_slice: tuple[float, ...]
    """That of each round."""
    ratio_all: float
    """The same, last slice committed."""
    ratio_first_slice_without_measuring: float
    """Against a naive pipeline that would measure no quality, while the appliance does."""
    ratio_all_without_measuring: float
    quality: Spread
    painted: Spread | None
    """To the first pixels of the quality verdict. None: no kiosk is installed."""
    first_slice: Spread
    denoised: Spread
    stages: dict[str, Spread]
    naive_quality: Spread
    naive_first_slice: Spread
    naive_done: Spread
    naive_stages: dict[str, Spread]
    memory: tuple[MemoryUse, ...]
    engines: tuple[EngineUse, ...]


class FirstFile:
    """Watches a folder of folders, from a thread, for the first DICOM file in a new one."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._known = frozenset(folder.iterdir())
        self._stop = Event()
        self._thread = Thread(target=self._look, name="first file")
        self.at_ns: int | None = None

    def _look(self) -> None:
        while not self._stop.wait(LOOK_S):
            new = [path for path in self._folder.iterdir() if path not in self._known]
            if any(next(path.glob("*.dcm"), None) for path in new):
                self.at_ns = self._clock.monotonic_ns()
                return

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def measure_series(workshop: Workshop) -> SeriesReport:
    """`plan.series_rounds` series through both sides by turns, after a short one that does not count."""
    plan, clock = workshop.plan, workshop.clock
    workshop.say("making a CT series")
    template = write_series(workshop.folder / "template", slices=plan.slices)
    with (
        running_appliance(workshop.folder / "appliance", clock) as appliance,
        running_naive(workshop.folder / "naive", clock) as naive,
    ):
        workshop.say("starting")
        appliance.wait_until_ready()
        rounds: list[SeriesRound] = []
        with kiosk_on(appliance.layout.data, clock, wanted=plan.paints) as screen:
            turns = _Turns(workshop, appliance, naive, screen)
            turns.round(template[: max(2, plan.slices // 20)], 0)
            with watched_memory(appliance.pid, clock) as memory:
                for number in range(plan.series_rounds):
                    workshop.say(f"ct_denoise, round {number + 1}")
                    rounds.append(turns.round(template, number))
    return _report(plan.slices, rounds, memory.use())


class _Turns:
    """Gives series to the one side and to the other."""

    def __init__(
        self, workshop: Workshop, appliance: Appliance, naive: NaivePipeline, screen: PaintWatch | None
    ) -> None:
        self._screen = screen
        self._per_s = workshop.plan.slices_per_s
        self._folder = workshop.folder / "arrivals"
        self._clock = workshop.clock
        self._appliance = appliance
        self._naive = naive

    def round(self, template: tuple[Path, ...], number: int) -> SeriesRound:
        """One series each; who begins changes from round to round."""
        if number % 2:
            naive, naive_first_ms = self._to_naive(template)
            answered, first_ms, painted_ns = self._to_appliance(template)
        else:
            answered, first_ms, painted_ns = self._to_appliance(template)
            naive, naive_first_ms = self._to_naive(template)
        return SeriesRound(
            appliance=answered,
            appliance_first_ms=first_ms,
            naive=naive,
            naive_first_ms=naive_first_ms,
            painted_ns=painted_ns,
        )

    def _to_appliance(self, template: tuple[Path, ...]) -> tuple[Answered, float, int | None]:
        study = new_arrival(template, self._folder)
        with FirstFile(self._appliance.layout.results, self._clock) as first:
            closed_ns = rename_in(study, self._appliance.layout.inbox, self._clock, per_s=self._per_s)
            answered = self._appliance.wait_for_study(
                study.study_instance_uid, closed_ns=closed_ns, timeout_s=ANSWER_TIMEOUT_S
            )
        if first.at_ns is None:
            denoise = answered.entry.lane(Lane.DENOISE)
            refusals = denoise.result.refusals if denoise is not None and denoise.result is not None else ()
            raise MeasuringError(f"The appliance wrote no denoised slice: {refusals}.")
        painted_ns = None if self._screen is None else self._screen.painted_ns(answered.entry.acquisition_id)
        wait_until_quiet(self._appliance.pid, self._clock)
        _remove(study)
        return answered, (first.at_ns - closed_ns) / NS_PER_MS, painted_ns

    def _to_naive(self, template: tuple[Path, ...]) -> tuple[NaiveAnswer, float]:
        study = new_arrival(template, self._folder)
        closed_ns = rename_in(study, self._naive.inbox, self._clock, per_s=self._per_s)
        answer = self._naive.wait_for_study(
            study.study_instance_uid, closed_ns=closed_ns, timeout_s=ANSWER_TIMEOUT_S
        )
        _remove(study)
        if answer.first_slice_ms is None:
            raise MeasuringError("The naive pipeline had no denoising model: none is shipped.")
        return answer, answer.first_slice_ms


def _remove(study: Study) -> None:
    shutil.rmtree(study.files[0].parent)


def _report(slices: int, rounds: Sequence[SeriesRound], memory: tuple[MemoryUse, ...]) -> SeriesReport:
    first_ms = [one.appliance_first_ms for one in rounds]
    denoised_ms = [one.appliance.committed_ms(Lane.DENOISE) for one in rounds]
    naive_first_ms = [one.naive_first_ms for one in rounds]
    naive_done_ms = [one.naive.done_ms for one in rounds]
    painted_ms = [
        (one.painted_ns - one.appliance.closed_ns) / NS_PER_MS for one in rounds if one.painted_ns is not None
    ]
    measure_ms = [one.naive.stages_ms.get(MEASURE, 0.0) for one in rounds]
    uses = {
        use.task: use
        for one in rounds
        for lane in one.appliance.entry.lanes
        for use in (lane.result.engines if lane.result is not None else ())
    }
    return SeriesReport(
        slices=slices,
        ratio_first_slice=median_ratio(naive_first_ms, first_ms),
        ratios_first_slice=ratios(naive_first_ms, first_ms),
        ratio_all=median_ratio(naive_done_ms, denoised_ms),
        ratio_first_slice_without_measuring=median_ratio(
            [first - measure for first, measure in zip(naive_first_ms, measure_ms, strict=True)], first_ms
        ),
        ratio_all_without_measuring=median_ratio(
            [done - measure for done, measure in zip(naive_done_ms, measure_ms, strict=True)], denoised_ms
        ),
        quality=spread_of(one.appliance.committed_ms(Lane.QUALITY) for one in rounds),
        painted=spread_of(painted_ms) if painted_ms else None,
        first_slice=spread_of(first_ms),
        denoised=spread_of(denoised_ms),
        stages=stage_spreads([one.stages_ms() for one in rounds]),
        naive_quality=spread_of(one.naive.quality_ms for one in rounds),
        naive_first_slice=spread_of(naive_first_ms),
        naive_done=spread_of(naive_done_ms),
        naive_stages=stage_spreads([one.naive.stages_ms for one in rounds]),
        memory=memory,
        engines=tuple(uses.values()),
    )
