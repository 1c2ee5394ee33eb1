# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why an image is taken again, when no check advised it: a repeat is a dose, so it has a reason. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ui.language import tr
from ui.records import ExamRecord
from ui.verdict_state import VerdictKind, VerdictState

_OF_CRITERION: Final = {
    "rotation": "positioning",
    "inspiration": "positioning",
    "orientation": "positioning",
    "field_of_view": "cut_off",
    "collimation": "cut_off",
    "motion": "motion",
    "sharpness": "motion",
    "exposure": "exposure",
    "blank_exposure": "exposure",
    "noise": "exposure",
    "saturation": "exposure",
    "detector_lines": "artefact",
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
    reasons = {
        "positioning": Reason(kept="Positioning", shown=tr("Positioning")),
        "cut_off": Reason(kept="Anatomy cut off", shown=tr("Anatomy cut off")),
        "motion": Reason(kept="Patient moved", shown=tr("Patient moved")),
        "exposure": Reason(kept="Exposure", shown=tr("Exposure")),
        "artefact": Reason(kept="Artefact or object", shown=tr("Artefact or object")),
        "other": Reason(kept="Other reason", shown=tr("Other reason")),
    }
    doubts = (line.criterion for line in verdict.checks if line.kind is VerdictKind.CHECK)
    likely = next((_OF_CRITERION[name] for name in doubts if name in _OF_CRITERION), None)
    names = sorted(reasons, key=lambda name: name != likely)  # stable: the others keep their place
    return tuple(reasons[name] for name in names)


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
