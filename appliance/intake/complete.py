# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""When is a file in the inbox finished? A candidate is looked at until it is, or until it never will be.

Two looks `look_interval_s` apart must see the same size, time and inode; then it is READY to be copied and
read. If what was read turns out unfinished, it waits: until it changes (two new looks), or until it has
stayed as it is for `truncated_after_s`, when it is OVERDUE and taken for what it is. Only the monotonic
clock counts; modification times are compared for equality, never with a clock.
"""

from __future__ import annotations

import heapq
import os
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Final, NamedTuple

from appliance.clock import NS_PER_S
from appliance.domain.acquisition import Urgency

LONGEST_WAIT_S: Final = 2.0
"""How long an unfinished file is left alone at most before it is looked at again."""
COST_FACTOR: Final = 2
"""A file that came back unfinished must be quiet for this many times what reading it took: a large file
that grows in steps is then read for at most a third of the time."""


class Signature(NamedTuple):
    """What changes when a file changes."""

    size_bytes: int
    mtime_ns: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> Signature:
        """The signature in a stat result."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ino)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A name in the inbox behind which a finished file may be. Times are monotonic."""

    path: Path
    urgency: Urgency
    noticed_ns: int
    """When its present content was first seen."""
    signature: Signature | None = None
    unchanged_since_ns: int = 0
    next_look_ns: int = 0
    quiet_needed_ns: int = 0
    unfinished: str | None = None
    """What was missing when it was last read; None when nothing is known to be."""
    tried: bool = False
    """It was read as it is now, and could not be taken yet."""


class Look(Enum):
    """What a look at a candidate says."""

    GONE = "gone"
    WAIT = "wait"
    READY = "ready"
    OVERDUE = "overdue"
    """It has been unfinished and unchanged for the longest time that is allowed."""


class Waiting:
    """The candidates, most urgent first, then in the order in which they want to be looked at.

    Not thread-safe: the intake loop owns it.
    """

    def __init__(self, *, look_interval_s: float, truncated_after_s: float) -> None:
        self._look_ns = round(look_interval_s * NS_PER_S)
        self._overdue_ns = round(truncated_after_s * NS_PER_S)
        self._candidates: dict[str, Candidate] = {}
        self._order: dict[Urgency, list[tuple[int, int, str]]] = {urgency: [] for urgency in sorted(Urgency)}
        self._count = 0

    def __len__(self) -> int:
        return len(self._candidates)

    def __contains__(self, name: str) -> bool:
        """Whether the file of this path is being looked at."""
        return name in self._candidates

    def notice(
        self, path: Path, *, urgency: Urgency, now_ns: int, signature: Signature | None = None
    ) -> None:
        """A hint that something is behind this name. `signature`: what a listing has just seen there."""
        known = self._candidates.get(str(path))
        if known is None:
            self._put(
                Candidate(
                    path=path,
                    urgency=urgency,
                    noticed_ns=now_ns,
                    signature=signature,
                    unchanged_since_ns=now_ns,
                    next_look_ns=now_ns if signature is None else now_ns + self._look_ns,
                    quiet_needed_ns=self._look_ns,
                )
            )
        elif signature is None and known.next_look_ns > now_ns + self._look_ns:
            self._put(replace(known, next_look_ns=now_ns))

    def next_look_ns(self) -> int | None:
        """When the next candidate wants to be looked at; None when there is none."""
        return min((order[0][0] for order in self._order.values() if self._trim(order)), default=None)

    def due(self, now_ns: int) -> Candidate | None:
        """The most urgent candidate whose time has come. Give it to `look` next."""
        for order in self._order.values():
            if self._trim(order) and order[0][0] <= now_ns:
                return self._candidates[order[0][2]]
        return None

    def look(self, candidate: Candidate, now_ns: int) -> Look:
        """Look at a candidate that is due. READY and OVERDUE ones must be settled by the caller."""
        try:
            signature = Signature.of(candidate.path.lstat())
        except (FileNotFoundError, NotADirectoryError):
            self.forget(candidate.path)
            return Look.GONE
        if signature != candidate.signature:
            first = candidate.signature is None
            self._put(
                replace(
                    candidate,
                    signature=signature,
                    noticed_ns=candidate.noticed_ns if first else now_ns,
                    unchanged_since_ns=now_ns,
                    next_look_ns=now_ns + candidate.quiet_needed_ns,
                    unfinished=None,
                    tried=False,
                )
            )
            return Look.WAIT
        quiet_ns = now_ns - candidate.unchanged_since_ns
        if candidate.tried and quiet_ns >= self._overdue_ns:
            return Look.OVERDUE
        if candidate.unfinished is not None:
            self.leave(candidate, now_ns)
            return Look.WAIT
        if quiet_ns >= candidate.quiet_needed_ns:
            return Look.READY
        self._put(replace(candidate, next_look_ns=candidate.unchanged_since_ns + candidate.quiet_needed_ns))
        return Look.WAIT

    def unfinished(self, candidate: Candidate, words: str, *, started_ns: int, now_ns: int) -> None:
        """It was read and something is missing. `started_ns`: when reading began."""
        needed_ns = max(self._look_ns, COST_FACTOR * (now_ns - started_ns))
        self.leave(replace(candidate, unfinished=words, tried=True, quiet_needed_ns=needed_ns), now_ns)

    def still_open(self, candidate: Candidate, now_ns: int) -> None:
        """Somebody has it open for writing: asked again soon, since closing it changes nothing to see."""
        self.leave(replace(candidate, tried=True), now_ns)

    def later(self, candidate: Candidate, now_ns: int, *, wait_s: float) -> None:
        """It could not be read or kept just now, for a reason that is not its own."""
        self._put(replace(candidate, tried=True, next_look_ns=now_ns + round(wait_s * NS_PER_S)))

    def leave(self, candidate: Candidate, now_ns: int) -> None:
        """Look again later, the longer it has been quiet the later, but never after it is overdue."""
        quiet_ns = now_ns - candidate.unchanged_since_ns
        wait_ns = min(max(self._look_ns, quiet_ns), round(LONGEST_WAIT_S * NS_PER_S))
        overdue_at_ns = candidate.unchanged_since_ns + self._overdue_ns
        self._put(replace(candidate, next_look_ns=max(now_ns, min(now_ns + wait_ns, overdue_at_ns))))

    def put_back(self, candidate: Candidate) -> None:
        """It was taken out, and could not be kept: as it was before."""
        self._put(candidate)

    def forget(self, path: Path) -> None:
        """Settled, or gone."""
        self._candidates.pop(str(path), None)

    def any_unread(self) -> bool:
        """Whether a file waits whose content nobody knows yet: it may belong to anything."""
        return any(not candidate.tried for candidate in self._candidates.values())

    def _put(self, candidate: Candidate) -> None:
        name = str(candidate.path)
        self._candidates[name] = candidate
        self._count += 1
        heapq.heappush(self._order[candidate.urgency], (candidate.next_look_ns, self._count, name))

    def _trim(self, order: list[tuple[int, int, str]]) -> bool:
        """Drop entries that a later one has replaced. True when one is left."""
        while order:
            next_look_ns, _, name = order[0]
            candidate = self._candidates.get(name)
            if candidate is not None and candidate.next_look_ns == next_look_ns:
                return True
            heapq.heappop(order)
        return False
