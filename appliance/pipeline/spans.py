# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""How long each stage of a piece of work took, on the monotonic clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from appliance.clock import NS_PER_MS, Clock
from appliance.domain.result import StageTiming


class Spans:
    """Collects stages. A stage that runs again (slice after slice) adds up."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._spent_ns: dict[str, int] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time the block as `name`."""
        start = self._clock.monotonic_ns()
        try:
            yield
        finally:
            self.add(name, self._clock.monotonic_ns() - start)

    def add(self, name: str, duration_ns: int) -> None:
        """Count a duration that was measured elsewhere."""
        self._spent_ns[name] = self._spent_ns.get(name, 0) + duration_ns

    def timings(self) -> tuple[StageTiming, ...]:
        """What was collected, in order of first use."""
        return tuple(
            StageTiming(stage=stage, duration_ms=round(spent / NS_PER_MS, 3))
            for stage, spent in self._spent_ns.items()
        )
