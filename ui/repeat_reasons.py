# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why an image is taken again, when no check advised it: a repeat is a dose, so it has a reason. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from appliance.domain.reject import RejectReason
from ui.language import tr
from ui.records import ExamRecord
from ui.verdict_state import VerdictKind, VerdictState

_OF_CRITERION: Final = {
    "rotation": RejectReason.POSITIONING,
    "inspiration": RejectReason.POSITIONING,
    "orientation": RejectReason.POSITIONING,
    "field_of_view": RejectReason.CUT_OFF,
    "collimation": RejectReason.CUT_OFF,
    "motion": RejectReason.MOTION,
    "sharpness": RejectReason.MOTION,
    "exposure": RejectReason.EXPOSURE,
    "blank_exposure": RejectReason.EXPOSURE,
    "noise": RejectReason.EXPOSURE,
    "saturation": RejectReason.EXPOSURE,
    "detector_lines": RejectReason.ARTEFACT,
}
"""Which reason a doubtful criterion speaks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One large button."""

    kept: str
    """What the ledger keeps, in one language, so that reasons can be counted."""
    shown: str


def repeat_reasons(verdict: VerdictState) -> tuple[Reason, ...]:
    """Six reasons, the likely one first: after the reject reasons of AAPM report 305 (2023).

    Likely is what the check's own doubts (CHECK, worst first) speak for.
    """
    shown = {
        RejectReason.POSITIONING: tr("Positioning"),
        RejectReason.CUT_OFF: tr("Anatomy cut off"),
        RejectReason.MOTION: tr("Patient moved"),
        RejectReason.EXPOSURE: tr("Exposure"),
        RejectReason.ARTEFACT: tr("Artefact or object"),
        RejectReason.OTHER: tr("Other reason"),
    }
    doubts = (line.criterion for line in verdict.checks if line.kind is VerdictKind.CHECK)
    likely = next((_OF_CRITERION[name] for name in doubts if name in _OF_CRITERION), None)
    reasons = sorted(shown, key=lambda reason: reason != likely)  # stable: the others keep their place
    return tuple(Reason(kept=reason.value, shown=shown[reason]) for reason in reasons)


def repeat_cost(exam: ExamRecord) -> str:
    """What one more exposure adds to: repeats of this view so far, and what this image took."""
    parts = []
    if exam.repeats_today is not None:
        parts.append(tr("Repeats today for this patient: {count}", count=exam.repeats_today))
    exposure = exam.entry.first.exposure
    if exposure.exposure_index is not None:
        parts.append(tr("EI {value}", value=f"{exposure.exposure_index:.0f}"))
    if exposure.deviation_index is not None:
        parts.append(tr("DI {value}", value=f"{exposure.deviation_index:+.1f}"))
    return " · ".join(parts)
