# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Triage: what is suspected, how sure, where; and the refusals, which are answers too."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from appliance.domain.quality import Mark


class Decision(str, Enum):
    """A probability against its two operating points."""

    PRESENT = "PRESENT"
    """At or above the specific operating point: solid."""
    INDETERMINATE = "INDETERMINATE"
    """Between the sensitive and the specific operating point: dashed."""
    ABSENT = "ABSENT"
    """Below the sensitive operating point: not flagged, which does not mean normal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A coded concept (PS3.16): SCT, DCM, RADLEX, ..."""

    value: str
    scheme: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalThreshold:
    """An operating point that this site has chosen within the range that the model card signs."""

    in_force: float
    """From this probability on the finding is flagged here."""
    signed: float
    """The card's own sensitive threshold, which holds everywhere else."""
    decided_at_utc: str
    """When the site decided it: names the row of the ledger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One answer of one model."""

    task: str
    code: Code
    probability: float
    """Calibrated, 0 to 1."""
    sensitive_threshold: float
    """The one in force: the card's, or the site's (`local_threshold`)."""
    specific_threshold: float
    decision: Decision
    marks: tuple[Mark, ...] = ()
    heatmap_path: str | None = None
    """8-bit PNG of the size of the source image, relative to the store; None: nothing to show."""
    draws_location: bool | None = None
    """The card's profile: False: a triage aid, no place is ever shown; True: a reader aid. None: a result of
    before this was kept."""
    local_threshold: LocalThreshold | None = None
    """The site has moved the operating point; None: the signed one was in force."""

    @property
    def signed_threshold(self) -> float:
        """The card's sensitive threshold, whatever was in force."""
        return self.sensitive_threshold if self.local_threshold is None else self.local_threshold.signed

    @property
    def is_flagged(self) -> bool:
        """At or above the operating point in force."""
        return self.decision is not Decision.ABSENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A task that did not answer, and why, in words for the screen."""

    task: str
    reason: str


TIME_CRITICAL: Final = frozenset(
    {
        ("36118008", "SCT"),  # pneumothorax
        ("233645004", "SCT"),  # tension pneumothorax
        ("1386000", "SCT"),  # intracranial haemorrhage
        ("59282003", "SCT"),  # pulmonary embolism
    }
)
"""Findings that somebody must be told about at once."""


def is_time_critical(finding: Finding) -> bool:
    """Is it one that somebody must be told about at once, if it is there?"""
    return (finding.code.value, finding.code.scheme) in TIME_CRITICAL


def decide(probability: float, *, sensitive: float, specific: float) -> Decision:
    """Compare a calibrated probability with the two operating points (sensitive <= specific)."""
    if probability >= specific:
        return Decision.PRESENT
    if probability >= sensitive:
        return Decision.INDETERMINATE
    return Decision.ABSENT
