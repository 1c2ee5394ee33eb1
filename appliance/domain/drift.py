# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What is compared to see drift: exams as numbers and words, and how far they are from what was usual."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class DriftState(str, Enum):
    """What a comparison says. Too few exams is not "no drift"."""

    GATHERING = "GATHERING"
    """Not enough exams for a baseline, or after it."""
    NONE_SEEN = "NONE_SEEN"
    """Nothing is beyond its bound; small drift may be there all the same."""
    DRIFT = "DRIFT"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftExam:
    """One exam. No name, no identifier of the patient."""

    exam_id: int
    """Ours, in the order of answers."""
    scanner: str
    """Model and serial number, or station; what the header says."""
    detector: str
    """DetectorID; "" where the header has none."""
    numbers: dict[str, float]
    """Feature to value; a feature that the header lacks is not in it."""
    words: dict[str, str]
    answered_at_utc: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureDrift:
    """One feature by one measure."""

    feature: str
    measure: str
    """psi or ks."""
    distance: float
    bound: float
    """Beyond it a stationary scanner comes once in some hundred comparisons, all features together."""
    baseline_exams: int
    recent_exams: int
    baseline_mean: float | None
    recent_mean: float | None
    """Of numbers; None for words."""

    @property
    def is_beyond(self) -> bool:
        """Further than chance explains."""
        return self.distance > self.bound


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """One scanner, its newest exams against its baseline."""

    scanner: str
    state: DriftState
    baseline_exams: int
    recent_exams: int
    needed_exams: int
    """How many more must come before it can be said; 0: it is said."""
    features: tuple[FeatureDrift, ...]
    """All of them, the furthest first."""
    advice: tuple[str, ...]
    """What to do, in sentences."""
    made_at_utc: str
