# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""How long each precision takes on each engine of this machine, measured by turns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import numpy as np

from appliance.clock import NS_PER_MS, Clock
from appliance.engines.base import Engine, Tensors
from appliance.engines.catalogue import load_engine
from appliance.errors import EngineError
from export.report_parts import Latency

ROUNDS: Final = 15
"""Runs of each, one after the other and then again: what else the machine does meets all alike."""
ENGINES: Final = ("openvino", "ort")


def measure(
    graphs: Mapping[str, Path],
    inputs: Tensors,
    *,
    clock: Clock,
    threads: Sequence[int] = (2,),
    engines: Sequence[str] = ENGINES,
    rounds: int = ROUNDS,
) -> tuple[Latency, ...]:
    """Every graph on every engine that is here; an engine that is not, or refuses a graph, is left out."""
    found = []
    for count in threads:
        with ExitStack() as stack:
            loaded: dict[tuple[str, str], Engine] = {}
            for precision, graph in graphs.items():
                for name in engines:
                    try:
                        engine = stack.enter_context(load_engine(name, graph, threads=count))
                        engine.infer(inputs)
                    except EngineError:
                        continue  # parity says why; here is only measured what runs
                    loaded[precision, name] = engine
            taken: dict[tuple[str, str], list[float]] = {key: [] for key in loaded}
            for _ in range(rounds):
                for key, engine in loaded.items():
                    start_ns = clock.monotonic_ns()
                    engine.infer(inputs)
                    taken[key].append((clock.monotonic_ns() - start_ns) / NS_PER_MS)
            found += [
                Latency(
                    engine=engine.describe().words,
                    precision=key[0],
                    threads=count,
                    p50_ms=round(float(np.percentile(taken[key], 50)), 3),
                    p95_ms=round(float(np.percentile(taken[key], 95)), 3),
                )
                for key, engine in loaded.items()
            ]
    return tuple(found)
