# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What messages say, whatever their format: words and codes for what a lane found.

A finding that was not flagged is "not flagged", never absent, and nothing here ever says "normal".
"""

from __future__ import annotations

from datetime import date
from typing import Final

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from appliance.domain.finding import Decision, Finding, Refusal
from appliance.domain.job import Lane
from appliance.domain.result import LaneResult
from appliance.outputs.source_header import UNKNOWN_MOMENT, content_moment

AI_NOTE: Final = "Made by software; no person has read it. An aid, not a diagnosis."
NOTHING_FLAGGED: Final = "Nothing was flagged by this software. That does not mean that nothing is there."
BANDS: Final = {
    Decision.PRESENT: "high",
    Decision.INDETERMINATE: "raised",
    Decision.ABSENT: "below threshold",
}
"""How a probability stands to the two operating points, in words for people."""


def told_refusals(result: LaneResult) -> tuple[Refusal, ...]:
    """Of models that this device has. That there is none for a kind of image at all is news to nobody."""
    return tuple(refusal for refusal in result.refusals if refusal.task != result.lane.value)


def says_something(result: LaneResult) -> bool:
    """Is there anything to report? A denoised copy speaks for itself."""
    return result.lane is not Lane.DENOISE and bool(
        result.quality or result.findings or told_refusals(result)
    )


def suspicion(finding: Finding) -> str:
    """One finding as a question, with what it was measured against."""
    return (
        f"{finding.code.meaning}? {BANDS[finding.decision]}: {finding.probability:.2f} "
        f"(flagged from {finding.sensitive_threshold:.2f}, high from {finding.specific_threshold:.2f})"
    )


def models_of(result: LaneResult) -> dict[str, str]:
    """Which model (`task@version`) answered for each task."""
    return {use.task: use.model for use in result.engines}


def patient_id_of(evidence: Dataset) -> str:
    """PatientID; empty: nobody knows. A backslash in it, which DICOM takes for two values, stays."""
    value = evidence.get("PatientID") or ""
    return "\\".join(value if isinstance(value, MultiValue) else [str(value)]).strip()


def date_of(evidence: Dataset) -> str | None:
    """Day of the image as YYYY-MM-DD; None: nobody knows. Headers rarely tell the time zone of an hour."""
    moment = content_moment(evidence)
    if moment == UNKNOWN_MOMENT:
        return None
    day = moment[0]
    try:
        return date(int(day[:4]), int(day[4:6]), int(day[6:8])).isoformat()
    except ValueError:
        return None
