# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""One lane's work on one version of one acquisition, and the states it may pass through."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final


class Lane(str, Enum):
    """The three lanes, in the order in which a person needs them. Each commits by itself."""

    QUALITY = "quality"
    TRIAGE = "triage"
    DENOISE = "denoise"


class JobState(str, Enum):
    """Where a job stands. The last four are final."""

    QUEUED = "queued"
    LEASED = "leased"
    """A worker has it until its lease ends; a dead worker's jobs go back by themselves."""
    DONE = "done"
    FAILED = "failed"
    """It took its worker down, or failed, as often as is allowed. A person has to look."""
    QUARANTINED = "quarantined"
    """The input's fault: retrying cannot help."""
    SUPERSEDED = "superseded"
    """A newer version of the acquisition has a job of its own."""


TRANSITIONS: Final = MappingProxyType(
    {
        JobState.QUEUED: frozenset({JobState.LEASED, JobState.SUPERSEDED}),
        JobState.LEASED: frozenset(
            {
                JobState.QUEUED,
                JobState.DONE,
                JobState.FAILED,
                JobState.QUARANTINED,
                JobState.SUPERSEDED,
            }
        ),
        JobState.DONE: frozenset(),
        JobState.FAILED: frozenset({JobState.QUEUED}),
        JobState.QUARANTINED: frozenset(),
        JobState.SUPERSEDED: frozenset(),
    }
)
"""What may follow what. Everything not listed is refused by the store, and tested to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A leased job, as its worker sees it."""

    job_id: int
    acquisition_id: str
    version: int
    lane: Lane
    attempts: int
    """How often it has been leased, this time included."""
    lease_token: str
    """Proof that the lease is still ours: a result is taken only from its holder."""
