# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Can the patient leave? One word, its cause, and what to do: from the quality lane's answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from appliance.domain.acquisition import Completeness
from appliance.domain.job import JobState, Lane
from appliance.domain.quality import QualityCheck, Verdict, worst
from appliance.domain.result import LaneResult
from ui.deadline_state import deadline_of
from ui.findings_state import AiKind, FindingsState
from ui.language import tr
from ui.plain_text import LONGEST_SENTENCE, visible
from ui.records import ExamRecord
from ui.wording import duration

LATE_CHECK_S: Final = 30.0
"""After this long without a verdict the screen tells people not to wait. Ten times the 3 s that quality
control of a radiograph may take (PRODUCT.md, C1)."""


class Shape(str, Enum):
    """A state's sign; the same one wherever the state appears, so that it never depends on colour."""

    TICK = "tick"
    CROSS = "cross"
    BANG = "bang"
    DASH = "dash"
    CLOCK = "clock"


class VerdictKind(str, Enum):
    """The four answers, and the one that is still to come."""

    YES = "yes"
    CHECK = "check"
    REPEAT = "repeat"
    NOT_CHECKED = "not_checked"
    CHECKING = "checking"


SHAPES: Final = {
    VerdictKind.YES: Shape.TICK,
    VerdictKind.CHECK: Shape.BANG,
    VerdictKind.REPEAT: Shape.CROSS,
    VerdictKind.NOT_CHECKED: Shape.DASH,
    VerdictKind.CHECKING: Shape.CLOCK,
}
WORDS: Final = {
    VerdictKind.YES: "YES",
    VerdictKind.CHECK: "CHECK",
    VerdictKind.REPEAT: "REPEAT",
    VerdictKind.NOT_CHECKED: "NOT CHECKED",
    VerdictKind.CHECKING: "CHECKING…",
}
_KINDS: Final = {
    Verdict.OK: VerdictKind.YES,
    Verdict.CHECK: VerdictKind.CHECK,
    Verdict.REPEAT: VerdictKind.REPEAT,
    Verdict.NOT_CHECKED: VerdictKind.NOT_CHECKED,
}
_SEVERITY: Final = (Verdict.REPEAT, Verdict.CHECK, Verdict.NOT_CHECKED, Verdict.OK)
"""What a person must see first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckLine:
    """One criterion on the card."""

    kind: VerdictKind
    title: str
    measured: str
    """Value, unit and limit in words; "" where nothing was measured."""
    advice: str
    criterion: str = ""
    """The check's own name for it; "" for a group of several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictState:
    """The answer to "Can the patient leave?"."""

    kind: VerdictKind
    word: str
    cause: str
    """One sentence: the worst thing found, why nothing was checked, or what is being done."""
    checks: tuple[CheckLine, ...] = ()
    """Worst first."""
    is_late: bool = False
    """There is no answer yet and there should be one: the deadline has passed."""

    @property
    def shape(self) -> Shape:
        """The sign that goes with the word."""
        return SHAPES[self.kind]


def verdict_of(
    exam: ExamRecord, findings: FindingsState, *, checker_down: str | None, now_ns: int
) -> VerdictState:
    """The verdict on one acquisition. `checker_down`: why nobody is checking now, or None.

    A time-critical finding never changes what was measured, but with one the answer is not a plain YES.
    """
    result = exam.result(Lane.QUALITY)
    if result is None:
        return _without_answer(exam, checker_down=checker_down, now_ns=now_ns)
    ordered = sorted(result.quality, key=lambda check: _SEVERITY.index(check.verdict))
    lines = tuple(_line(check) for check in ordered)
    kind = _KINDS[worst(result.quality)]
    cause = _cause(kind, lines) if lines else _refused(result)
    stack = _doubt_about_the_stack(exam)
    urgent = next((line for line in findings.lines if line.is_urgent), None)
    if stack and kind in {VerdictKind.YES, VerdictKind.NOT_CHECKED}:
        kind, cause = VerdictKind.CHECK, stack
    elif urgent and kind is VerdictKind.YES:
        kind, cause = VerdictKind.CHECK, f"{urgent.question} {urgent.band.value}. Tell the physician first."
    elif kind is VerdictKind.YES and findings.kind is AiKind.RUNNING:
        cause = f"{cause} AI is still looking."
    return VerdictState(kind=kind, word=WORDS[kind], cause=cause, checks=lines)


def _without_answer(exam: ExamRecord, *, checker_down: str | None, now_ns: int) -> VerdictState:
    job = exam.entry.lane(Lane.QUALITY)
    if job is not None and job.state in {JobState.FAILED, JobState.QUARANTINED}:
        why = visible(job.reason, limit=LONGEST_SENTENCE)
        return _not_checked(f"The check failed: {why}" if why else "The check failed. Look yourself.")
    if checker_down is not None:
        return _not_checked(checker_down)
    if exam.entry.completeness is Completeness.RECEIVING:
        return _checking(exam, "Still receiving images.", now_ns=now_ns)
    if job is None:
        return _not_checked("No check exists for this kind of image.")
    return _checking(exam, _stage(exam, job.state, now_ns=now_ns), now_ns=now_ns)


def _stage(exam: ExamRecord, state: JobState, *, now_ns: int) -> str:
    waiting_s = exam.waiting_s(now_ns)
    if waiting_s is not None and waiting_s > LATE_CHECK_S:
        return f"No answer after {duration(waiting_s)}. Do not wait: look yourself."
    deadline = deadline_of(exam)
    if deadline is not None and deadline.is_over(now_ns):
        return tr("Not checked in time: look yourself.")
    if exam.entry.version > 1:
        return "New images arrived. Checking again."
    return "Measuring now." if state is JobState.LEASED else "Waiting for its turn."


def _not_checked(why: str) -> VerdictState:
    return VerdictState(kind=VerdictKind.NOT_CHECKED, word=WORDS[VerdictKind.NOT_CHECKED], cause=why)


def _checking(exam: ExamRecord, stage: str, *, now_ns: int) -> VerdictState:
    deadline = deadline_of(exam)
    late = deadline is not None and deadline.is_over(now_ns)
    word = WORDS[VerdictKind.NOT_CHECKED if late else VerdictKind.CHECKING]
    return VerdictState(kind=VerdictKind.CHECKING, word=word, cause=stage, is_late=late)


def _refused(result: LaneResult) -> str:
    reasons = dict.fromkeys(visible(r.reason, limit=LONGEST_SENTENCE) for r in result.refusals)
    return " ".join(reasons) or "No check exists for this kind of image."


def _cause(kind: VerdictKind, lines: tuple[CheckLine, ...]) -> str:
    unjudged = [line.title.lower() for line in lines if line.kind is VerdictKind.NOT_CHECKED]
    if kind is VerdictKind.YES and unjudged:
        return f"Look yourself at: {', '.join(unjudged)}."
    if kind is VerdictKind.YES:
        return f"All {len(lines)} checks passed." if len(lines) > 1 else "The check passed."
    return next(line.advice for line in lines if line.kind is kind)


def _doubt_about_the_stack(exam: ExamRecord) -> str | None:
    """Why the images themselves need a person, whatever was measured on those that came."""
    evidence = visible(exam.entry.evidence, limit=LONGEST_SENTENCE)
    if exam.entry.completeness is Completeness.INCOMPLETE:
        return f"Images are missing: {evidence}"
    if exam.entry.completeness is Completeness.CONFLICT:
        return f"Two different images have one identity: {evidence}"
    return None


def _line(check: QualityCheck) -> CheckLine:
    advice = visible(check.advice, limit=LONGEST_SENTENCE)
    return CheckLine(
        kind=_KINDS[check.verdict],
        title=visible(check.criterion.replace("_", " ").capitalize()),
        measured=_measured(check),
        advice=advice,
        criterion=check.criterion,
    )


def _measured(check: QualityCheck) -> str:
    if check.value is None:
        return ""
    unit = "" if check.unit in {None, "1"} else visible((check.unit or "").strip("{}"))
    value = f"{check.value:.3g}"
    shown = f"{value}{unit}" if unit == "%" else f"{value} {unit}".strip()
    if check.limit is None:
        return shown
    limit = f"{check.limit:.3g}{unit}" if unit == "%" else f"{check.limit:.3g}"
    return f"{shown} · limit {limit}"
