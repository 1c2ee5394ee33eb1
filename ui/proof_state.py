# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the device has lately shown that its answers are right, and what that means for each exam. No Qt.

An answer that was given after the last good proof of a device that has failed since is not shown: whether it
is right is unknown. An older one stays, with the time it was given.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from appliance.clock import NS_PER_MS
from appliance.domain.job import Lane
from ui.findings_state import AiKind, FindingsState
from ui.language import tr
from ui.patient_state import exam_name
from ui.picture_state import PictureState
from ui.plain_text import LONGEST_SENTENCE, person_name, visible
from ui.records import BoardRecord, ExamRecord, HealthRecord
from ui.verdict_state import WORDS, VerdictKind, VerdictState
from ui.wording import clock_time


@dataclass(frozen=True, slots=True, kw_only=True)
class AiOff:
    """The last proof failed."""

    why: str
    since_ns: int | None
    """Monotonic time of the last good proof; None: not in this boot, so no answer of it counts."""
    since: str
    """The same for people: "08:12"; "" when unknown."""
    checks_too: bool
    """Quality control failed its own test, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GapRow:
    """An exam that a person must read without AI."""

    exam_id: str
    name: str
    exam: str
    landed: str


def ai_off(health: HealthRecord) -> AiOff | None:
    """What a failed proof of this boot means; None while none has failed."""
    proof = health.proof
    if proof is None or proof.made_ns is None or proof.passed:
        return None
    why = visible(" ".join(proof.failures), limit=LONGEST_SENTENCE)
    good = proof.last_passed_at_utc
    return AiOff(
        why=why,
        since_ns=proof.last_passed_ns,
        since="" if good is None else clock_time(good),
        checks_too=not proof.image_passed,
    )


def findings_in_doubt(findings: FindingsState, exam: ExamRecord, off: AiOff | None) -> FindingsState:
    """What the AI card says: the answer, or that it does not count."""
    if off is None:
        return findings
    if _stands(exam, Lane.TRIAGE, off):
        given = _given(exam, Lane.TRIAGE)
        assert given is not None  # it stands
        note = tr("Given {time}, before the failed test.", time=clock_time(given[1]))
        return replace(findings, headline=f"{findings.headline.rstrip('.')}. {note}")
    return FindingsState(
        kind=AiKind.NO_ANSWER,
        headline=tr("AI OFF: usual practice. Read without AI."),
        refusals=(tr("The AI failed its own test."), off.why),
    )


def verdict_in_doubt(verdict: VerdictState, exam: ExamRecord, off: AiOff | None) -> VerdictState:
    """A YES that quality control gave while it may have been broken is no YES."""
    if off is None or not off.checks_too or verdict.kind is not VerdictKind.YES:
        return verdict
    if _stands(exam, Lane.QUALITY, off):
        return verdict
    kind = VerdictKind.NOT_CHECKED
    cause = tr("The check failed its own test. Look yourself.")
    return replace(verdict, kind=kind, word=WORDS[kind], cause=cause)


def picture_in_doubt(picture: PictureState, exam: ExamRecord, off: AiOff | None) -> PictureState:
    """Without what the AI drew, where its answer does not count."""
    if off is None or _stands(exam, Lane.TRIAGE, off):
        return picture
    marks = tuple(mark for mark in picture.marks if not mark.is_ai)
    return replace(picture, marks=marks, heatmap_codes=())


def gap_of(board: BoardRecord) -> tuple[GapRow, ...]:
    """Exams whose AI answer is in doubt or missing, newest first; empty while no proof has failed."""
    off = ai_off(board.health)
    if off is None:
        return ()
    return tuple(
        GapRow(
            exam_id=exam.entry.acquisition_id,
            name=person_name(exam.entry.first.patient.patient_name),
            exam=exam_name(exam.entry),
            landed=clock_time(exam.entry.landed_at_utc),
        )
        for exam in board.exams
        if exam.landed_ns is not None and _is_in_gap(exam, exam.landed_ns, off)
    )


def _is_in_gap(exam: ExamRecord, landed_ns: int, off: AiOff) -> bool:
    """It came since the last good proof, or came before and waits for an answer or has a later one."""
    if off.since_ns is None or landed_ns > off.since_ns:
        return True
    return exam.entry.lane(Lane.TRIAGE) is not None and not _stands(exam, Lane.TRIAGE, off)


def _stands(exam: ExamRecord, lane: Lane, off: AiOff) -> bool:
    """Whether the lane's answer was given before the last good proof."""
    if exam.result(lane) is None:
        return False
    given = _given(exam, lane)
    if given is None:
        return False
    if exam.landed_ns is None:  # of an earlier boot: before any proof of this one
        return off.since_ns is not None
    return off.since_ns is not None and given[0] <= off.since_ns


def _given(exam: ExamRecord, lane: Lane) -> tuple[int, datetime] | None:
    """When the lane's answer was committed, for programs and for people."""
    entry = exam.entry.lane(lane)
    if entry is None or entry.result is None:
        return None
    took_ms = entry.landed_to_committed_ms or 0.0
    at_utc = exam.entry.landed_at_utc + timedelta(milliseconds=took_ms)
    return exam.entry.noticed_ns + round(took_ms * NS_PER_MS), at_utc
