# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What a watched folder hands over: files with their copies, and those that are not read at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from appliance.intake.complete import Candidate
from appliance.processes.lander import Arrival, Lander, Outcome
from appliance.store.settled import SettledFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A file whose copy lies in the spool; or one that is not read at all, and why."""

    candidate: Candidate
    arrival: Arrival
    started_ns: int
    """When looking at its batch began."""
    refusal: str | None = None

    def settled(self) -> SettledFile:
        """It is dealt with, as it is now."""
        signature = self.candidate.signature
        assert signature is not None  # two looks have seen it
        return SettledFile(
            path=self.candidate.path,
            size_bytes=signature.size_bytes,
            mtime_ns=signature.mtime_ns,
            inode=signature.inode,
        )


class TakeOver(Protocol):
    """Lands parts."""

    def __call__(self, arrivals: Sequence[Arrival]) -> list[Outcome]:
        """Raises StoreError or EngineError: then nothing was taken."""


def land(claims: Sequence[Claim], lander: Lander, take_over: TakeOver) -> list[Outcome]:
    """What became of each. Raises StoreError or EngineError: then no copy was taken."""
    refused = {
        claim.candidate.path: lander.refuse(claim.arrival, claim.refusal)
        for claim in claims
        if claim.refusal is not None
    }
    copies = [claim.arrival for claim in claims if claim.refusal is None]
    taken = iter(take_over(copies) if copies else ())
    return [refused[claim.candidate.path] if claim.refusal else next(taken) for claim in claims]
