# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""How long something takes by the clock, and how long by the processor.

On a machine that does other work, too, a run waits for its turn; the processor's time of the process does
not count that. Rates that are compared with each other (a network's with the machine's best) use it. Nobody
spins here while waiting: the appliance's engines are told not to, so it is the time of the work itself.
"""

from __future__ import annotations

import resource
from collections.abc import Callable
from dataclasses import dataclass

from appliance.clock import NS_PER_S, Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Of one call, in seconds."""

    wall_s: float
    cpu_s: float
    """Of all threads of this process together."""


def cpu_s() -> float:
    """Processor time of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def timed(run: Callable[[], object], clock: Clock) -> Spent:
    """One call."""
    start_ns, start_cpu_s = clock.monotonic_ns(), cpu_s()
    run()
    return Spent(wall_s=(clock.monotonic_ns() - start_ns) / NS_PER_S, cpu_s=cpu_s() - start_cpu_s)


def best_of(run: Callable[[], object], clock: Clock, *, seconds: float) -> Spent:
    """The least of each over some time; one run before that does not count."""
    run()
    began_ns = clock.monotonic_ns()
    calls = [timed(run, clock)]
    while clock.monotonic_ns() - began_ns < seconds * NS_PER_S:
        calls.append(timed(run, clock))
    return Spent(wall_s=min(call.wall_s for call in calls), cpu_s=min(call.cpu_s for call in calls))
