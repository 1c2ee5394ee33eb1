# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The child in which an engine first meets a model. JSON in, a JSON passport out."""

from __future__ import annotations

import resource
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np

from appliance.clock import NS_PER_MS, NS_PER_S, Clock, SystemClock
from appliance.domain.record import from_json, to_json
from appliance.engines.base import Engine, Tensors
from appliance.engines.catalogue import engine_device_key
from appliance.engines.kserve import InferenceServer
from appliance.errors import EngineError
from appliance.models.bundle import FP32, Bundle, read_known
from appliance.models.candidate import Candidate, in_words_of, load_candidate
from appliance.models.energy import joules_between, reader_of_this_device
from appliance.models.flips import count_flips
from appliance.models.parity import allowed_difference, compare, first_of_batch, tolerances_of
from appliance.models.passport import (
    Passport,
    PassportRequest,
    failed_passport,
    library_versions,
)

WARM_RUNS: Final = 3
"""Not timed: the first run allocates, and the clock of a sleeping core takes a moment to rise."""
LEAST_RUNS: Final = 20
"""Below this a 95th percentile is the maximum and nothing else."""
MOST_RUNS: Final = 200
"""Two of these are beyond the 99th percentile; more would keep the start waiting."""
TIMED_S: Final = 1.0
"""No further run is timed after this long, once there are LEAST_RUNS."""


@dataclass(slots=True, kw_only=True)
class _Times:
    """Durations of single runs, and what all of them together used."""

    runs_ms: list[float] = field(default_factory=list)
    joules: float | None = None

    def percentile_ms(self, percent: float) -> float:
        return float(np.percentile(np.array(self.runs_ms), percent))


def measure(
    bundle: Bundle,
    candidate: Candidate,
    *,
    threads: int,
    clock: Clock,
    cache: Path | None = None,
    server: InferenceServer | None = None,
) -> Passport:
    """Load, run, compare, decide, time. EngineErrors become a passport that was not passed."""
    found = failed_passport(bundle, candidate, "", threads=threads, clock=clock)
    try:
        found = replace(
            found,
            device_key=engine_device_key(candidate.engine),
            libraries=library_versions(candidate.engine),
        )
        with load_candidate(bundle, candidate, threads=threads, cache=cache, server=server) as engine:
            described = in_words_of(candidate, engine.describe())
            found = replace(found, words=described.words, device=described.device)
            found = _compared(found, bundle, engine.infer(bundle.golden_inputs))
            times = _timed(engine, first_of_batch(bundle)[0], clock)
    except EngineError as error:
        return replace(found, reason=error.what)
    return replace(
        found,
        passed=found.reason is None,
        runs=len(times.runs_ms),
        p50_ms=times.percentile_ms(50),
        p95_ms=times.percentile_ms(95),
        p99_ms=times.percentile_ms(99),
        joules=None if times.joules is None else times.joules / len(times.runs_ms),
    )


def _compared(found: Passport, bundle: Bundle, outputs: Tensors) -> Passport:
    """With numbers and decisions, and the first reason against them."""
    parity = compare(outputs, bundle.golden_outputs, tolerances_of(bundle, found.precision))
    flips = count_flips(outputs, bundle)
    unchecked = flips is None and bundle.card.labels and found.precision != FP32
    reasons = (
        _proves_nothing(bundle, found.precision),
        parity.reason,
        None if flips is None else flips.reason,
        "its decisions cannot be checked: no output of the card holds its labels" if unchecked else None,
    )
    return replace(
        found,
        reason=next((reason for reason in reasons if reason is not None), None),
        worst_output=parity.output,
        worst_difference=parity.difference,
        tolerance=parity.allowed,
        decisions=None if flips is None else flips.decisions,
        flipped=None if flips is None else flips.flipped,
        open_decisions=None if flips is None else flips.open,
    )


def _proves_nothing(bundle: Bundle, precision: str) -> str | None:
    """A tolerance that zeros would meet tells a working engine from a dead one no more."""
    for name, tolerance in tolerances_of(bundle, precision).items():
        largest = float(np.abs(bundle.golden_outputs[name]).max())
        if precision != FP32 and allowed_difference(bundle.golden_outputs[name]) < largest <= tolerance:
            return (
                f"the card grants its {name!r} a difference of {tolerance:.3g}, and the largest golden value "
                f"is {largest:.3g}: an engine that answers zeros would pass"
            )
    return None


def _timed(engine: Engine, inputs: Tensors, clock: Clock) -> _Times:
    """One image at a time, as the appliance asks."""
    for _ in range(WARM_RUNS):
        engine.infer(inputs)
    times = _Times()
    read = reader_of_this_device()
    first = read() if read else None
    began_ns = clock.monotonic_ns()
    while len(times.runs_ms) < MOST_RUNS:
        started_ns = clock.monotonic_ns()
        if len(times.runs_ms) >= LEAST_RUNS and started_ns - began_ns > TIMED_S * NS_PER_S:
            break
        engine.infer(inputs)
        times.runs_ms.append((clock.monotonic_ns() - started_ns) / NS_PER_MS)
    times.joules = joules_between(first, read()) if read else None
    return times


def main(request_json: str) -> int:
    """Print the passport as the last line of standard output."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    request = from_json(PassportRequest, request_json)
    bundle = read_known(Path(request.bundle), sums_sha256=request.sums_sha256)
    candidate = Candidate(engine=request.engine, precision=request.precision)
    passport = measure(
        bundle,
        candidate,
        threads=request.threads,
        clock=SystemClock(),
        cache=None if request.cache is None else Path(request.cache),
        server=request.server,
    )
    sys.stdout.write(f"\n{to_json(passport)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
