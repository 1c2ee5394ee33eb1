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
from appliance.engines.base import Engine, Tensors
from appliance.engines.catalogue import load_engine
from appliance.engines.kserve import InferenceServer
from appliance.errors import EngineError
from appliance.models.bundle import Bundle, read_bundle
from appliance.models.parity import Parity, compare, first_of_batch
from appliance.models.proof import Proof, ProofRequest

RUNS: Final = 12
"""Runs that are timed; the first of them also warms up and is left out."""


def measure(
    bundle: Bundle, engine_name: str, *, threads: int, clock: Clock, server: InferenceServer | None = None
) -> Proof:
    """Load, run, compare, time. EngineErrors become a proof that was not passed."""
    words, times_ms = "", np.empty(0)
    parity: Parity | None = None
    reason: str | None = None
    try:
        with load_engine(engine_name, bundle.model, threads=threads, server=server) as engine:
            words = engine.describe().words
            parity = compare(engine.infer(bundle.golden_inputs), bundle.golden_outputs)
            reason = parity.reason
            alone, _ = first_of_batch(bundle)
            times_ms = np.array([_run_ms(engine, alone, clock) for _ in range(RUNS)])[1:]
    except EngineError as error:
        reason = error.what
    return Proof(
        task=bundle.card.task,
        model=bundle.card.identity,
        engine=engine_name,
        words=words,
        passed=reason is None,
        reason=reason,
        worst_difference=parity.difference if parity else None,
        tolerance=parity.allowed if parity else None,
        p50_ms=float(np.percentile(times_ms, 50)) if times_ms.size else None,
        p95_ms=float(np.percentile(times_ms, 95)) if times_ms.size else None,
    )


def _run_ms(engine: Engine, inputs: Tensors, clock: Clock) -> float:
    started_ns = clock.monotonic_ns()
    engine.infer(inputs)
    return (clock.monotonic_ns() - started_ns) / NS_PER_MS


def main(request_json: str) -> int:
    """Print the proof as the last line of standard output."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    request = from_json(ProofRequest, request_json)
    bundle = read_bundle(Path(request.bundle))
    proof = measure(
        bundle, request.engine, threads=request.threads, clock=SystemClock(), server=request.server
    )
    sys.stdout.write(f"\n{to_json(proof)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
