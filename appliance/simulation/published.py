# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A scenario in the shape of the published effect of ordering by score.

Baltruschat and others, "Smart chest X-ray worklist prioritization using artificial intelligence: a clinical
workflow simulation", Eur Radiol 31 (2021) 3837-3845, doi:10.1007/s00330-020-07480-7 (PMC8128725).

Published, and taken from its abstract: one list of chest radiographs; an AI that looks for eight findings;
their order of urgency; "first in, first out" against that order; an exam that has waited for an upper limit
gets the highest urgency; the turnaround of the reports on a pneumothorax (`PUBLISHED`).

Ours, as the abstract does not say them: how many exams come at which hour, how many read, how long a reading
takes, how often each finding is there, that findings are independent, sensitivity and specificity (the same
for all), the upper limit. They were chosen by trying until all three orders lay near the published numbers:
so this shows that the effect follows from such a list, and is no independent confirmation of its size. Waits
here end when the reading begins, the published ones with the report.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from appliance.simulation.department import Department, FindingModel
from appliance.simulation.readers import Readers, day_and_night


@dataclass(frozen=True, slots=True, kw_only=True)
class Turnaround:
    """Report turnaround of radiographs with a pneumothorax, minutes."""

    mean_min: float | None
    """None: the abstract does not say it."""
    worst_min: float


PUBLISHED: Final = {
    "first come": Turnaround(mean_min=80.1, worst_min=890),
    "by score": Turnaround(mean_min=35.6, worst_min=1293),
    "with a ceiling": Turnaround(mean_min=None, worst_min=979),
}
CRITICAL: Final = "Pneumothorax"
CEILING_MIN: Final = 600.0
"""Ours."""

_EXAMS_PER_DAY: Final = 140.0
_SHAPE: Final = (
    *(1.0, 0.8, 0.7, 0.7, 0.8, 1.2, 3.0, 6.0, 8.0, 8.0, 8.0, 7.5),
    *(6.5, 6.5, 6.5, 6.0, 5.5, 4.5, 4.0, 3.5, 3.0, 2.5, 2.0, 1.5),
)
"""By hour of the day, as shares: rounds on the wards in the morning, few at night."""
_SENSITIVITY: Final = 0.75
_FALSE_POSITIVE_RATE: Final = 0.05
_BY_URGENCY: Final = (
    (CRITICAL, 0.038),
    ("Pleural effusion", 0.20),
    ("Infiltrate", 0.18),
    ("Congestion", 0.15),
    ("Atelectasis", 0.10),
    ("Cardiomegaly", 0.15),
    ("Mass", 0.05),
    ("Foreign object", 0.30),
)
"""Published: the names and their order. Ours: the shares of exams."""
_STEP: Final = 100.0
"""Each finding weighs this much more than the next, so that the most urgent one that is flagged decides
alone."""

CHEST_LIST: Final = Department(
    name="a list of chest radiographs, in the shape of PMC8128725",
    exams_by_hour=tuple(_EXAMS_PER_DAY * share / sum(_SHAPE) for share in _SHAPE),
    findings=tuple(
        FindingModel(
            name=name,
            prevalence=prevalence,
            sensitivity=_SENSITIVITY,
            false_positive_rate=_FALSE_POSITIVE_RATE,
            weight=_STEP ** (len(_BY_URGENCY) - 1 - place),
        )
        for place, (name, prevalence) in enumerate(_BY_URGENCY)
    ),
    readers=Readers(by_hour=day_and_night(1, 0, begins=6, ends=0), reading_min=6.5, reading_spread=1.1),
)
