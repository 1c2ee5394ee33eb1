# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Radiographs: from the closed file to the committed answer, the appliance and the naive pipeline by turns.

Both run all the time; one gets a file only when the other is quiet. Their ratio is taken round by round,
so that a load from elsewhere, which lasts longer than a round, weighs on both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.clock import NS_PER_MS
from appliance.domain.job import Lane
from appliance.domain.result import EngineUse
from benchmarks.appliance_run import Answered, Appliance, running_appliance
from benchmarks.arrival import copy_slowly, rename_in
from benchmarks.memory import MemoryUse, wait_until_quiet, watched_memory
from benchmarks.naive_run import NaiveAnswer, NaivePipeline, running_naive
from benchmarks.painting import PaintWatch, kiosk_on
from benchmarks.plan import Workshop
from benchmarks.spread import Spread, median_ratio, ratios, spread_of
from benchmarks.studies import new_arrival, write_radiographs


def _nobody(report: RadiographReport) -> None:
    """For those who wait for the end."""


ANSWER_TIMEOUT_S: Final = 120.0
MEASURE: Final = "measure"
SESSION: Final = "session"
"""Stages of the naive pipeline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One radiograph through both sides."""

    appliance: Answered
    naive: NaiveAnswer
    painted_ns: int | None = None
    """When the quality verdict was first on the screen; None: no kiosk is installed."""

    @property
    def appliance_ms(self) -> float:
        """Until the last answer is committed."""
        return max(self.appliance.committed_ms(lane) for lane in (Lane.QUALITY, Lane.TRIAGE))

    def painted_ms(self) -> float | None:
        """From the close of the file to the verdict's first pixels."""
        return None if self.painted_ns is None else (self.painted_ns - self.appliance.closed_ns) / NS_PER_MS

    def stages_ms(self) -> dict[str, float]:
        """The appliance's, and what lies before and behind them: first sight, and painting."""
        return with_ends(self.appliance, self.painted_ns)

    def naive_without_ms(self, *stages: str) -> float:
        """Until its last answer, had these stages cost nothing."""
        return self.naive.done_ms - sum(self.naive.stages_ms.get(stage, 0.0) for stage in stages)


@dataclass(frozen=True, slots=True, kw_only=True)
class RadiographLatency:
    """One kind of radiograph. Times are from the close of the file, in milliseconds."""

    name: str
    ratio: float
    """Naive over appliance, last answer over last commit; median of the rounds."""
    ratios: tuple[float, ...]
    """That of each round."""
    ratio_session_kept: float
    """The same against a naive pipeline that would keep its sessions."""
    ratio_without_measuring: float
    """The same against one that would also measure no quality, while the appliance does."""
    ratio_triage: float
    """Naive over appliance, last answer over the commit of triage: its answer may come first."""
    quality: Spread
    triage: Spread
    all_answers: Spread
    """To the commit of whichever of the two came last."""
    painted: Spread | None
    """To the first pixels of the quality verdict. None: no kiosk is installed."""
    slow_copy_quality: Spread | None
    stages: dict[str, Spread]
    naive_quality: Spread
    naive_done: Spread
    naive_stages: dict[str, Spread]
    probability_difference: float | None
    """Largest difference between the two sides' probabilities: they did the same work. None: no triage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RadiographReport:
    """All radiographs of a run."""

    latencies: tuple[RadiographLatency, ...]
    memory: tuple[MemoryUse, ...]
    engines: tuple[EngineUse, ...]


def measure_radiographs(
    workshop: Workshop, names: Sequence[str], finished: Callable[[RadiographReport], None] = _nobody
) -> RadiographReport:
    """Every named radiograph, `plan.rounds` times, after one round that does not count.

    `finished` is given the report of each kind alone as soon as it is there.
    """
    plan, clock = workshop.plan, workshop.clock
    workshop.say("making radiographs")
    templates = write_radiographs(
        workshop.folder / "templates", rows=plan.rows, columns=plan.columns, names=tuple(names)
    )
    with (
        running_appliance(workshop.folder / "appliance", clock) as appliance,
        running_naive(workshop.folder / "naive", clock) as naive,
    ):
        workshop.say("starting")
        appliance.wait_until_ready()
        with kiosk_on(appliance.layout.data, clock, wanted=plan.paints) as screen:
            turns = Turns(workshop, appliance, naive, screen)
            turns.round(next(iter(templates.values())), 0)
            reports = []
            for name, template in templates.items():
                with watched_memory(appliance.pid, clock) as memory:
                    latency = turns.measure(name, template)
                reports.append(
                    RadiographReport(latencies=(latency,), memory=memory.use(), engines=turns.engines())
                )
                finished(reports[-1])
    return together(reports)


def together(reports: Sequence[RadiographReport]) -> RadiographReport:
    """Several as one. Raises ValueError for none."""
    if not reports:
        raise ValueError("There is no report.")
    engines = {use.task: use for report in reports for use in report.engines}
    return RadiographReport(
        latencies=tuple(latency for report in reports for latency in report.latencies),
        memory=tuple(use for report in reports for use in report.memory),
        engines=tuple(engines.values()),
    )


class Turns:
    """Gives files to the one side and to the other."""

    def __init__(
        self, workshop: Workshop, appliance: Appliance, naive: NaivePipeline, screen: PaintWatch | None
    ) -> None:
        self._workshop = workshop
        self._screen = screen
        self._clock = workshop.clock
        self._appliance = appliance
        self._naive = naive
        self._engines: dict[str, EngineUse] = {}

    def engines(self) -> tuple[EngineUse, ...]:
        """Who answered in the appliance, by task."""
        return tuple(self._engines.values())

    def measure(self, name: str, template: Path) -> RadiographLatency:
        """All rounds of one kind of radiograph."""
        rounds: list[Round] = []
        for number in range(self._workshop.plan.rounds):
            self._workshop.say(f"{name}, round {number + 1}")
            rounds.append(self.round(template, number))
        slow = [
            self._to_appliance(template, slowly=True)[0].committed_ms(Lane.QUALITY)
            for _ in range(self._workshop.plan.slow_rounds)
        ]
        return _latency(name, rounds, slow)

    def round(self, template: Path, number: int) -> Round:
        """One file each; who begins changes from round to round."""
        if number % 2:
            naive = self._to_naive(template)
            answered, painted_ns = self._to_appliance(template)
        else:
            answered, painted_ns = self._to_appliance(template)
            naive = self._to_naive(template)
        return Round(appliance=answered, naive=naive, painted_ns=painted_ns)

    def _to_appliance(self, template: Path, *, slowly: bool = False) -> tuple[Answered, int | None]:
        study = new_arrival((template,), self._workshop.folder / "arrivals")
        deliver = copy_slowly if slowly else rename_in
        closed_ns = deliver(study, self._appliance.layout.inbox, self._clock)
        answered = self._appliance.wait_for_study(
            study.study_instance_uid, closed_ns=closed_ns, timeout_s=ANSWER_TIMEOUT_S
        )
        for lane in answered.entry.lanes:
            for use in lane.result.engines if lane.result is not None else ():
                self._engines[use.task] = use
        painted_ns = None if self._screen is None else self._screen.painted_ns(answered.entry.acquisition_id)
        wait_until_quiet(self._appliance.pid, self._clock)
        for path in study.files:
            path.unlink()
        return answered, painted_ns

    def _to_naive(self, template: Path) -> NaiveAnswer:
        study = new_arrival((template,), self._workshop.folder / "arrivals")
        closed_ns = rename_in(study, self._naive.inbox, self._clock)
        answer = self._naive.wait_for_study(
            study.study_instance_uid, closed_ns=closed_ns, timeout_s=ANSWER_TIMEOUT_S
        )
        for path in study.files:
            path.unlink()
        return answer


def with_ends(answered: Answered, painted_ns: int | None) -> dict[str, float]:
    """Stages of an answer, with `noticed` (close to first sight) and `painted` (commit to first pixels)."""
    stages = {"quality.noticed": (answered.entry.noticed_ns - answered.closed_ns) / NS_PER_MS}
    stages |= answered.stages_ms()
    if painted_ns is not None:
        stages["quality.painted"] = (painted_ns - answered.committed_ns(Lane.QUALITY)) / NS_PER_MS
    return stages


def _latency(name: str, rounds: Sequence[Round], slow: Sequence[float]) -> RadiographLatency:
    appliance_ms = [one.appliance_ms for one in rounds]
    triage_ms = [one.appliance.committed_ms(Lane.TRIAGE) for one in rounds]
    painted_ms = [ms for one in rounds if (ms := one.painted_ms()) is not None]

    def ratio(naive_ms: Callable[[Round], float]) -> float:
        return median_ratio([naive_ms(one) for one in rounds], appliance_ms)

    return RadiographLatency(
        name=name,
        ratio=ratio(lambda one: one.naive.done_ms),
        ratios=ratios([one.naive.done_ms for one in rounds], appliance_ms),
        ratio_session_kept=ratio(lambda one: one.naive_without_ms(SESSION)),
        ratio_without_measuring=ratio(lambda one: one.naive_without_ms(SESSION, MEASURE)),
        ratio_triage=median_ratio([one.naive.done_ms for one in rounds], triage_ms),
        quality=spread_of(one.appliance.committed_ms(Lane.QUALITY) for one in rounds),
        triage=spread_of(triage_ms),
        all_answers=spread_of(appliance_ms),
        painted=spread_of(painted_ms) if painted_ms else None,
        slow_copy_quality=spread_of(slow) if slow else None,
        stages=stage_spreads([one.stages_ms() for one in rounds]),
        naive_quality=spread_of(one.naive.quality_ms for one in rounds),
        naive_done=spread_of(one.naive.done_ms for one in rounds),
        naive_stages=stage_spreads([one.naive.stages_ms for one in rounds]),
        probability_difference=_difference(rounds[0]),
    )


def stage_spreads(rounds: Sequence[dict[str, float]]) -> dict[str, Spread]:
    """Spread of every stage, in order of first appearance."""
    names = dict.fromkeys(stage for one in rounds for stage in one)
    return {name: spread_of(one[name] for one in rounds if name in one) for name in names}


def _difference(one: Round) -> float | None:
    result = one.appliance.entry.lane(Lane.TRIAGE)
    findings = result.result.findings if result is not None and result.result is not None else ()
    differences = [
        abs(finding.probability - one.naive.probabilities[finding.code.value])
        for finding in findings
        if finding.code.value in one.naive.probabilities
    ]
    return round(max(differences), 4) if differences else None
