# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fracture wall as one frozen value: look now, waiting, seen. Nobody's name is on it. No Qt."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from statistics import median
from typing import Final

from appliance.clock import NS_PER_MS, NS_PER_S
from appliance.domain.fair_order import NO_CEILING_S
from appliance.domain.job import Lane
from ui.findings_state import FindingsState
from ui.health_state import checker_down
from ui.judged_exams import judged
from ui.language import tr
from ui.patient_state import exam_name, patient_of
from ui.picture_state import PictureState, picture_of
from ui.records import BoardRecord, ExamRecord
from ui.reveal_state import Reveal
from ui.worklist_state import SETTLE_S, Level, WorklistRow, worklist_rows

S_PER_MIN: Final = 60
SPEED_EXAMS: Final = 10
"""Newest exams whose middle time is "seconds per image": one slow start does not stay on the wall."""


class Column(str, Enum):
    """Where a card hangs."""

    LOOK_NOW = "look_now"
    """The AI asks, the request is urgent, the image must be repeated, or nobody has looked for too long."""
    WAITING = "waiting"
    """Nobody has looked yet: longest first, so the oldest never sinks."""
    SEEN = "seen"


_LOOK_NOW: Final = frozenset({Level.URGENT, Level.REPEAT, Level.OVERDUE, Level.HIGH, Level.MEDIUM})


@dataclass(frozen=True, slots=True, kw_only=True)
class WallCard:
    """One exam on the wall."""

    exam_id: str
    column: Column
    level: Level
    word: str
    shape: str
    """The verdict's sign, for levels without a sign of their own. A passed check is none of them here: a tick
    beside "no finding flagged" would read as "normal"."""
    who: str
    """"F · 8 y": sex and age, no name."""
    exam: str
    waiting: str
    questions: str
    """"Fracture? high", or that nothing was flagged and what that does not mean."""
    picture: PictureState
    seen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WallHeading:
    """The figures that are read from across the room."""

    waiting: str
    longest: str
    ceiling: str
    """"45 min": for how long nobody should wait unseen; "" where there is no ceiling."""
    ai: str
    """"ON", "OFF" or "…"."""
    ai_words: str
    ai_runs: bool
    speed: str
    """"1.9 s" per image; "?" while there is none to measure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WallState:
    """The whole wall."""

    heading: WallHeading
    cards: tuple[WallCard, ...]
    """In the order of their columns."""
    oldest: WallCard | None
    """The exam that has waited longest unseen: always on the screen."""
    arrivals: str
    """"2 new urgent": cards that wait until nobody touches the wall; "" when there are none."""

    def column(self, column: Column) -> tuple[WallCard, ...]:
        """The cards of one column, top first."""
        return tuple(card for card in self.cards if card.column is column)


@dataclass(frozen=True, slots=True, kw_only=True)
class WallAttention:
    """What people at the wall did."""

    seen: frozenset[str] = frozenset()
    """Exams that a person has opened or called seen."""
    shown: tuple[tuple[str, Column], ...] = ()
    """What hangs where, in order."""
    untouched_s: float | None = None
    """Seconds since the last touch; None: never touched."""


def wall_state(
    board: BoardRecord,
    attention: WallAttention,
    *,
    now_ns: int,
    reveal: Reveal = Reveal.AT_ONCE,
    ceiling_s: float = NO_CEILING_S,
) -> WallState:
    """The wall for one reading of the store. `ceiling_s`: nobody unread is passed after this."""
    down = checker_down(board.health, now_ns=now_ns)
    entries = judged(board, reveal=reveal, now_ns=now_ns)
    exams = {exam.entry.acquisition_id: exam for exam, _, _ in entries}
    findings = {exam.entry.acquisition_id: answer for exam, _, answer in entries}
    cards = [
        _card(row, exams[row.exam_id], findings[row.exam_id], seen=row.exam_id in attention.seen)
        for row in worklist_rows(entries, now_ns=now_ns, ceiling_s=ceiling_s)
    ]
    waits_s = {exam_id: _wait_s(exam, now_ns) for exam_id, exam in exams.items()}
    wanted = sorted(cards, key=lambda card: _place(card, waits_s[card.exam_id]))  # keeps the fair order
    shown, held_back = _held(wanted, attention)
    unseen = [card for card in cards if not card.seen]
    oldest = max(unseen, key=lambda card: waits_s[card.exam_id], default=None)
    ai, ai_words, ai_runs = _ai_words(board, down)
    return WallState(
        heading=WallHeading(
            waiting=str(len(unseen)),
            longest=oldest.waiting if oldest is not None else "-",
            ceiling=_minutes(ceiling_s),
            ai=ai,
            ai_words=ai_words,
            ai_runs=ai_runs,
            speed=_speed(board.exams),
        ),
        cards=shown,
        oldest=oldest,
        arrivals=_arrivals(held_back),
    )


def _card(row: WorklistRow, exam: ExamRecord, findings: FindingsState, *, seen: bool) -> WallCard:
    column = Column.LOOK_NOW if row.level in _LOOK_NOW else Column.WAITING
    questions = " · ".join(f"{line.question} {line.band.value}" for line in findings.lines)
    if row.level in {Level.REPEAT, Level.CHECK, Level.NOT_CHECKED}:
        questions = " · ".join(part for part in (row.reason, questions) if part)
    return WallCard(
        exam_id=row.exam_id,
        column=Column.SEEN if seen else column,
        level=row.level,
        word=row.word,
        shape=row.shape.value,
        who=patient_of(exam.entry).sex_age,
        exam=exam_name(exam.entry),
        waiting=row.waiting,
        questions=questions or findings.headline,
        picture=picture_of(exam, asked=findings.asked),
        seen=seen,
    )


def _wait_s(exam: ExamRecord, now_ns: int) -> float:
    waiting_s = exam.waiting_s(now_ns)
    return math.inf if waiting_s is None else waiting_s


def _minutes(ceiling_s: float) -> str:
    return "" if math.isinf(ceiling_s) else tr("{minutes} min", minutes=round(ceiling_s / S_PER_MIN))


def _place(card: WallCard, wait_s: float) -> tuple[int, float]:
    """Look now in the fair order, in which cards come; waiting by age alone; seen with the newest on top."""
    waited_s = {Column.LOOK_NOW: 0.0, Column.WAITING: -wait_s, Column.SEEN: wait_s}
    return list(Column).index(card.column), waited_s[card.column]


def _held(wanted: list[WallCard], attention: WallAttention) -> tuple[tuple[WallCard, ...], list[WallCard]]:
    """The cards to show and those held back: nothing moves under a finger but what the finger moved."""
    untouched_s = attention.untouched_s
    if untouched_s is None or untouched_s >= SETTLE_S or not attention.shown:
        return tuple(wanted), []
    by_id = {card.exam_id: card for card in wanted}
    places = dict(attention.shown)
    still = [exam_id for exam_id, _ in attention.shown if exam_id in by_id]
    moved = [
        by_id[exam_id] for exam_id in still if by_id[exam_id].seen and places[exam_id] is not Column.SEEN
    ]
    steady = [
        replace(by_id[exam_id], column=places[exam_id]) for exam_id in still if by_id[exam_id] not in moved
    ]
    return (*moved, *steady), [card for card in wanted if card.exam_id not in places]


def _arrivals(held_back: list[WallCard]) -> str:
    urgent = sum(card.column is Column.LOOK_NOW for card in held_back)
    if urgent:
        return tr("{count} new to look at", count=urgent)
    return tr("{count} new", count=len(held_back)) if held_back else ""


def _ai_words(board: BoardRecord, down: str | None) -> tuple[str, str, bool]:
    worker = board.health.sign("worker")
    if down is not None:
        return tr("OFF"), tr("AI not running"), False
    if worker is not None and worker.state.startswith("loading"):
        return "…", tr("AI is starting"), False
    return tr("ON"), tr("AI running"), True


def _speed(exams: Iterable[ExamRecord]) -> str:
    """From landing to the AI's answer, the middle one of the newest."""
    took_ms = []
    for exam in exams:
        lane = exam.entry.lane(Lane.TRIAGE)
        answered = lane is not None and lane.result is not None and bool(lane.result.findings)
        if answered and lane is not None and lane.landed_to_committed_ms is not None:
            took_ms.append(lane.landed_to_committed_ms)
    newest = took_ms[:SPEED_EXAMS]
    return f"{median(newest) * NS_PER_MS / NS_PER_S:.1f} s" if newest else "?"
