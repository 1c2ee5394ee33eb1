# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A site's own exams: what is known of each, and a draw of what is not."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from appliance.errors import InputError
from appliance.simulation.arrivals import Arrivals, Flags, Seconds

UNLOOKED: Final = "something that the AI does not look for"
FLAG_FROM: Final = 0.5
"""Probability from which a finding of a CSV file counts as flagged where the file does not say it."""
_PROBABILITY: Final = "probability:"
_FLAGGED: Final = "flagged:"
_PRESENT: Final = "present:"
_YES: Final = frozenset({"1", "true", "yes"})
_NO: Final = frozenset({"0", "false", "no"})
_REMEDY: Final = "docs/fair-queue.md tells what the columns of the file are."


@dataclass(frozen=True, slots=True, kw_only=True)
class Exam:
    """One exam as it was."""

    arrived_at: datetime
    """In the site's own time of day, without a zone: when people are at work counts."""
    is_stat: bool
    is_alarm: bool
    harm_rate: float | None
    """None: the AI had no answer."""
    probabilities: dict[str, float]
    """Finding to calibrated probability; those that the AI answered."""
    known: dict[str, bool]
    """Finding to whether it was there, where somebody has said it since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """All of them, in order of arrival."""

    exams: tuple[Exam, ...]
    unlooked_share: float
    """Share of exams that have something that the AI does not look for; drawn, for nobody wrote it down."""

    def draw(self, random: np.random.Generator) -> Arrivals:
        """What was there: what people said, else drawn with the AI's probability, which is calibrated.

        An exam without an answer of the AI has each finding as often as the others have it on average.
        """
        answered = tuple(dict.fromkeys(name for exam in self.exams for name in exam.probabilities))
        only_known = tuple(
            dict.fromkeys(name for exam in self.exams for name in exam.known if name not in answered)
        )
        names = (*answered, *only_known, *((UNLOOKED,) if self.unlooked_share else ()))
        chances = np.zeros((len(self.exams), len(names)))
        for column, name in enumerate(names):
            chances[:, column] = (
                self.unlooked_share if name == UNLOOKED else _chances(self.exams, name, name in answered)
            )
        stat = [exam.is_stat for exam in self.exams]
        alarm = [exam.is_alarm for exam in self.exams]
        rates = [exam.harm_rate for exam in self.exams]
        return Arrivals(
            arrived_s=_since_monday_s([exam.arrived_at for exam in self.exams]),
            is_stat=np.array(stat, dtype=np.bool_),
            is_alarm=np.array(alarm, dtype=np.bool_),
            harm_rate=np.array([np.nan if rate is None else rate for rate in rates], dtype=np.float64),
            present=_drawn(chances, random),
            findings=names,
            looked_for=tuple(name in answered for name in names),
        )


def _chances(exams: Sequence[Exam], name: str, is_answered: bool) -> NDArray[np.float64]:
    """Of one finding in each exam; 0 or 1 where it is known, and 0 where nobody could answer."""
    answers = [exam.probabilities[name] for exam in exams if name in exam.probabilities]
    usual = float(np.mean(answers)) if is_answered else 0.0
    return np.array(
        [
            float(exam.known[name]) if name in exam.known else exam.probabilities.get(name, usual)
            for exam in exams
        ]
    )


def _drawn(chances: NDArray[np.float64], random: np.random.Generator) -> Flags:
    return np.asarray(random.random(chances.shape) < chances, dtype=np.bool_)


def _since_monday_s(moments: Sequence[datetime]) -> Seconds:
    if not moments:
        return np.zeros(0)
    first = moments[0].replace(hour=0, minute=0, second=0, microsecond=0)
    monday = first - timedelta(days=first.weekday())
    return np.array([(moment - monday).total_seconds() for moment in moments])


def read_csv(file: Path, *, unlooked_share: float) -> Recorded:
    """Exams of a table.

    Raises InputError naming the line that cannot be understood, and OSError where there is no file.
    """
    with file.open(newline="", encoding="utf-8-sig") as text:
        rows = csv.DictReader(text)
        if "arrived_at" not in (rows.fieldnames or ()):
            raise InputError(f"{file.name} has no column arrived_at.", remedy=_REMEDY)
        exams = []
        for row in rows:
            try:
                exams.append(_exam(row))
            except ValueError as error:
                raise InputError(f"{file.name}, line {rows.line_num}: {error}.", remedy=_REMEDY) from error
    exams.sort(key=lambda exam: exam.arrived_at)
    return Recorded(exams=tuple(exams), unlooked_share=unlooked_share)


def _exam(row: dict[str, str]) -> Exam:
    probabilities: dict[str, float] = {}
    known: dict[str, bool] = {}
    harm_rate = 0.0
    for column, cell in row.items():
        if not column or not cell:
            continue
        if column.startswith(_PROBABILITY):
            name = column.removeprefix(_PROBABILITY)
            probability = float(cell)
            if not 0 <= probability <= 1:
                raise ValueError(f"{cell} is no probability")
            probabilities[name] = probability
            flagged = row.get(_FLAGGED + name)
            if yes(flagged) if flagged else probability >= FLAG_FROM:
                harm_rate += probability
        elif column.startswith(_PRESENT):
            known[column.removeprefix(_PRESENT)] = yes(cell)
    return Exam(
        arrived_at=datetime.fromisoformat(row["arrived_at"]).replace(tzinfo=None),
        is_stat=yes(row.get("stat") or "0"),
        is_alarm=yes(row.get("alarm") or "0"),
        harm_rate=harm_rate if probabilities else None,
        probabilities=probabilities,
        known=known,
    )


def yes(cell: str) -> bool:
    """A yes or a no of a table. Raises ValueError at anything else."""
    word = cell.strip().lower()
    if word not in _YES | _NO:
        raise ValueError(f"{cell!r} is neither yes nor no")
    return word in _YES
