# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything on the screen as one frozen value, computed from one reading of the store. No Qt.

The widgets draw a `BoardState` and decide nothing. Every sentence and every foreign text in it is already
safe to show.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal

from appliance.clock import NS_PER_MS, NS_PER_S
from appliance.domain.fair_order import NO_CEILING_S
from appliance.domain.job import JobState, Lane
from ui.advice_words import reason_in_words
from ui.deadline_state import DeadlineState, deadline_of, receipt_of
from ui.decision_state import DecisionState, decision_of
from ui.findings_state import AiKind, FindingsState, engine_words
from ui.ghost_state import GhostsState, ghosts_of
from ui.health_state import HealthKind, HealthState, closed_health, health_of
from ui.judged_exams import judged
from ui.language import apart, noted, tr, tr_n
from ui.notice_state import POLLER_SILENT_S, Notice, notice_of, with_silent_poller
from ui.painted_times import PaintedTimes
from ui.patient_state import PatientState, patient_of
from ui.picture_state import PictureState, picture_of
from ui.proof_state import (
    AiOff,
    GapRow,
    ai_off,
    gap_of,
    picture_in_doubt,
)
from ui.punctuality_state import PunctualityState, punctuality_of
from ui.records import BoardRecord, ExamRecord, StoreTrouble
from ui.repeat_reasons import repeat_cost
from ui.reveal_state import Reveal
from ui.undo_state import LastDecision, undo_of
from ui.urgent_state import UrgentState, urgent_of
from ui.verdict_state import VerdictKind, VerdictState
from ui.wording import clock_time
from ui.worklist_state import OldestUnread, WorklistRow, oldest_unread, settle, worklist_rows

Profile = Literal["scanner", "rural", "fracture"]
"""Which room the screen stands in (KIOSK.md, screen set)."""


class StageKind(str, Enum):
    """How far one step of the work is."""

    DONE = "done"
    RUNNING = "running"
    WAITING = "waiting"
    FAILED = "failed"
    NONE = "none"
    """There is nothing to do for this exam."""


STAGE_WORDS: Final = {
    StageKind.DONE: noted("done"),
    StageKind.RUNNING: noted("running"),
    StageKind.WAITING: noted("waiting"),
    StageKind.FAILED: noted("failed"),
    StageKind.NONE: noted("none"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StageState:
    """One step: receive, quality, AI, denoise."""

    name: str
    kind: StageKind
    seconds: str
    """Since it landed: "0.8 s" when done and known, else ""."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamState:
    """The exam in the middle of the screen."""

    exam_id: str
    version: int
    patient: PatientState
    verdict: VerdictState
    findings: FindingsState
    picture: PictureState
    stages: tuple[StageState, ...]
    decision: DecisionState
    rank: str
    urgent: UrgentState | None
    """None: nothing that the physician must be told of at once."""
    deadline: DeadlineState | None = None
    """The ring; None where none runs."""
    receipt: str = ""
    """How long after landing the verdict was here, or by when it is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A screen that has no exam to show still says what and what to do."""

    title: str
    what: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardState:
    """The whole screen."""

    rows: tuple[WorklistRow, ...]
    arrivals: str
    """"2 new urgent": exams that wait to take their place in the list; "" when there are none."""
    selected: ExamState | None
    health: HealthState | None
    """None only while the store is read for the first time."""
    message: Message | None
    """Instead of an exam: nothing has arrived, or the store cannot be read."""
    punctuality: PunctualityState | None = None
    """None only when the store has never been read."""
    oldest_unread: OldestUnread | None = None
    notice: Notice | None = None
    """The line over everything; None while all is well."""
    gap: tuple[GapRow, ...] = ()
    """Exams that a person must read without AI, while its last proof failed."""
    ghosts: GhostsState | None = None
    """Who is expected next; None: nobody, or no worklist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """What the person at the screen did last."""

    selected_exam_id: str | None = None
    """None: the most urgent one is shown."""
    shown_order: tuple[str, ...] = ()
    untouched_s: float | None = None
    """Seconds since the last touch; None: never touched."""
    last_decision: LastDecision | None = None
    painted: PaintedTimes | None = None
    """When verdicts were first on this screen; None: nobody looked."""


def board_state(
    board: BoardRecord | None,
    *,
    trouble: StoreTrouble | None,
    attention: Attention,
    now_ns: int,
    reveal: Reveal = Reveal.AT_ONCE,
    poller_silent_s: float = 0.0,
    ceiling_s: float = NO_CEILING_S,
) -> BoardState:
    """The screen for a reading of the store (None: never read) and for what the person does.

    `poller_silent_s`: seconds since this program last looked at the store. `ceiling_s`: nobody unread is
    passed after this.
    """
    if board is None:
        message = _no_store(trouble) if poller_silent_s <= POLLER_SILENT_S else _stopped()
        return BoardState(rows=(), arrivals="", selected=None, health=closed_health(trouble), message=message)
    off = ai_off(board.health)
    entries = judged(board, reveal=reveal, now_ns=now_ns)
    rows = worklist_rows(entries, now_ns=now_ns, ceiling_s=ceiling_s)
    order = settle(rows, attention.shown_order, untouched_s=attention.untouched_s)
    by_id = {row.exam_id: row for row in rows}
    shown = tuple(by_id[exam_id] for exam_id in order.exam_ids)
    chosen = attention.selected_exam_id if attention.selected_exam_id in by_id else None
    if chosen is None and shown:
        chosen = shown[0].exam_id
    selected = None
    for exam, verdict, findings in entries:
        if exam.entry.acquisition_id == chosen:
            selected = _exam_state(exam, verdict, findings, by_id[chosen].rank, attention, off, now_ns)
    arrivals = ""
    if order.held_back_urgent:
        arrivals = tr_n("{count} new urgent", "{count} new urgent", order.held_back_urgent)
    elif order.held_back:
        arrivals = tr_n("{count} new", "{count} new", order.held_back)
    health = health_of(board, now_ns=now_ns, trouble=trouble, engine=_engine(board))
    health = with_silent_poller(health, silent_s=poller_silent_s, read_at=clock_time(board.read_at_utc))
    gap, ghosts = gap_of(board), ghosts_of(board)
    return BoardState(
        rows=shown,
        arrivals=arrivals,
        selected=selected,
        health=health,
        message=None if rows else _nothing_arrived(health, ghosts),
        punctuality=punctuality_of(board.punctuality),
        oldest_unread=oldest_unread(rows),
        notice=notice_of(health, gap=len(gap)),
        gap=gap,
        ghosts=ghosts,
    )


def _exam_state(
    exam: ExamRecord,
    verdict: VerdictState,
    findings: FindingsState,
    rank: str,
    attention: Attention,
    off: AiOff | None,
    now_ns: int,
) -> ExamState:
    exam_id, version = exam.entry.acquisition_id, exam.entry.version
    undo = undo_of(attention.last_decision, exam_id=exam_id, version=version, now_ns=now_ns)
    painted_ns = attention.painted.of(exam) if attention.painted else None
    return ExamState(
        exam_id=exam.entry.acquisition_id,
        version=exam.entry.version,
        patient=patient_of(exam.entry),
        verdict=verdict,
        findings=findings,
        picture=picture_in_doubt(picture_of(exam, asked=findings.asked), exam, off),
        stages=_stages(exam, findings),
        decision=decision_of(exam.decision, verdict, cost=repeat_cost(exam), undo=undo),
        rank=rank,
        deadline=deadline_of(exam) if verdict.kind is VerdictKind.CHECKING else None,
        receipt=receipt_of(exam, painted_ns=painted_ns, now_ns=now_ns),
        urgent=urgent_of(exam, findings, now_ns=now_ns),
    )


def _stages(exam: ExamRecord, findings: FindingsState) -> tuple[StageState, ...]:
    names = {Lane.QUALITY: tr("Check"), Lane.TRIAGE: tr("AI"), Lane.DENOISE: tr("Denoise")}
    stages = [StageState(name=tr("Received"), kind=StageKind.DONE, seconds="")]
    if findings.kind is AiKind.WITHHELD:
        del names[Lane.TRIAGE]
    stages.extend(_stage(exam, lane, name) for lane, name in names.items())
    return tuple(stage for stage in stages if stage.kind is not StageKind.NONE)


def _stage(exam: ExamRecord, lane: Lane, name: str) -> StageState:
    entry = exam.entry.lane(lane)
    if entry is None:
        return StageState(name=name, kind=StageKind.NONE, seconds="")
    result = entry.result
    if result is not None:
        if not (result.quality or result.findings or result.derived):
            return StageState(name=name, kind=StageKind.NONE, seconds="")
        took_ms = entry.landed_to_committed_ms
        seconds = (
            "" if took_ms is None else tr("{seconds} s", seconds=f"{took_ms / NS_PER_S * NS_PER_MS:.1f}")
        )
        return StageState(name=name, kind=StageKind.DONE, seconds=seconds)
    kinds = {JobState.QUEUED: StageKind.WAITING, JobState.LEASED: StageKind.RUNNING}
    return StageState(name=name, kind=kinds.get(entry.state, StageKind.FAILED), seconds="")


def _engine(board: BoardRecord) -> str:
    """The engine that gave the newest answer with a model."""
    for exam in board.exams:
        for lane in exam.entry.lanes:
            names, fallback = engine_words(lane.result.engines if lane.result else ())
            if names:
                return tr("{engine} (second choice)", engine=names) if fallback else apart(names)
    return ""


def _no_store(trouble: StoreTrouble | None) -> Message:
    if trouble is None:
        return Message(title=tr("Starting…"), what=tr("Reading the list of exams."), remedy="")
    return Message(
        title=tr("No connection to the exam store"),
        what=reason_in_words(trouble.what),
        remedy=reason_in_words(trouble.remedy),
    )


def _stopped() -> Message:
    return Message(
        title=tr("This screen has stopped reading"),
        what=tr("It shows nothing new."),
        remedy=tr("Restart this screen. Images are kept."),
    )


def _nothing_arrived(health: HealthState, ghosts: GhostsState | None) -> Message:
    if health.kind is HealthKind.DANGER:  # no invitation to send images to a device that takes none
        return Message(title=health.word, what=health.advice, remedy="")
    if ghosts is not None:
        first, *more = (f"{ghost.at} {ghost.name} · {ghost.procedure}".strip() for ghost in ghosts.ghosts)
        return Message(title=ghosts.heading, what=apart(first), remedy=apart(more[0]) if more else "")
    return Message(
        title=tr("No exams yet"),
        what=tr("Nothing has been received."),
        remedy=tr("Send an image to this device, or copy a DICOM file into the inbox folder."),
    )
