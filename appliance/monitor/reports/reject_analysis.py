# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""How many images are taken again, where and why: the rate with its uncertainty, against what is usual.

AAPM report 151 (Jones et al., Medical Physics 42, 2015): a target of 8 % for general radiography, and 10 % as
the level at which somebody looks into it. Too few rejects are a sign, too (AAPM report 305, 2023): of images
that are passed although they should not be, or of repeats that nobody writes down.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from appliance.domain.acquisition import Kind
from appliance.domain.reject import RejectReason, reason_of
from appliance.monitor.reports.exams import Exam
from appliance.monitor.reports.share import Share, share
from appliance.store.decisions import Choice

TARGET: Final = 0.08
"""AAPM report 151."""
ACT: Final = 0.10
"""AAPM report 151."""
TOO_LOW: Final = 0.05
"""The lower end of the 5 to 10 % that the IAEA's programme for radiography calls usual."""

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectLine:
    """One room, view, body part or month."""

    key: Key
    rate: Share
    """Images taken again, of all that came; who decided nothing is among them."""
    standing: str
    """Against the target, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejects:
    """All radiographs of a period."""

    total: RejectLine
    undecided: int
    """Images about which nobody has decided: they count as kept."""
    by_room: tuple[RejectLine, ...]
    by_body_part_and_view: tuple[RejectLine, ...]
    by_room_and_view: tuple[RejectLine, ...]
    """Room, body part, view."""
    by_month: tuple[RejectLine, ...]
    by_reason: tuple[tuple[RejectReason, Share], ...]
    """Of all that were taken again; the most frequent first."""
    patients_repeated: int
    """Patients of whom one view was taken again twice or more on one day."""
    most_on_one_patient: int
    """How often, at most. 0: never twice."""


def analyse_rejects(exams: Iterable[Exam]) -> Rejects:
    """Count the radiographs; a CT series is not taken again for its position."""
    images = [exam for exam in exams if exam.kind is Kind.PROJECTION]
    again = [exam for exam in images if is_reject(exam)]
    reasons = Counter(reason_of(exam.decision.reason, exam.quality) for exam in again if exam.decision)
    repeats = _repeats_on_one_patient(again)
    return Rejects(
        total=_line(("all rooms",), images),
        undecided=sum(exam.decision is None for exam in images),
        by_room=_lines(images, lambda exam: (exam.room,)),
        by_body_part_and_view=_lines(images, lambda exam: (exam.body_part, exam.view)),
        by_room_and_view=_lines(images, lambda exam: (exam.room, exam.body_part, exam.view)),
        by_month=tuple(sorted(_lines(images, lambda exam: (exam.month,)), key=lambda line: line.key)),
        by_reason=tuple((reason, share(count, len(again))) for reason, count in reasons.most_common()),
        patients_repeated=len({patient for (patient, *_), count in repeats.items() if count > 1}),
        most_on_one_patient=max((count for count in repeats.values() if count > 1), default=0),
    )


def is_reject(exam: Exam) -> bool:
    """Somebody decided to take it again, and that stands."""
    return exam.decision is not None and exam.decision.choice is Choice.REPEAT


def standing_of(rate: Share) -> str:
    """The rate against target, action level and lower end."""
    if rate.value is None or rate.low is None or rate.high is None:
        return "no images"
    chance = " It may be chance: few images." if rate.low <= TARGET else ""
    if rate.value > ACT:
        return f"ACT: above {ACT:.0%}.".replace("%", " %") + chance
    if rate.value > TARGET:
        return f"Above the target of {TARGET:.0%}.".replace("%", " %") + chance
    if rate.high < TOO_LOW:
        return (
            f"TOO LOW: surely below {TOO_LOW:.0%}. Are poor images passed, or repeats not written down?"
        ).replace("%", " %")
    return "Within the usual."


def _line(key: Key, images: list[Exam]) -> RejectLine:
    rate = share(sum(is_reject(exam) for exam in images), len(images))
    return RejectLine(key=key, rate=rate, standing=standing_of(rate))


def _lines(images: list[Exam], key_of: Callable[[Exam], Key]) -> tuple[RejectLine, ...]:
    """Most images first."""
    groups: dict[Key, list[Exam]] = {}
    for exam in images:
        groups.setdefault(key_of(exam), []).append(exam)
    lines = [_line(key, its) for key, its in groups.items()]
    return tuple(sorted(lines, key=lambda line: (-line.rate.n, line.key)))


def _repeats_on_one_patient(again: list[Exam]) -> Counter[tuple[str, ...]]:
    counted: Counter[tuple[str, ...]] = Counter()
    for exam in again:
        patient = exam.first.patient.patient_id
        if patient:
            view = (exam.body_part, exam.view, exam.first.laterality or "")
            counted[(patient, *view, exam.day.isoformat())] += 1
    return counted
