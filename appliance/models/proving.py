# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The child in which an engine first meets a model. JSON in, a JSON proof out."""

from __future__ import annotations

import resource
import sys
from pathlib import Path
from typing import Final

import numpy as np

from appliance.clock import NS_PER_MS, Clock, SystemClock
from appliance.domain.record import from_json, to_json
from appliance.engines.catalogue import load_engine
from appliance.engines.checked import fit_output
from appliance.errors import EngineError
from appliance.models.bundle import Bundle, read_bundle
from appliance.models.proof import Proof, ProofRequest

RUNS: Final = 12
"""Runs that are timed; the first of them also warms up and is left out."""
PARITY_RELATIVE: Final = 1e-4
"""Of the largest golden value of an output: float32 engines differ by about a tenth of it (measured 1e-5)."""
PARITY_ABSOLUTE: Final = 1e-3
"""For outputs near zero: a thousandth of a logit, or of a Hounsfield unit, changes no decision."""


def measure(bundle: Bundle, engine_name: str, *, threads: int, clock: Clock) -> Proof:
    """Load, run, compare, time. EngineErrors become a proof that was not passed."""
    words, worst, allowed, times_ms = "", None, None, np.empty(0)
    reason: str | None = None
    try:
        with load_engine(engine_name, bundle.model, threads=threads) as engine:
            words = engine.describe().words
            outputs = engine.infer(bundle.golden_inputs)
            for name, golden in bundle.golden_outputs.items():
                found = fit_output(outputs, name, golden.shape)
                difference = float(np.abs(found - golden).max())
                tolerance = PARITY_ABSOLUTE + PARITY_RELATIVE * float(np.abs(golden).max())
                if worst is None or allowed is None or difference / tolerance > worst / allowed:
                    worst, allowed = difference, tolerance
                if difference > tolerance:
                    reason = f"its {name!r} is off by {difference:.3g}; {tolerance:.3g} is allowed"
            times_ms = np.array([_run_ms(engine.infer, bundle, clock) for _ in range(RUNS)])[1:]
    except EngineError as error:
        reason = error.what
    return Proof(
        task=bundle.card.task,
        model=bundle.card.identity,
        engine=engine_name,
        words=words,
        passed=reason is None,
        reason=reason,
        worst_difference=worst,
        tolerance=allowed,
        p50_ms=float(np.percentile(times_ms, 50)) if times_ms.size else None,
        p95_ms=float(np.percentile(times_ms, 95)) if times_ms.size else None,
    )


def _run_ms(infer: object, bundle: Bundle, clock: Clock) -> float:
    started_ns = clock.monotonic_ns()
    assert callable(infer)
    infer(bundle.golden_inputs)
    return (clock.monotonic_ns() - started_ns) / NS_PER_MS


def main(request_json: str) -> int:
    """Print the proof as the last line of standard output."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    request = from_json(ProofRequest, request_json)
    bundle = read_bundle(Path(request.bundle))
    proof = measure(bundle, request.engine, threads=request.threads, clock=SystemClock())
    sys.stdout.write(f"\n{to_json(proof)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
