# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person decided about an image, and what they can decide now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from appliance.store.decisions import Choice, Decision
from ui.language import apart, noted, tr
from ui.plain_text import LONGEST_SENTENCE, visible
from ui.repeat_reasons import Reason, repeat_reasons
from ui.verdict_state import VerdictKind, VerdictState
from ui.wording import clock_time

KEEP_REASONS: Final = (
    noted("Clinical question answered"),
    noted("Patient cannot repeat"),
    noted("The check is wrong"),
    noted("Other reason"),
)
"""Why an image is kept against the check's advice (KIOSK.md, A2): four, so that nobody has to type. The store
keeps the English words."""
_WORDS: Final = {Choice.KEEP: noted("Kept"), Choice.REPEAT: noted("Repeat ordered")}


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionState:
    """The foot of the card."""

    decided: str
    """"Repeat ordered 08:42. Reason"; "" while nobody has decided."""
    keep_needs_reason: bool
    """Keeping this one goes against what was measured, or nobody measured: one of four reasons is asked."""
    repeat_advised: bool
    """The check says so: the one button that is red."""
    repeat_reason: str
    """What the check says, in English, written down with a repeat."""
    repeat_needs_reason: bool = False
    """The check does not advise it: a repeat is a dose, and one of six reasons is asked."""
    repeat_reasons: tuple[Reason, ...] = ()
    """The likely one first."""
    cost: str = ""
    """What a repeat adds to: repeats so far and the exposure, where they are known."""
    undo: Choice | None = None
    """What was just decided here and can still be taken back."""


def decision_of(
    decision: Decision | None, verdict: VerdictState, *, cost: str = "", undo: Choice | None = None
) -> DecisionState:
    """What stands at the foot of the card for this image."""
    decided = ""
    if decision is not None:
        when = clock_time(datetime.fromisoformat(decision.decided_at_utc))
        decided = tr("{decision} at {time}.", decision=decision_words(decision), time=when)
        if decision.reason:
            decided += f" {_reason_words(decision.reason, verdict)}"
    return DecisionState(
        decided=decided,
        keep_needs_reason=verdict.kind is not VerdictKind.YES,
        repeat_advised=verdict.kind is VerdictKind.REPEAT,
        repeat_reason=verdict.recorded if verdict.kind in {VerdictKind.REPEAT, VerdictKind.CHECK} else "",
        repeat_needs_reason=verdict.kind is not VerdictKind.REPEAT,
        repeat_reasons=repeat_reasons(verdict),
        cost=cost,
        undo=undo,
    )


def decision_words(decision: Decision | None) -> str:
    """One or two words; "" while nobody has decided."""
    return "" if decision is None else tr(_WORDS[decision.choice])


def _reason_words(stored: str, verdict: VerdictState) -> str:
    """The stored reason in the language of the screen, where it is one that the screen itself wrote."""
    if stored in KEEP_REASONS:
        return tr(stored)
    if stored == verdict.recorded:
        return verdict.cause
    return apart(visible(stored, limit=LONGEST_SENTENCE))
