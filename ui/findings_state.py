# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the AI asks a person to look at: questions with a band, never facts, never "normal"."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from appliance.domain.finding import Decision, Finding, is_time_critical
from appliance.domain.job import JobState, Lane
from appliance.domain.result import EngineUse
from appliance.store.opinions import Act, Stance, Subject
from ui.advice_words import meaning_in_words, reason_in_words
from ui.language import apart, noted, tr, tr_n
from ui.plain_text import LONGEST_SENTENCE, visible
from ui.records import ExamRecord
from ui.reveal_state import Reveal, still_asked

NOTHING_FLAGGED: Final = noted("No finding flagged. This does not mean normal.")
"""The only sentence for an empty answer (KIOSK.md, rule 8)."""
NOT_A_DIAGNOSIS: Final = noted("Aid to reading. Not a diagnosis.")


class Band(str, Enum):
    """How sure the model is, by its two operating points."""

    HIGH = "high"
    MEDIUM = "medium"


BAND_WORDS: Final = {Band.HIGH: noted("high"), Band.MEDIUM: noted("medium")}


class AiKind(str, Enum):
    """Where the AI's answer stands."""

    FLAGGED = "flagged"
    NOTHING = "nothing"
    RUNNING = "running"
    WITHHELD = "withheld"
    """It is there and not shown yet: the person looks first."""
    NO_ANSWER = "no_answer"
    """It refused, failed or is not there: read without AI."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingLine:
    """One question."""

    code: str
    question: str
    """"Pneumothorax?"."""
    band: Band
    number: str
    """Shown on tap: the calibrated probability and the operating points."""
    time_critical: bool
    has_heatmap: bool
    profile: str
    """Whether its model may show a place; "" when the result does not say."""
    subject: Subject
    """What an opinion on it is written down with."""
    stance: Stance | None
    """The newest opinion on it; None: nobody has judged it."""
    original: str = ""
    """The question in English, as the store and the model name it."""

    @property
    def is_urgent(self) -> bool:
        """Somebody must be told at once."""
        return self.time_critical and self.band is Band.HIGH


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingsState:
    """The AI card."""

    kind: AiKind
    headline: str
    lines: tuple[FindingLine, ...] = ()
    refusals: tuple[str, ...] = ()
    """Why a task gave no answer, one sentence each."""
    engine: str = ""
    fallback: str = ""
    """Why the first engine is not the one that answered; "" when it is."""
    exam_id: str = ""
    version: int = 0
    asked: Reveal = Reveal.AT_ONCE
    """What the person has to do before the rest is shown; AT_ONCE: all of it is."""


def findings_of(exam: ExamRecord, *, ai_down: str | None, reveal: Reveal = Reveal.AT_ONCE) -> FindingsState:
    """The AI's answer for one acquisition. `ai_down`: why nobody is computing now, or None.

    What is withheld until the person has looked is not in the state at all; a time-critical flag is never.
    """
    state = replace(
        _answer(exam, ai_down=ai_down), exam_id=exam.entry.acquisition_id, version=exam.entry.version
    )
    asked = still_asked(exam, reveal)
    if asked is Reveal.AT_ONCE or state.kind is AiKind.NO_ANSWER:
        return state
    if state.kind is AiKind.RUNNING:
        return replace(state, asked=asked)
    return replace(
        state,
        kind=AiKind.WITHHELD,
        headline=tr("Look first. Then the AI answer."),
        lines=tuple(line for line in state.lines if line.time_critical),
        asked=asked,
    )


def shown_findings(exam: ExamRecord, asked: Reveal) -> tuple[Finding, ...]:
    """The flagged findings that may be shown now: all, or the time-critical ones while something is asked."""
    result = exam.result(Lane.TRIAGE)
    return tuple(
        finding
        for finding in (result.findings if result else ())
        if finding.is_flagged and (asked is Reveal.AT_ONCE or is_time_critical(finding))
    )


def _answer(exam: ExamRecord, *, ai_down: str | None) -> FindingsState:
    result = exam.result(Lane.TRIAGE)
    if result is None:
        return _without_answer(exam, ai_down=ai_down)
    flagged = sorted(
        (finding for finding in result.findings if finding.is_flagged),
        key=lambda finding: (finding.decision is not Decision.PRESENT, -finding.probability),
    )
    reasons = (reason_in_words(refusal.reason) for refusal in result.refusals)
    refusals = tuple(dict.fromkeys(reasons))  # two models that refuse for one reason say it once
    engine, fallback = engine_words(result.engines)
    if flagged:
        count = len(flagged)
        kind, headline = (
            AiKind.FLAGGED,
            tr_n("{count} finding flagged", "{count} findings flagged", count),
        )
    elif result.findings:
        kind, headline = AiKind.NOTHING, tr(NOTHING_FLAGGED)
    else:
        kind, headline = AiKind.NO_ANSWER, tr("Not analysed. Read without AI.")
        refusals = refusals or (tr("No model answers for this kind of image."),)
    return FindingsState(
        kind=kind,
        headline=headline,
        lines=tuple(_line(exam, finding) for finding in flagged),
        refusals=refusals,
        engine=engine,
        fallback=fallback,
    )


def engine_words(engines: tuple[EngineUse, ...]) -> tuple[str, str]:
    """Which engines answered, and why the first choice did not ("" when it did)."""
    names = tuple(dict.fromkeys(visible(use.engine) for use in engines))
    reasons = tuple(
        dict.fromkeys(
            visible(u.fallback_reason, limit=LONGEST_SENTENCE) for u in engines if u.fallback_reason
        )
    )
    return ", ".join(names), " ".join(reasons)


def _without_answer(exam: ExamRecord, *, ai_down: str | None) -> FindingsState:
    job = exam.entry.lane(Lane.TRIAGE)
    if job is not None and job.state in {JobState.FAILED, JobState.QUARANTINED}:
        why = apart(visible(job.reason, limit=LONGEST_SENTENCE)) or tr("The AI gave no answer.")
        headline = tr("AI failed. Read without AI.")
        return FindingsState(kind=AiKind.NO_ANSWER, headline=headline, refusals=(why,))
    if ai_down is not None:
        return FindingsState(
            kind=AiKind.NO_ANSWER, headline="AI is off. Read without AI.", refusals=(ai_down,)
        )
    if job is None:
        return FindingsState(
            kind=AiKind.NO_ANSWER,
            headline=tr("Not analysed. Read without AI."),
            refusals=(tr("No model answers for this kind of image."),),
        )
    return FindingsState(kind=AiKind.RUNNING, headline=tr("AI is looking…"))


def _line(exam: ExamRecord, finding: Finding) -> FindingLine:
    result = exam.result(Lane.TRIAGE)
    models = {use.task: use.model for use in (result.engines if result else ())}
    look = exam.deed(Act.FIRST_LOOK)
    subject = Subject(
        acquisition_id=exam.entry.acquisition_id,
        version=exam.entry.version,
        task=finding.task,
        code=finding.code,
        model=models.get(finding.task),
        probability=finding.probability,
        decision=finding.decision,
        first_look=look.first_look if look is not None else None,
    )
    about = (finding.task, finding.code)
    judged = (o.stance for o in exam.opinions if (o.subject.task, o.subject.code) == about)
    return FindingLine(
        code=finding.code.value,
        question=tr("{finding}?", finding=meaning_in_words(finding.code)),
        band=Band.HIGH if finding.decision is Decision.PRESENT else Band.MEDIUM,
        number=tr(
            "{probability}  (flag from {flag}, high from {high})",
            probability=f"{finding.probability:.2f}",
            flag=f"{finding.sensitive_threshold:.2f}",
            high=f"{finding.specific_threshold:.2f}",
        ),
        time_critical=is_time_critical(finding),
        has_heatmap=finding.heatmap_path is not None and finding.draws_location is not False,
        original=f"{visible(finding.code.meaning)}?",
        profile=_profile(finding),
        subject=subject,
        stance=next(judged, None),
    )


def _profile(finding: Finding) -> str:
    if finding.draws_location is None:
        return ""
    return tr("Reader aid") if finding.draws_location else tr("Flag only: no place is shown")
