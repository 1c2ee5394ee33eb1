# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Who is looked at next: by calibrated risk, and nobody is left waiting past the ceiling.

The order, from the front:

1. Who goes first whatever anybody has waited: a request marked urgent, an alarm (`is_alarm`), a patient who
   is about to leave with an image that must be repeated.
2. Who is unread and has waited as long as the ceiling allows or longer, the longest wait first. Nothing that
   the AI said counts any more.
3. Everybody else: by band, then by expected harm rate, the greatest first; one without an answer of the AI
   stands behind those with a flag and before those without; ties by the longest wait.

Serving by expected harm per time (the "c mu" rule of queueing theory) makes the harm that waiting does in all
as small as an order can where readings take alike; the ceiling takes back what that costs those whom the AI
missed.

What is guaranteed, however many read and however bad the AI is: from the moment at which an exam has waited
as long as the ceiling, nobody who came after it is begun before it, but those of 1. If all readings take
equally long and nobody is of 1, no exam waits longer than the ceiling, one reading and its wait under
first-come together. Both are tested (tests/domain/test_fair_order.py). What is not: with too few people to
read, everybody reaches the ceiling, and the order is first-come again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from appliance.domain.finding import Decision, Finding, is_time_critical

FIRST_COME_S: Final = 0.0
"""As the ceiling: everybody is past it, so that the longest wait comes first."""
NO_CEILING_S: Final = math.inf
"""As the ceiling: by risk alone, and whom the AI missed waits without an end."""
TIME_CRITICAL_WEIGHT: Final = 10.0
"""Harm of an hour's wait with a time-critical finding; 1 with any other. Ours: no source gives such a number.
It decides between exams of one band only."""

Rank = tuple[int, int, float, float, int]
"""Smaller is sooner. No two exams share one, as their sequences differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One exam that waits for a person to look at it."""

    sequence: int
    """Order of arrival; no two exams share it."""
    waited_s: float
    """Since it arrived; `math.inf` where it is known only that it was long ago."""
    harm_rate: float | None
    """Expected harm of an hour's wait, as `harm_rate_of` says; 0: nothing flagged. None: the AI has no
    answer."""
    goes_first: bool = False
    is_unread: bool = True
    """One that a person has looked at does not reach the ceiling."""
    band: int = 0
    """What the screen calls it, smaller is sooner: no number may contradict the word that is shown."""


def fair_rank(exam: Waiting, *, ceiling_s: float) -> Rank:
    """Its place among the others, for sorting. `ceiling_s`: seconds, or FIRST_COME_S or NO_CEILING_S."""
    if exam.goes_first:
        return 0, exam.band, 0.0, -exam.waited_s, exam.sequence
    if is_overdue(exam, ceiling_s=ceiling_s):
        return 1, 0, 0.0, -exam.waited_s, exam.sequence
    return 2, exam.band, need(exam.harm_rate), -exam.waited_s, exam.sequence


def fair_order(exams: Iterable[Waiting], *, ceiling_s: float) -> tuple[int, ...]:
    """The sequences of `exams`, next first. The same exams give the same order, however they came."""
    return tuple(
        exam.sequence for exam in sorted(exams, key=lambda exam: fair_rank(exam, ceiling_s=ceiling_s))
    )


def is_overdue(exam: Waiting, *, ceiling_s: float) -> bool:
    """Has it waited unread for as long as the ceiling allows? Nothing does where there is none."""
    return exam.is_unread and exam.waited_s >= ceiling_s < NO_CEILING_S


def need(harm_rate: float | None) -> float:
    """The harm rate as a part of a rank: smaller is sooner, and not known stands between flagged and not."""
    if harm_rate is None:
        return 0.0
    return -harm_rate if harm_rate > 0 else 1.0


def is_alarm(finding: Finding) -> bool:
    """Is it time-critical, and does the AI say so with its more specific threshold?"""
    return is_time_critical(finding) and finding.decision is Decision.PRESENT


def harm_rate_of(findings: Sequence[Finding]) -> float | None:
    """The expected harm of an hour's wait: probabilities of what is flagged, weighted. None: no answer.

    What is not flagged counts for nothing: below the sensitive threshold the order of two probabilities is
    noise, and it would only make the longest waits longer.
    """
    if not findings:
        return None
    return sum(
        finding.probability * (TIME_CRITICAL_WEIGHT if is_time_critical(finding) else 1.0)
        for finding in findings
        if finding.is_flagged
    )
