# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""An invented department: how many exams come at which hour, what they show, and how good its AI is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from appliance.simulation.arrivals import S_PER_HOUR, Arrivals, Flags, Seconds
from appliance.simulation.readers import Readers, day_and_night


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingModel:
    """One finding, and the AI that looks for it."""

    name: str
    prevalence: float
    """Share of exams that show it."""
    sensitivity: float = 0.0
    """Share of those that the AI flags. 0 with `false_positive_rate` 0: it does not look for it."""
    false_positive_rate: float = 0.0
    """Share of the others that it flags."""
    weight: float = 1.0
    """Harm of an hour's wait."""
    is_alarm: bool = False
    """A flag goes before everything, as one that somebody must be told about at once."""

    @property
    def is_looked_for(self) -> bool:
        """Does the AI look for it?"""
        return self.sensitivity > 0 or self.false_positive_rate > 0

    @property
    def predictive_value(self) -> float:
        """Share of its flags that are right: the calibrated probability of a flag."""
        right = self.prevalence * self.sensitivity
        flagged = right + (1 - self.prevalence) * self.false_positive_rate
        return right / flagged if flagged else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """All of it."""

    name: str
    exams_by_hour: tuple[float, ...]
    """Expected number in each hour of the day (24 numbers) or of the week from Monday on (168)."""
    findings: tuple[FindingModel, ...]
    readers: Readers
    stat_share: float = 0.0
    """Share of exams whose request is marked urgent."""
    no_answer_share: float = 0.0
    """Share of exams on which the AI has no answer."""


def draw(department: Department, exams: int, random: np.random.Generator) -> Arrivals:
    """As many exams, as Poisson arrivals with the hours' rates. Findings are independent of each other."""
    present = np.zeros((exams, len(department.findings)), dtype=np.bool_)
    harm_rate = np.zeros(exams)
    is_alarm = np.zeros(exams, dtype=np.bool_)
    for column, finding in enumerate(department.findings):
        there = random.random(exams) < finding.prevalence
        chance = np.where(there, finding.sensitivity, finding.false_positive_rate)
        flagged = random.random(exams) < chance
        present[:, column] = there
        harm_rate += np.where(flagged, finding.weight * finding.predictive_value, 0.0)
        is_alarm |= flagged & finding.is_alarm
    silent = random.random(exams) < department.no_answer_share
    harm_rate[silent] = np.nan
    return Arrivals(
        arrived_s=_times(department.exams_by_hour, exams, random),
        is_stat=_flags(random, exams, department.stat_share),
        is_alarm=is_alarm & ~silent,
        harm_rate=harm_rate,
        present=present,
        findings=tuple(finding.name for finding in department.findings),
        looked_for=tuple(finding.is_looked_for for finding in department.findings),
    )


def _flags(random: np.random.Generator, exams: int, share: float) -> Flags:
    return np.asarray(random.random(exams) < share, dtype=np.bool_)


def _times(exams_by_hour: tuple[float, ...], exams: int, random: np.random.Generator) -> Seconds:
    """A Poisson process of rate 1, on a clock that runs as fast as the hours' rates say."""
    expected = np.cumsum(random.exponential(1.0, exams))
    by_hour = np.concatenate([[0.0], np.cumsum(exams_by_hour)])
    periods, rest = np.divmod(expected, by_hour[-1])
    hours = np.interp(rest, by_hour, np.arange(len(by_hour)))
    return np.asarray((periods * len(exams_by_hour) + hours) * S_PER_HOUR)


EMERGENCY_EXAMS_PER_DAY: Final = 150.0
_EMERGENCY_SHAPE: Final = (
    *(1.6, 1.3, 1.1, 1.0, 1.0, 1.2, 1.8, 3.0, 4.6, 6.2, 7.0, 7.0),
    *(6.6, 6.4, 6.2, 6.0, 6.0, 6.0, 5.8, 5.2, 4.6, 3.8, 3.0, 2.2),
)
"""Exams by hour of the day, as shares: a late morning's peak, a long evening, a few through the night.
Ours."""

EMERGENCY: Final = Department(
    name="an invented emergency department",
    exams_by_hour=tuple(
        EMERGENCY_EXAMS_PER_DAY * share / sum(_EMERGENCY_SHAPE) for share in _EMERGENCY_SHAPE
    ),
    findings=(
        FindingModel(
            name="Pneumothorax",
            prevalence=0.01,
            sensitivity=0.85,
            false_positive_rate=0.01,
            weight=10.0,
            is_alarm=True,
        ),
        FindingModel(name="Fracture", prevalence=0.2, sensitivity=0.9, false_positive_rate=0.1),
        FindingModel(name="Dislocation", prevalence=0.03),
        FindingModel(name="Foreign body", prevalence=0.01),
    ),
    readers=Readers(by_hour=day_and_night(2, 1, begins=8, ends=20), reading_min=10.5, reading_spread=0.8),
    stat_share=0.04,
    no_answer_share=0.05,
)
"""All numbers are ours, for a first look; a site replays its own."""
