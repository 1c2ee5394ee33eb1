# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What somebody is told beside the results: there is something to look at. Whose it is, only on request."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal

from appliance.domain.finding import Decision
from appliance.outputs.told import BANDS


class NoticeKind(str, Enum):
    """What it is about."""

    FINDING = "finding"
    REPEAT = "repeat"
    DEVICE = "device"
    TEST = "test"
    """Somebody wants to see whether a notice arrives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to tell. Unknown is None."""

    format: Literal[1] = 1
    kind: NoticeKind
    site: str
    station: str | None
    """StationName of the machine that made the image."""
    task: str | None
    """What was asked: the task, or the criteria of quality control."""
    finding: str | None
    """What is suspected, each with its band."""
    band: str | None
    """The highest one: `raised` or `high`."""
    advice: str | None
    """What to do, in a sentence."""
    time: str | None
    """When the image was made as its header says, or when the device noticed. For people."""
    link: str | None
    """By which this device finds the exam; says nothing to anybody else."""
    patient_name: str | None = None
    patient_id: str | None = None

    @property
    def sort(self) -> tuple[str, ...]:
        """Notices of one sort may be held back after one another."""
        if self.kind is NoticeKind.DEVICE:
            return (self.kind.value, self.advice or "")
        return (self.kind.value, self.station or "", self.task or "")


HIGH: Final = BANDS[Decision.PRESENT]
"""The band that is never held back."""
RAISED: Final = BANDS[Decision.INDETERMINATE]
