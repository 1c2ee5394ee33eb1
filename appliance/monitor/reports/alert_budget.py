# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Flags per shift against what the people of a shift can look after, and how far the threshold could help.

Too many false alarms and nobody looks any more: a budget makes that a number. A flag is a study with at least
one flagged finding; it counts in the shift in which its first answer was there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from appliance.domain.finding import Code
from appliance.monitor.reports.cases import Case, cases_of
from appliance.monitor.reports.exams import Exam, by_study
from appliance.monitor.reports.people import People
from appliance.monitor.reports.share import Share, share
from appliance.monitor.reports.truth import TruthKey, Word
from appliance.store.opinions import Stance
from appliance.store.outcomes import Truth

STEPS: Final = 6
"""Operating points of the signed range that are tried, both ends among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """One shift of one day."""

    day: date
    """On which it began."""
    begins: str
    """HH:MM."""
    studies: int
    """That got an answer of the triage."""
    flags: int
    budget: int
    confirmed: int
    """Flags of which a finding turned out to be there."""
    refuted: int
    """Flags of which every outcome says that it was not there."""
    agreed: int
    """Flags that a person at the screen agreed with."""
    disagreed: int

    @property
    def is_over(self) -> bool:
        """More flags than the budget."""
        return self.flags > self.budget


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One finding at one operating point of its signed range, tried on the period's own answers."""

    task: str
    code: Code
    model: str
    point: float
    in_force: float
    signed_range: tuple[float, float]
    flags_per_shift: float
    """Mean over all shifts with answers, with the other findings as they are."""
    positives_lost: int
    """Studies known to be positive that would not be flagged for it any more."""
    positives_known: int
    """Of those that were flagged for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """All shifts of a period with answers, newest first."""

    budget: int
    shifts: tuple[Shift, ...]
    mean_flags: float | None
    """None: no shift had an answer."""
    ppv: Share
    """Confirmed of those flags whose outcome is known."""
    options: tuple[Option, ...]
    advice: str


def shift_of(moment: datetime, starts: tuple[str, ...]) -> tuple[date, str]:
    """The day on which its shift began, and when; in the device's own time zone."""
    local = moment.astimezone()
    begins = sorted(time.fromisoformat(start) for start in starts)
    before = [start for start in begins if start <= local.time()]
    day = local.date() if before else local.date() - timedelta(days=1)
    return day, f"{(before or begins)[-1]:%H:%M}"


def alert_budget(
    exams: tuple[Exam, ...],
    people: People,
    truths: Mapping[TruthKey, Word],
    *,
    budget: int,
    starts: tuple[str, ...],
) -> Budget:
    """Count the flags of each shift."""
    studies: dict[tuple[date, str], list[list[Exam]]] = {}
    for its in by_study(exams).values():
        answered = [exam.triage_at_utc for exam in its if exam.triage_at_utc is not None and exam.findings]
        if answered:
            studies.setdefault(shift_of(min(answered), starts), []).append(its)
    shifts = tuple(
        _shift(key, studies[key], people, truths, budget=budget) for key in sorted(studies, reverse=True)
    )
    flags = sum(shift.flags for shift in shifts)
    mean = flags / len(shifts) if shifts else None
    confirmed = sum(shift.confirmed for shift in shifts)
    options = tuple(_options(cases_of(exams, truths), shifts=len(shifts)))
    return Budget(
        budget=budget,
        shifts=shifts,
        mean_flags=mean,
        ppv=share(confirmed, confirmed + sum(shift.refuted for shift in shifts)),
        options=options,
        advice=_advice(shifts, mean, budget, options),
    )


def _shift(
    key: tuple[date, str],
    studies: list[list[Exam]],
    people: People,
    truths: Mapping[TruthKey, Word],
    *,
    budget: int,
) -> Shift:
    flagged = [its for its in studies if any(exam.is_flagged for exam in its)]
    words = [_truths_of(its, truths) for its in flagged]
    stances = [
        {opinion.stance for exam in its for opinion in people.opinions.get(exam.acquisition_id, ())}
        for its in flagged
    ]
    return Shift(
        day=key[0],
        begins=key[1],
        studies=len(studies),
        flags=len(flagged),
        budget=budget,
        confirmed=sum(Truth.POSITIVE in known for known in words),
        refuted=sum(known == {Truth.NEGATIVE} for known in words),
        agreed=sum(Stance.AGREE in said for said in stances),
        disagreed=sum(Stance.DISAGREE in said and Stance.AGREE not in said for said in stances),
    )


def _truths_of(exams: list[Exam], truths: Mapping[TruthKey, Word]) -> set[Truth]:
    """What is known about the flagged findings of one study; UNKNOWN for each without an outcome."""
    known = set()
    for exam in exams:
        for finding in exam.findings:
            if finding.is_flagged:
                word = truths.get((exam.first.study_instance_uid, finding.code.value, finding.code.scheme))
                known.add(Truth.UNKNOWN if word is None else word.truth)
    return known


def _options(cases: tuple[Case, ...], *, shifts: int) -> Iterable[Option]:
    """Each finding of the models that answered last, at points from the one in force upwards."""
    flagged_for: dict[str, set[tuple[str, Code]]] = {}
    last: dict[tuple[str, Code], Case] = {}
    for case in cases:
        last[case.task, case.code] = case
        if case.is_flagged:
            flagged_for.setdefault(case.study_instance_uid, set()).add((case.task, case.code))
    for subject, newest in last.items():
        its = [case for case in cases if (case.task, case.code) == subject and case.model == newest.model]
        low, high = newest.in_force, newest.signed_specific
        if not low < high:
            continue
        for step in range(STEPS):
            point = round(low + (high - low) * step / (STEPS - 1), 4)
            known = sum(case.is_flagged and case.truth is Truth.POSITIVE for case in its)
            below = [case for case in its if case.is_flagged and case.probability < point]
            spared = sum(flagged_for[case.study_instance_uid] == {subject} for case in below)
            yield Option(
                task=subject[0],
                code=subject[1],
                model=newest.model,
                point=point,
                in_force=low,
                signed_range=(newest.signed_sensitive, high),
                flags_per_shift=(len(flagged_for) - spared) / max(1, shifts),
                positives_lost=sum(case.truth is Truth.POSITIVE for case in below),
                positives_known=known,
            )


def _advice(shifts: tuple[Shift, ...], mean: float | None, budget: int, options: tuple[Option, ...]) -> str:
    if mean is None:
        return "No shift of this period had an answer of the triage."
    over = sum(shift.is_over for shift in shifts)
    if not over:
        return f"Within the budget of {budget} in all {len(shifts)} shifts; the mean is {mean:.1f}."
    said = f"Over the budget of {budget} in {over} of {len(shifts)} shifts; the mean is {mean:.1f}."
    if mean <= budget:
        return f"{said} The mean is within it: look at those shifts before a threshold is moved."
    if not options:
        return f"{said} No operating point can be moved: the cards sign no range above the one in force."
    helping = [option for option in options if option.flags_per_shift <= budget]
    if not helping:
        best = min(options, key=lambda option: option.flags_per_shift)
        return (
            f"{said} No single operating point within its signed range brings it there; the most is "
            f"{best.code.meaning} at {best.point:g}, with {best.flags_per_shift:.1f} flags. "
            "What lies outside the range was never tested and is refused."
        )
    best = min(helping, key=_cost)
    low, high = best.signed_range
    lost = (
        f"lose {best.positives_lost} of {best.positives_known} flagged studies known to be positive"
        if best.positives_known
        else "lose nobody knows how many: no outcome of a flagged study is positive"
    )
    return (
        f"{said} {best.code.meaning} flagged from {best.point:g} instead of {best.in_force:g} would make it "
        f"{best.flags_per_shift:.1f}, and {lost}. The lead may move it between {low:g} and {high:g}, as "
        f"signed: scanside threshold set {best.task} {best.code.value} {best.point:g} --by NAME --why REASON"
    )


def _cost(option: Option) -> tuple[bool, float, float]:
    """What is known to cost little first; what nobody knows the cost of last."""
    known = option.positives_known
    share_lost = option.positives_lost / known if known else 1.0
    return not known, share_lost, option.point - option.in_force
