# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Where in a graph do two answers part? The first inner tensor that leaves its tolerance, and its node.

One tensor at a time is made an output, because every further output keeps an engine from fusing layers
and may so hide the very fault that is looked for. What is off stays off further down: so the search halves.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray

from appliance.engines.catalogue import load_engine
from appliance.errors import EngineError
from calibration.activations import expose, inner_tensors
from export.engine_run import Arrays, run_apart
from export.parity import REFERENCE, difference

FLOAT32_RELATIVE: Final = 1e-3
"""Relative L2 of one tensor between float32 engines, which differ by a hundredth of it (measured 1e-5)."""
VARIANT_RELATIVE: Final = 0.2
"""The same for INT8 against float32. Whole networks show 0.011 to 0.015 (measured); single layers show more
before their errors average out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Culprit:
    """The first tensor that is off, and who made it."""

    tensor: str
    node: str
    operator: str
    relative: float
    """L2 norm of the difference over that of the reference."""
    allowed: float
    looked_at: int
    """How many tensors were compared."""
    of: int
    """How many there are in both graphs."""

    @property
    def words(self) -> str:
        """For the report."""
        return (
            f"The answers part at {self.tensor!r}, made by the {self.operator} node {self.node!r}:"
            f" off by {self.relative:.3g} of its size, {self.allowed:.3g} is allowed"
            f" ({self.looked_at} of {self.of} tensors were compared)."
        )


def first_difference(
    reference: Path,
    candidate: Path,
    inputs: Arrays,
    *,
    engine: str = REFERENCE,
    allowed: float = FLOAT32_RELATIVE,
    threads: int = 1,
) -> Culprit | None:
    """Bisect over the float32 tensors that both graphs name, in topological order of the reference.

    `reference` runs on ONNX Runtime, `candidate` (another precision, or the same file) on `engine`. None:
    the last common tensor is within `allowed`. Raises EngineError when either cannot run with a tensor
    exposed, or no tensor is common to both.
    """
    first, second = (onnx.load(path, load_external_data=False) for path in (reference, candidate))
    there = inner_tensors(second)
    names = [name for name in inner_tensors(first) if name in there]
    if not names:
        raise EngineError(
            "The two graphs have no inner tensor in common.",
            remedy="Compare a graph with a variant that was made from it, so that names are kept.",
        )
    with tempfile.TemporaryDirectory(prefix="scanside-bisection-") as scratch:
        probed: dict[int, float] = {}

        def off(index: int) -> bool:
            probe = Path(scratch) / "probe.onnx"
            onnx.save(expose(first, [names[index]]), probe)
            with load_engine(REFERENCE, probe, threads=threads) as loaded:
                wanted = loaded.infer(inputs)[names[index]]
            onnx.save(expose(second, [names[index]]), probe)
            found = _tensor(engine, probe, names[index], inputs, threads)
            probed[index] = difference(
                found, wanted, engine=engine, precision="", output=names[index], allowed=None
            ).relative
            return not probed[index] <= allowed  # NaN is off too

        culprit = _first(off, len(names))
    if culprit is None:
        return None
    node = next(node for node in first.graph.node if names[culprit] in node.output)
    return Culprit(
        tensor=names[culprit],
        node=node.name or names[culprit],
        operator=node.op_type,
        relative=probed[culprit],
        allowed=allowed,
        looked_at=len(probed),
        of=len(names),
    )


def _first(off: Callable[[int], bool], count: int) -> int | None:
    """The smallest index at which `off` holds, if it holds from there on; None when not even at the last."""
    if not off(count - 1):
        return None
    good, bad = -1, count - 1
    while bad - good > 1:
        middle = (good + bad) // 2
        if off(middle):
            bad = middle
        else:
            good = middle
    return bad


def _tensor(engine: str, model: Path, name: str, inputs: Arrays, threads: int) -> NDArray[Any]:
    run = run_apart(engine, model, inputs, threads=threads)
    if run.outputs is None:
        raise EngineError(
            f"{engine} does not run the graph with {name!r} as an output: {run.reason}.",
            remedy="Look at the parity table; the fault may be in loading the graph itself.",
        )
    return np.asarray(run.outputs[name])
