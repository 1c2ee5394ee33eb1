# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Can the patient leave? One word, its cause, and what to do: from the quality lane's answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from appliance.domain.acquisition import Completeness
from appliance.domain.job import JobState, Lane
from appliance.domain.quality import QualityCheck, Verdict, worst
from appliance.domain.result import LaneResult
from ui.advice_words import advice_in_words, criterion_title, reason_in_words
from ui.deadline_state import deadline_of
from ui.findings_state import BAND_WORDS, AiKind, FindingsState
from ui.language import in_english, language, noted, tr, tr_n
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
    VerdictKind.YES: noted("YES"),
    VerdictKind.CHECK: noted("CHECK"),
    VerdictKind.REPEAT: noted("REPEAT"),
    VerdictKind.NOT_CHECKED: noted("NOT CHECKED"),
    VerdictKind.CHECKING: noted("CHECKING…"),
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
    original: str = ""
    """The check's own English sentence, where `advice` is a translation that says less."""
    criterion: str = ""
    """The check's own name for it; "" for a group of several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictState:
    """The answer to "Can the patient leave?"."""

    kind: VerdictKind
    word: str
    cause: str
    """One sentence: the worst thing found, why nothing was checked, or what is being done."""
    recorded: str = ""
    """The cause in English, as it is written into the store."""
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
    verdict = _verdict(exam, findings, checker_down=checker_down, now_ns=now_ns)
    with in_english():
        recorded = _verdict(exam, findings, checker_down=checker_down, now_ns=now_ns).cause
    return replace(verdict, recorded=recorded)


def _verdict(
    exam: ExamRecord, findings: FindingsState, *, checker_down: str | None, now_ns: int
) -> VerdictState:
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
        kind = VerdictKind.CHECK
        question = urgent.question if language() != "en" else urgent.original
        band = BAND_WORDS[urgent.band]
        cause = tr("{finding} {band}. Tell the physician first.", finding=question, band=tr(band))
    elif kind is VerdictKind.YES and findings.kind is AiKind.RUNNING:
        cause = cause + " " + tr("AI is still looking.")
    return VerdictState(kind=kind, word=tr(WORDS[kind]), cause=cause, checks=lines)


def _without_answer(exam: ExamRecord, *, checker_down: str | None, now_ns: int) -> VerdictState:
    job = exam.entry.lane(Lane.QUALITY)
    if job is not None and job.state in {JobState.FAILED, JobState.QUARANTINED}:
        why = visible(job.reason, limit=LONGEST_SENTENCE)
        return _not_checked(
            tr("The check failed: {why}", why=why) if why else tr("The check failed. Look yourself.")
        )
    if checker_down is not None:
        return _not_checked(checker_down)
    if exam.entry.completeness is Completeness.RECEIVING:
        return _checking(exam, tr("Still receiving images."), now_ns=now_ns)
    if job is None:
        return _not_checked(tr("No check exists for this kind of image."))
    return _checking(exam, _stage(exam, job.state, now_ns=now_ns), now_ns=now_ns)


def _stage(exam: ExamRecord, state: JobState, *, now_ns: int) -> str:
    waiting_s = exam.waiting_s(now_ns)
    if waiting_s is not None and waiting_s > LATE_CHECK_S:
        return tr("No answer after {time}. Do not wait: look yourself.", time=duration(waiting_s))
    deadline = deadline_of(exam)
    if deadline is not None and deadline.is_over(now_ns):
        return tr("Not checked in time: look yourself.")
    if exam.entry.version > 1:
        return tr("New images arrived. Checking again.")
    return tr("Measuring now.") if state is JobState.LEASED else tr("Waiting for its turn.")


def _not_checked(why: str) -> VerdictState:
    return VerdictState(kind=VerdictKind.NOT_CHECKED, word=tr(WORDS[VerdictKind.NOT_CHECKED]), cause=why)


def _checking(exam: ExamRecord, stage: str, *, now_ns: int) -> VerdictState:
    deadline = deadline_of(exam)
    late = deadline is not None and deadline.is_over(now_ns)
    word = tr(WORDS[VerdictKind.NOT_CHECKED if late else VerdictKind.CHECKING])
    return VerdictState(kind=VerdictKind.CHECKING, word=word, cause=stage, is_late=late)


def _refused(result: LaneResult) -> str:
    reasons = dict.fromkeys(reason_in_words(r.reason) for r in result.refusals)
    return " ".join(reasons) or tr("No check exists for this kind of image.")


def _cause(kind: VerdictKind, lines: tuple[CheckLine, ...]) -> str:
    unjudged = [line.title.lower() for line in lines if line.kind is VerdictKind.NOT_CHECKED]
    if kind is VerdictKind.YES and unjudged:
        return tr("Look yourself at: {criteria}.", criteria=", ".join(unjudged))
    if kind is VerdictKind.YES:
        return tr_n("The check passed.", "All {count} checks passed.", len(lines))
    return next(line.advice for line in lines if line.kind is kind)


def _doubt_about_the_stack(exam: ExamRecord) -> str | None:
    """Why the images themselves need a person, whatever was measured on those that came."""
    evidence = visible(exam.entry.evidence, limit=LONGEST_SENTENCE)
    if exam.entry.completeness is Completeness.INCOMPLETE:
        return tr("Images are missing: {evidence}", evidence=evidence)
    if exam.entry.completeness is Completeness.CONFLICT:
        return tr("Two different images have one identity: {evidence}", evidence=evidence)
    return None


def _line(check: QualityCheck) -> CheckLine:
    advice, original = advice_in_words(check)
    return CheckLine(
        kind=_KINDS[check.verdict],
        title=criterion_title(check.criterion),
        measured=_measured(check),
        advice=advice,
        original=original,
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
    return tr("{value} · limit {limit}", value=shown, limit=limit)
