# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The day in a small clinic: what is done, what waits, whether the hospital is reached, one score. No Qt."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from appliance.domain.finding import Decision, Finding
from appliance.domain.job import Lane
from ui.language import tr, tr_n
from ui.plain_text import visible
from ui.records import BoardRecord, ExamRecord
from ui.store_source import EXAMS_ON_BOARD
from ui.wording import duration

OFFLINE_S: Final = 3600.0
"""A result that waits longer than this for the hospital is a lost link, not a busy one."""


class ScoreKind(str, Enum):
    """Where the score lies; never "normal"."""

    HIGH = "high"
    RAISED = "raised"
    BELOW = "below"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreState:
    """The band on the result page."""

    kind: ScoreKind
    word: str
    score: str
    """"72", of 100; "" when there is none."""
    detail: str
    """What was asked and where the threshold lies, or why there is no score."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayState:
    """The head of the list."""

    words: str
    """"Today 12 done, 3 waiting"."""
    offline: str
    """Since when nothing reaches the hospital; "" while it does."""
    next_exam_id: str | None
    """The next one that nobody has dealt with."""


def day_state(
    board: BoardRecord,
    order: tuple[str, ...],
    *,
    opened: str | None,
    seen: AbstractSet[str],
    now_utc: datetime,
) -> DayState:
    """The day so far. `order`: the list as it is on the screen; `opened`: the exam that is open."""
    today = [exam for exam in board.exams if _is_same_day(exam.entry.landed_at_utc, now_utc)]
    done = {exam.entry.acquisition_id for exam in board.exams if _is_done(exam, seen)}
    done_today = sum(exam.entry.acquisition_id in done for exam in today)
    more = "+" if len(today) == EXAMS_ON_BOARD else ""  # the board holds no more than these
    return DayState(
        words=tr(
            "Today {done}{more} done, {waiting} waiting",
            done=done_today,
            more=more,
            waiting=len(today) - done_today,
        ),
        offline=_offline(board.health.counts.unsent, board.health.oldest_unsent_at_utc, now_utc),
        next_exam_id=next((each for each in order if each not in done and each != opened), None),
    )


def score_of(exam: ExamRecord) -> ScoreState:
    """The finding that matters most, as a score of 100 against its threshold."""
    result = exam.result(Lane.TRIAGE)
    if result is None or not result.findings:
        return ScoreState(
            kind=ScoreKind.NONE, word=tr("NO SCORE"), score="", detail=tr("Not analysed. Read without AI.")
        )
    ranks = {Decision.PRESENT: 2, Decision.ABSENT: 0}
    first = max(
        result.findings,
        key=lambda each: (ranks.get(each.decision, 1), each.probability - each.sensitive_threshold),
    )
    score, threshold = _score(first)
    question = f"{visible(first.code.meaning)}?"
    if first.decision is Decision.ABSENT:
        return ScoreState(
            kind=ScoreKind.BELOW,
            word=tr("BELOW"),
            score=str(score),
            detail=tr("Threshold {threshold}. This does not mean normal.", threshold=threshold),
        )
    is_high = first.decision is Decision.PRESENT
    return ScoreState(
        kind=ScoreKind.HIGH if is_high else ScoreKind.RAISED,
        word=tr("HIGH") if is_high else tr("RAISED"),
        score=str(score),
        detail=tr("{question} Threshold {threshold}.", question=question, threshold=threshold),
    )


def _score(finding: Finding) -> tuple[int, int]:
    """Whole numbers that never contradict the decision they are shown with."""
    threshold = round(100 * finding.sensitive_threshold)
    score = round(100 * finding.probability)
    if finding.decision is Decision.ABSENT:
        return max(0, min(score, threshold - 1)), threshold
    return max(score, threshold), threshold


def _is_done(exam: ExamRecord, seen: AbstractSet[str]) -> bool:
    return exam.decision is not None or exam.entry.acquisition_id in seen


def _is_same_day(one: datetime, other: datetime) -> bool:
    return one.astimezone().date() == other.astimezone().date()


def _offline(unsent: int, oldest_at_utc: datetime | None, now_utc: datetime) -> str:
    if not unsent or oldest_at_utc is None:
        return ""
    since_s = (now_utc - oldest_at_utc).total_seconds()
    if since_s < OFFLINE_S:
        return ""
    link = tr("No link to hospital for {time}.", time=duration(since_s))
    waits = tr_n("{count} result waits.", "{count} results wait.", unsent)
    return " ".join((link, waits, tr("Nothing is lost.")))
