# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Exams as a simulation needs them: when they came, what the AI said, and what was really there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Seconds = NDArray[np.float64]
Flags = NDArray[np.bool_]

S_PER_MIN: Final = 60.0
S_PER_HOUR: Final = 3600.0
S_PER_DAY: Final = 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """Exams in order of arrival. All arrays are read-only and of one length."""

    arrived_s: Seconds
    """Since a Monday's midnight, never falling."""
    is_stat: Flags
    """The request was marked urgent: first in every order."""
    is_alarm: Flags
    """The AI says that somebody must be told at once: first in every order but first-come."""
    harm_rate: Seconds
    """As `appliance.domain.fair_order.harm_rate_of` says; NaN: the AI has no answer."""
    present: Flags
    """Exam by finding: what was really there."""
    findings: tuple[str, ...]
    """Names of the columns of `present`."""
    looked_for: tuple[bool, ...]
    """Does the AI look for it?"""

    def __post_init__(self) -> None:
        """Freeze the arrays; wrong shapes are a fault of who built them."""
        exams = len(self.arrived_s)
        for array in (self.arrived_s, self.is_stat, self.is_alarm, self.harm_rate, self.present):
            if len(array) != exams:
                raise ValueError(f"{len(array)} values for {exams} exams")
            array.setflags(write=False)
        if self.present.shape != (exams, len(self.findings)) or len(self.looked_for) != len(self.findings):
            raise ValueError(f"{len(self.findings)} findings do not fit {self.present.shape}")
        if np.any(np.diff(self.arrived_s) < 0):
            raise ValueError("exams stand in order of arrival")

    def __len__(self) -> int:
        """How many exams."""
        return len(self.arrived_s)

    @property
    def is_flagged(self) -> Flags:
        """Did the AI flag anything? Not known is not flagged."""
        return np.asarray(self.harm_rate > 0, dtype=np.bool_)
