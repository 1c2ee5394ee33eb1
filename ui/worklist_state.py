# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who comes first, and why: the rows of the worklist in the order in which people need them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from appliance.domain.acquisition import Urgency
from appliance.domain.fair_order import NO_CEILING_S, Waiting, fair_rank, harm_rate_of, is_overdue
from appliance.domain.job import Lane
from ui.decision_state import decision_words
from ui.findings_state import BAND_WORDS, AiKind, Band, FindingsState
from ui.language import noted, tr
from ui.patient_state import exam_name
from ui.plain_text import person_name
from ui.records import ExamRecord
from ui.urgent_state import Telling, urgent_of
from ui.verdict_state import Shape, VerdictKind, VerdictState
from ui.wording import duration, ordinal

SETTLE_S: Final = 5.0
"""The list keeps its order this long after the last touch (KIOSK.md, rule 18)."""


class Level(int, Enum):
    """Smaller comes first."""

    URGENT = 0
    """A time-critical finding, or the request says so."""
    REPEAT = 1
    """The patient is about to leave with an image that will not answer the question: before any finding
    that can wait for a reader, because only this one is lost when the patient has gone."""
    OVERDUE = 2
    """Unread for as long as the ceiling allows, whatever the AI said or did not say."""
    HIGH = 3
    CHECK = 4
    MEDIUM = 5
    NOT_CHECKED = 6
    CHECKING = 7
    ROUTINE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class WorklistRow:
    """One exam in the list."""

    exam_id: str
    level: Level
    word: str
    kind: VerdictKind
    """Decides colour; the shape and the word say the same."""
    shape: Shape
    name: str
    exam: str
    reason: str
    waiting: str
    """Since it landed; "earlier" when that was before the device was last started."""
    decided: str
    """"Kept" or "Repeat ordered"; "" while nobody has decided."""
    rank: str
    """"1st: Pneumothorax? high; not told for 2:10; waiting 4:10"."""
    unread: bool
    """Nobody has opened it or answered to it."""
    telling: Telling | None
    """Of an urgent finding: whether the physician knows. LATE is drawn louder."""
    waiting_s: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OldestUnread:
    """The exam that has waited longest without anybody opening it."""

    exam_id: str
    waiting: str
    """"17 min"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The order on the screen, which does not move under a finger."""

    exam_ids: tuple[str, ...]
    held_back: int
    """Exams that are not shown in their place yet."""
    held_back_urgent: int


_WORDS: Final = {
    Level.URGENT: noted("URGENT"),
    Level.REPEAT: noted("REPEAT"),
    Level.OVERDUE: noted("OVERDUE"),
    Level.HIGH: noted("HIGH"),
    Level.CHECK: noted("CHECK"),
    Level.MEDIUM: noted("MEDIUM"),
    Level.NOT_CHECKED: noted("NOT CHECKED"),
    Level.CHECKING: noted("CHECKING"),
    Level.ROUTINE: noted("ROUTINE"),
}
_MINUTE_S: Final = 60
_HOUR_S: Final = 3600


def worklist_rows(
    entries: Sequence[tuple[ExamRecord, VerdictState, FindingsState]],
    *,
    now_ns: int,
    ceiling_s: float = NO_CEILING_S,
) -> tuple[WorklistRow, ...]:
    """Rows in the fair order (`appliance.domain.fair_order`), with the level as its band."""
    keyed = []
    for exam, verdict, findings in entries:
        level = _level(exam, verdict, findings)
        waiting = _waiting(level, exam, findings, now_ns=now_ns)
        reason = _reason(level, verdict, findings)
        if not waiting.goes_first and is_overdue(waiting, ceiling_s=ceiling_s):
            level = Level.OVERDUE
        rank = fair_rank(waiting, ceiling_s=ceiling_s)
        keyed.append((rank, level, reason, (exam, verdict, findings)))
    keyed.sort(key=lambda each: each[0])
    return tuple(
        _row(place, level, reason, *entry, now_ns=now_ns)
        for place, (_, level, reason, entry) in enumerate(keyed, start=1)
    )


def oldest_unread(rows: Sequence[WorklistRow]) -> OldestUnread | None:
    """None: all have been opened. One from before the last start has waited longest."""
    unread = [row for row in rows if row.unread]
    if not unread:
        return None
    oldest = max(unread, key=lambda row: math.inf if row.waiting_s is None else row.waiting_s)
    if oldest.waiting_s is None:
        waiting = oldest.waiting
    elif oldest.waiting_s < _MINUTE_S:
        waiting = tr("under 1 min")
    elif oldest.waiting_s < _HOUR_S:
        waiting = tr("{minutes} min", minutes=oldest.waiting_s // _MINUTE_S)
    else:
        waiting = oldest.waiting
    return OldestUnread(exam_id=oldest.exam_id, waiting=waiting)


def settle(rows: Sequence[WorklistRow], shown: tuple[str, ...], *, untouched_s: float | None) -> Settled:
    """The order to show: the wanted one when nobody touches, else the shown one without its gone exams.

    `untouched_s`: seconds since the last touch of the screen; None: never touched.
    """
    wanted = tuple(row.exam_id for row in rows)
    if untouched_s is None or untouched_s >= SETTLE_S or not shown:
        return Settled(exam_ids=wanted, held_back=0, held_back_urgent=0)
    still_there = set(wanted)
    kept = tuple(exam_id for exam_id in shown if exam_id in still_there)
    new = [row for row in rows if row.exam_id not in set(kept)]
    return Settled(
        exam_ids=kept,
        held_back=len(new),
        held_back_urgent=sum(row.level is Level.URGENT for row in new),
    )


def _level(exam: ExamRecord, verdict: VerdictState, findings: FindingsState) -> Level:
    bands = {line.band for line in findings.lines}
    open_verdict = verdict.kind if exam.decision is None else None  # decided: nobody has to act on it
    levels = {
        Level.URGENT: exam.entry.urgency is Urgency.STAT or any(line.is_urgent for line in findings.lines),
        Level.REPEAT: open_verdict is VerdictKind.REPEAT,
        Level.HIGH: Band.HIGH in bands,
        Level.CHECK: open_verdict is VerdictKind.CHECK,
        Level.MEDIUM: Band.MEDIUM in bands,
        Level.NOT_CHECKED: open_verdict is VerdictKind.NOT_CHECKED,
        Level.CHECKING: verdict.kind is VerdictKind.CHECKING or findings.kind is AiKind.RUNNING,
    }
    return next((level for level, holds in levels.items() if holds), Level.ROUTINE)


def _waiting(level: Level, exam: ExamRecord, findings: FindingsState, *, now_ns: int) -> Waiting:
    """Images to repeat go first, too: that patient is about to leave. What is withheld does not count."""
    triage = exam.result(Lane.TRIAGE)
    shown = triage is not None and findings.kind in {AiKind.FLAGGED, AiKind.NOTHING}
    waited_s = exam.waiting_s(now_ns)
    return Waiting(
        sequence=exam.entry.sequence,
        waited_s=math.inf if waited_s is None else waited_s,
        harm_rate=harm_rate_of(triage.findings) if triage is not None and shown else None,
        goes_first=level in {Level.URGENT, Level.REPEAT},
        is_unread=is_unread(exam),
        band=len(Urgency) * level + exam.entry.urgency,
    )


def is_unread(exam: ExamRecord) -> bool:
    """Has nobody opened it or answered to it?"""
    return exam.decision is None and not exam.opinions and not exam.deeds


def _row(
    place: int,
    level: Level,
    reason: str,
    exam: ExamRecord,
    verdict: VerdictState,
    findings: FindingsState,
    *,
    now_ns: int,
) -> WorklistRow:
    waiting_s = exam.waiting_s(now_ns)
    waiting = tr("earlier") if waiting_s is None else duration(waiting_s)
    urgent = urgent_of(exam, findings, now_ns=now_ns)
    known = "" if waiting_s is None else tr("waiting {time}", time=waiting)
    parts = "; ".join(part for part in (reason, urgent.rank if urgent else "", known) if part)
    rank = tr("{place}: {reason}", place=ordinal(place), reason=parts)
    header = exam.entry.first
    return WorklistRow(
        exam_id=exam.entry.acquisition_id,
        level=level,
        word=(_loud_word(urgent.kind) if urgent else "") or tr(_WORDS[level]),
        kind=verdict.kind,
        shape=verdict.shape,
        name=person_name(header.patient.patient_name),
        exam=exam_name(exam.entry),
        reason=reason,
        waiting=waiting,
        decided=decision_words(exam.decision),
        rank=rank,
        unread=is_unread(exam),
        telling=urgent.kind if urgent else None,
        waiting_s=None if waiting_s is None else int(waiting_s),
    )


def _loud_word(kind: Telling) -> str:
    """What stands in the place of URGENT until the physician knows; "" when URGENT is enough."""
    if kind is Telling.LATE:
        return tr("NOT TOLD")
    return tr("ESCALATED") if kind is Telling.ESCALATED else ""


def _reason(level: Level, verdict: VerdictState, findings: FindingsState) -> str:
    if level in {Level.REPEAT, Level.CHECK, Level.NOT_CHECKED}:
        return verdict.cause.rstrip(".।")
    if findings.lines:
        first = next((line for line in findings.lines if line.time_critical), findings.lines[0])
        return f"{first.question} {tr(BAND_WORDS[first.band])}"
    if level is Level.URGENT:
        return tr("The request says urgent")
    if level is Level.CHECKING:
        return verdict.cause.rstrip(".।") if verdict.kind is VerdictKind.CHECKING else tr("AI is looking")
    if findings.kind is AiKind.WITHHELD:
        return tr("Look first")
    return tr("No finding flagged") if findings.kind is AiKind.NOTHING else tr("No AI answer")
