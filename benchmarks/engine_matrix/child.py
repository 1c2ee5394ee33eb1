# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks.engine_matrix.child REQUEST`: one network, loaded, that computes when it is asked.

Each line of its input is a number of seconds to compute for; each line of its output is a JSON answer. A
process of its own, because loading can end it, and because its memory is to be that of this network alone.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil
from numpy.typing import NDArray

from appliance.clock import NS_PER_MS, NS_PER_S, Clock, SystemClock
from appliance.domain.record import from_json
from appliance.engines.base import Engine, Tensors
from appliance.errors import EngineError
from appliance.models.bundle import read_known
from appliance.models.candidate import Candidate, in_words_of, load_candidate
from appliance.models.energy import joules_between, reader_of_this_device
from benchmarks.engine_matrix.spent import cpu_s
from benchmarks.gpu import gpu_joules

WARM_RUNS: Final = 3
LEAST_RUNS: Final = 3
MS_PER_S: Final = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to load."""

    bundle: str
    sums_sha256: str
    engine: str
    precision: str
    threads: int
    """Of each stream."""
    streams: int
    """Copies of the network that compute at the same time, one image each."""
    shapes: dict[str, tuple[int, ...]]
    cache: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The first answer."""

    words: str
    """Engine, precision and device, in the engine's own words; empty: it did not load."""
    reason: str | None
    """Why it did not."""
    load_s: float
    resident_bytes: int
    """Of the process with all streams, after its first runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What was computed in one turn."""

    runs_ms: tuple[float, ...]
    """Of one stream each; of all streams one behind the other."""
    wall_s: float
    cpu_s: float
    joules_package: float | None
    """Of the whole processor package, with all that ran on it; None: not told by this machine."""
    joules_gpu: float | None


def tiled(golden: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Real input values in another size: repeated, and cut. Invented ones may be quicker, or slower."""
    repeats = [-(-size // have) for size, have in zip(shape, golden.shape, strict=True)]
    return np.ascontiguousarray(np.tile(golden, repeats)[tuple(slice(size) for size in shape)])


class _Streams:
    """The engines, and a thread for each."""

    def __init__(self, engines: list[Engine], inputs: Tensors, clock: Clock) -> None:
        self._engines = engines
        self._inputs = inputs
        self._clock = clock

    def turn(self, seconds: float) -> Turn:
        """Compute for a while."""
        read = reader_of_this_device()
        package, gpu = (read() if read else None), gpu_joules()
        start_ns, start_cpu_s = self._clock.monotonic_ns(), cpu_s()
        until_ns = start_ns + round(seconds * NS_PER_S)
        with ThreadPoolExecutor(len(self._engines)) as pool:
            runs = [
                list(found) for found in pool.map(lambda one: self._runs_ms(one, until_ns), self._engines)
            ]
        wall_s = (self._clock.monotonic_ns() - start_ns) / NS_PER_S
        gpu_after = gpu_joules()
        return Turn(
            runs_ms=tuple(round(ms, 4) for found in runs for ms in found),
            wall_s=wall_s,
            cpu_s=cpu_s() - start_cpu_s,
            joules_package=joules_between(package, read()) if read else None,
            joules_gpu=None if gpu is None or gpu_after is None else gpu_after - gpu,
        )

    def _runs_ms(self, engine: Engine, until_ns: int) -> list[float]:
        found: list[float] = []
        while len(found) < LEAST_RUNS or self._clock.monotonic_ns() < until_ns:
            start_ns = self._clock.monotonic_ns()
            engine.infer(self._inputs)
            found.append((self._clock.monotonic_ns() - start_ns) / NS_PER_MS)
        return found


def main(request_json: str) -> None:
    """Load, then compute as often as there are lines of input."""
    request, clock = from_json(Request, request_json), SystemClock()
    bundle = read_known(Path(request.bundle), sums_sha256=request.sums_sha256)
    candidate = Candidate(engine=request.engine, precision=request.precision)
    inputs = {name: tiled(bundle.golden_inputs[name], shape) for name, shape in request.shapes.items()}
    start_ns = clock.monotonic_ns()
    with ExitStack() as owned:
        try:
            engines: list[Engine] = [
                owned.enter_context(
                    load_candidate(bundle, candidate, threads=request.threads, cache=Path(request.cache))
                )
                for _ in range(request.streams)
            ]
            load_s = (clock.monotonic_ns() - start_ns) / NS_PER_S
            for engine in engines * WARM_RUNS:
                engine.infer(inputs)
        except EngineError as error:
            _say(Loaded(words="", reason=error.what, load_s=0.0, resident_bytes=0))
            return
        words = in_words_of(candidate, engines[0].describe()).words
        resident_bytes = psutil.Process().memory_info().rss
        _say(Loaded(words=words, reason=None, load_s=round(load_s, 3), resident_bytes=resident_bytes))
        streams = _Streams(engines, inputs, clock)
        for line in sys.stdin:
            _say(streams.turn(float(line)))


def _say(answer: Loaded | Turn) -> None:
    sys.stdout.write(json.dumps(asdict(answer)) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
