# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the physician has been told of an urgent finding, and how long nobody has been."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from appliance.clock import NS_PER_MS, NS_PER_S
from appliance.domain.job import Lane
from appliance.store.opinions import Act, Deed
from ui.findings_state import FindingsState
from ui.language import tr
from ui.records import ExamRecord
from ui.wording import clock_time, duration

LATE_S: Final = 120.0
"""An urgent finding that nobody has acknowledged for this long becomes louder (PRODUCT.md, C3)."""


class Telling(str, Enum):
    """How far it is."""

    TELL = "tell"
    LATE = "late"
    """Nobody has said in time that the physician knows. Follows from the time alone."""
    ESCALATED = "escalated"
    """A person has handed it on; the physician does not know yet."""
    TOLD = "told"


@dataclass(frozen=True, slots=True, kw_only=True)
class UrgentState:
    """The banner of one urgent exam."""

    exam_id: str
    version: int
    kind: Telling
    title: str
    brief: str
    """The title where there is room for one line only."""
    detail: str
    rank: str
    """The same for the reason of its rank: "not told for 2:10"."""


def urgent_of(exam: ExamRecord, findings: FindingsState, *, now_ns: int) -> UrgentState | None:
    """The banner; None: nothing here that somebody must be told of at once."""
    questions = [f"{line.question} {line.band.value}" for line in findings.lines if line.is_urgent]
    if not questions:
        return None
    told, escalated = exam.deed(Act.TOLD), exam.deed(Act.ESCALATED)
    untold_s = None if told else _flagged_for_s(exam, now_ns=now_ns)
    what = ", ".join(questions)
    if told:
        kind, title = Telling.TOLD, tr("Physician told at {time}", time=_time(told))
        rank, detail = tr("told at {time}", time=_time(told)), what
    elif escalated:
        kind, title = Telling.ESCALATED, tr("Escalated at {time}", time=_time(escalated))
        rank = tr("escalated, not told")
        detail = tr("{what}. Physician not told yet.", what=what)
    elif untold_s is None or untold_s >= LATE_S:
        kind, title = Telling.LATE, tr("Tell the physician now")
        rank = tr("not told")
        if untold_s is not None:
            rank = tr("not told for {time}", time=duration(untold_s))
        detail = f"{what}, {rank}"
    else:
        kind, title = Telling.TELL, tr("Tell the physician")
        rank, detail = tr("tell the physician"), what
    brief = title
    if untold_s is not None and kind is Telling.LATE:
        brief = tr("Not told for {time}", time=duration(untold_s))
    return UrgentState(
        exam_id=exam.entry.acquisition_id,
        version=exam.entry.version,
        kind=kind,
        title=title,
        brief=brief,
        detail=detail,
        rank=rank,
    )


def _flagged_for_s(exam: ExamRecord, *, now_ns: int) -> float | None:
    """Seconds since the answer was there (not known: since landing); None: it landed before this boot."""
    lane = exam.entry.lane(Lane.TRIAGE)
    if exam.landed_ns is None:
        return None
    took_ms = lane.landed_to_committed_ms if lane is not None else None
    return (now_ns - exam.landed_ns - (took_ms or 0.0) * NS_PER_MS) / NS_PER_S


def _time(deed: Deed) -> str:
    return clock_time(datetime.fromisoformat(deed.done_at_utc))
