# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""When an engine that was given up is tried again.

An engine of this device that failed stays given up until the next start: a library does not mend itself. A
server elsewhere does come back, and then it serves again. How long one waits doubles with every failure in a
row, so that a server that is there and fails costs less and less; one that has served for a while and fails
is asked again soon.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from appliance.clock import NS_PER_S, Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wait:
    wait_s: float
    since_ns: int
    serving: bool = False


class Retry:
    """The engines that come back, for each task. One thread."""

    def __init__(self, clock: Clock, *, engines: Collection[str], first_s: float, longest_s: float) -> None:
        """`first_s` after the first failure, doubled with each further one up to `longest_s`."""
        self._clock = clock
        self._engines = frozenset(engines)
        self._first_s = first_s
        self._longest_s = longest_s
        self._waits: dict[tuple[str, str], _Wait] = {}

    def failed(self, task: str, engine: str) -> None:
        """The engine did not load for the task, or failed at work."""
        if engine not in self._engines:
            return
        now_ns = self._clock.monotonic_ns()
        before = self._waits.get((task, engine))
        steady = before is None or (before.serving and now_ns - before.since_ns >= before.wait_s * NS_PER_S)
        wait_s = self._first_s if before is None or steady else min(2 * before.wait_s, self._longest_s)
        self._waits[task, engine] = _Wait(wait_s=wait_s, since_ns=now_ns)

    def served(self, task: str, engine: str) -> None:
        """The engine serves the task, from now on."""
        before = self._waits.get((task, engine))
        if before is not None:
            self._waits[task, engine] = _Wait(
                wait_s=before.wait_s, since_ns=self._clock.monotonic_ns(), serving=True
            )

    def due(self, task: str) -> tuple[str, ...]:
        """Engines that failed for the task long enough ago to be tried again now."""
        now_ns = self._clock.monotonic_ns()
        return tuple(
            sorted(
                engine
                for (of_task, engine), wait in self._waits.items()
                if of_task == task and not wait.serving and now_ns - wait.since_ns >= wait.wait_s * NS_PER_S
            )
        )
