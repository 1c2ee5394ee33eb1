# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the AI asks a person to look at: questions with a band, never facts, never "normal"."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from appliance.domain.finding import Decision, Finding
from appliance.domain.job import JobState, Lane
from appliance.domain.result import EngineUse
from ui.advice_words import meaning_in_words, reason_in_words
from ui.language import apart, noted, tr, tr_n
from ui.plain_text import LONGEST_SENTENCE, visible
from ui.records import ExamRecord

NOTHING_FLAGGED: Final = noted("No finding flagged. This does not mean normal.")
"""The only sentence for an empty answer (KIOSK.md, rule 8)."""
NOT_A_DIAGNOSIS: Final = noted("Aid to reading. Not a diagnosis.")
TIME_CRITICAL: Final = frozenset(
    {
        ("36118008", "SCT"),  # pneumothorax
        ("233645004", "SCT"),  # tension pneumothorax
        ("1386000", "SCT"),  # intracranial haemorrhage
        ("59282003", "SCT"),  # pulmonary embolism
    }
)
"""Findings that somebody must be told about at once (PRODUCT.md, C1: 07:40)."""


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


def findings_of(exam: ExamRecord, *, ai_down: str | None) -> FindingsState:
    """The AI's answer for one acquisition. `ai_down`: why nobody is computing now, or None."""
    result = exam.result(Lane.TRIAGE)
    if result is None:
        return _without_answer(exam, ai_down=ai_down)
    flagged = sorted(
        (finding for finding in result.findings if finding.decision is not Decision.ABSENT),
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
        lines=tuple(_line(finding) for finding in flagged),
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


def _line(finding: Finding) -> FindingLine:
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
        time_critical=(finding.code.value, finding.code.scheme) in TIME_CRITICAL,
        has_heatmap=finding.heatmap_path is not None,
        original=f"{visible(finding.code.meaning)}?",
    )
