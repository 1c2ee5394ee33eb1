# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""How good the models are here: what they said against what turned out, where it is known.

Unknown stays unknown: a study without an outcome counts nowhere, and how many there are is said. Who gets an
outcome is rarely chance: where only flagged studies were followed up, sensitivity cannot be known, and a
number for it would be too high (Begg and Greenes, Biometrics 39, 1983).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from appliance.domain.finding import Code
from appliance.monitor.reports.cases import Case
from appliance.monitor.reports.share import Share, share
from appliance.store.outcomes import Truth

LOPSIDED: Final = 2.0
"""Flagged studies have an outcome this many times as often as the others: worth a warning."""
NOBODY: Final = share(0, 0)


class Point(str, Enum):
    """Where the model's probability is cut."""

    IN_FORCE = "in force"
    """As it was when the answer was given: signed, or moved by the site."""
    SENSITIVE = "signed sensitive"
    SPECIFIC = "signed specific"


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """One finding of one model, of all studies or of a group of them."""

    task: str
    code: Code
    model: str
    point: Point
    group: str
    """all, month, sex, age or view."""
    value: str
    true_positive: int
    false_positive: int
    false_negative: int
    true_negative: int
    unknown_flagged: int
    unknown_not_flagged: int
    sensitivity: Share
    specificity: Share
    ppv: Share
    npv: Share
    warning: str
    """Why a number is missing or leans to one side; empty: nothing to say."""


GROUPS: Final[dict[str, Callable[[Case], str]]] = {
    "month": lambda case: case.month,
    "sex": lambda case: case.sex,
    "age": lambda case: case.age_band,
    "view": lambda case: case.view,
}
_FLAGGED: Final[dict[Point, Callable[[Case], bool]]] = {
    Point.IN_FORCE: lambda case: case.is_flagged,
    Point.SENSITIVE: lambda case: case.probability >= case.signed_sensitive,
    Point.SPECIFIC: lambda case: case.probability >= case.signed_specific,
}


def performance(cases: Iterable[Case]) -> tuple[Performance, ...]:
    """For each model and finding: all studies at each operating point, then by month and by group."""
    subjects: dict[tuple[str, Code, str], list[Case]] = {}
    for case in cases:
        subjects.setdefault((case.task, case.code, case.model), []).append(case)
    lines: list[Performance] = []
    for key in sorted(subjects, key=lambda key: (key[0], key[1].meaning, key[2])):
        its = subjects[key]
        lines += [_measure(its, point=point, group="all", value="all") for point in Point]
        for group, value_of in GROUPS.items():
            values = sorted({value_of(case) for case in its})
            lines += [
                _measure(
                    [case for case in its if value_of(case) == value],
                    point=Point.IN_FORCE,
                    group=group,
                    value=value,
                )
                for value in values
            ]
    return tuple(lines)


def _measure(cases: list[Case], *, point: Point, group: str, value: str) -> Performance:
    flagged_at = _FLAGGED[point]
    counts = {(truth, flagged): 0 for truth in Truth for flagged in (True, False)}
    for case in cases:
        counts[case.truth, flagged_at(case)] += 1
    hit, missed = counts[Truth.POSITIVE, True], counts[Truth.POSITIVE, False]
    alarm, passed = counts[Truth.NEGATIVE, True], counts[Truth.NEGATIVE, False]
    unknown, unseen = counts[Truth.UNKNOWN, True], counts[Truth.UNKNOWN, False]
    only_flagged = not (missed + passed) and unseen > 0
    """Nothing is known about those that were not flagged."""
    no_negatives = not (alarm + passed)
    first = cases[0]
    return Performance(
        task=first.task,
        code=first.code,
        model=first.model,
        point=point,
        group=group,
        value=value,
        true_positive=hit,
        false_positive=alarm,
        false_negative=missed,
        true_negative=passed,
        unknown_flagged=unknown,
        unknown_not_flagged=unseen,
        sensitivity=NOBODY if only_flagged else share(hit, hit + missed),
        specificity=NOBODY if only_flagged else share(passed, passed + alarm),
        ppv=NOBODY if no_negatives else share(hit, hit + alarm),
        npv=NOBODY if no_negatives else share(passed, passed + missed),
        warning=_warning(
            known=(hit + alarm, missed + passed),
            unknown=(unknown, unseen),
            positives=hit + missed,
            negatives=alarm + passed,
        ),
    )


def _warning(*, known: tuple[int, int], unknown: tuple[int, int], positives: int, negatives: int) -> str:
    """Pairs are (flagged, not flagged)."""
    if not sum(known):
        return "No outcome is known."
    if not known[1] and unknown[1]:
        return (
            "Only flagged studies have an outcome: sensitivity, specificity and NPV are not known "
            "(verification bias)." + ("" if negatives else " All of them are positive: PPV neither.")
        )
    if not negatives:
        return "Only positive outcomes are known: specificity, PPV and NPV are not known (verification bias)."
    if not positives:
        return "Only negative outcomes are known: sensitivity is not known."
    shares = [has / (has + lacks) if has + lacks else None for has, lacks in zip(known, unknown, strict=True)]
    if shares[0] is not None and shares[1] is not None and shares[0] > LOPSIDED * shares[1]:
        return (
            f"{shares[0]:.0%} of flagged and {shares[1]:.0%} of other studies have an outcome: sensitivity "
            "reads too high, specificity too low (verification bias)."
        ).replace("%", " %")
    return ""
