# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Do all engines give the same answer as the float32 graph on ONNX Runtime, output by output?

Float32 engines are held to the appliance's own tolerance. An INT8 or FP16 variant is held to tolerances
measured when it is made (`variant_tolerances`); before they are known it is measured, but not passed.
Every run is in a child process: an engine that crashes is a row in the report, not the end of the export.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from appliance.errors import EngineError
from appliance.models.bundle import FP32
from appliance.models.parity import PARITY_ABSOLUTE, PARITY_RELATIVE
from export.engine_run import Arrays, EngineRun, local_engines, run_apart

REFERENCE: Final = "ort"
"""The engine whose float32 answer is the golden one: every machine has it."""
TORCH: Final = "torch"
MARGIN: Final = 1.5
"""On the largest difference that was seen: other images, processors and releases of an engine differ more."""
_TOLERANCE_DIGITS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How far one output of one engine is from the reference."""

    engine: str
    """As it describes itself."""
    precision: str
    output: str
    largest: float
    """Largest absolute difference, in the output's own unit."""
    relative: float
    """L2 norm of the difference over that of the reference; 0 where both are all zeros."""
    cosine: float | None
    """Of the angle between the two; None where one of them is all zeros."""
    allowed: float | None
    """The largest absolute difference that may be; None: no tolerance is known yet."""

    @property
    def passed(self) -> bool | None:
        """None: it was measured but not judged."""
        return None if self.allowed is None else self.largest <= self.allowed


@dataclass(frozen=True, slots=True, kw_only=True)
class ParityReport:
    """All engines, all precisions, all outputs."""

    reference: str
    differences: tuple[Difference, ...]
    not_run: Mapping[str, str]
    """ "engine precision" to the reason why there is no answer: not installed, refused, crashed."""

    @property
    def passed(self) -> bool:
        """Whether everything that ran was judged and is within its tolerance. Nothing run: not passed."""
        return bool(self.differences) and all(row.passed is True for row in self.differences)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is not passed, in words."""
        if not self.differences:
            return ("No engine could be compared.",)
        return tuple(
            f"{row.engine} {row.precision}: {row.output!r} is off by {row.largest:.3g}"
            + ("; no tolerance is known" if row.allowed is None else f"; {row.allowed:.3g} is allowed")
            for row in self.differences
            if row.passed is not True
        )


def difference(
    value: NDArray[Any],
    reference: NDArray[Any],
    *,
    engine: str,
    precision: str,
    output: str,
    allowed: float | None,
) -> Difference:
    """Measure one output. A shape that differs or a value that is no number is infinitely far away."""
    if value.shape != reference.shape or not np.isfinite(value).all():
        largest, relative, cosine = math.inf, math.inf, None
    else:
        first, second = value.astype(np.float64).ravel(), reference.astype(np.float64).ravel()
        size_1, size_2 = float(np.linalg.norm(first)), float(np.linalg.norm(second))
        apart = float(np.linalg.norm(first - second))
        largest = float(np.abs(first - second).max())
        relative = 0.0 if apart == 0.0 else apart / size_2 if size_2 else math.inf
        cosine = float(first @ second / (size_1 * size_2)) if size_1 and size_2 else None
    return Difference(
        engine=engine,
        precision=precision,
        output=output,
        largest=largest,
        relative=relative,
        cosine=cosine,
        allowed=allowed,
    )


def allowed_in_float32(reference: NDArray[Any]) -> float:
    """What the appliance itself allows a float32 engine (appliance/models/parity.py)."""
    return PARITY_ABSOLUTE + PARITY_RELATIVE * float(np.abs(reference).max())


def compare_engines(
    graphs: Mapping[str, Path],
    inputs: Arrays,
    *,
    tolerances: Mapping[str, Mapping[str, float]] | None = None,
    torch_outputs: Arrays | None = None,
    engines: Sequence[str] | None = None,
    threads: int = 1,
) -> ParityReport:
    """Run every graph ("fp32" must be there; "int8", "fp16") on every engine of this machine.

    `inputs` are golden inputs, one array per input of the graphs. `tolerances`: precision to output to the
    largest allowed difference. `torch_outputs`: what the network gave before the export, compared as one
    more float32 engine. Raises EngineError when the reference itself cannot run.
    """
    golden_run = run_apart(REFERENCE, graphs[FP32], inputs, threads=threads)
    if golden_run.outputs is None:
        raise EngineError(
            f"The float32 graph does not run on {REFERENCE}: {golden_run.reason}.",
            remedy="Export it again; without its answer there is nothing to compare with.",
        )
    golden = golden_run.outputs
    rows: list[Difference] = []
    not_run: dict[str, str] = {}
    runs: list[tuple[str, EngineRun]] = []
    if torch_outputs is not None:
        runs.append((FP32, EngineRun(engine=TORCH, words=TORCH, outputs=torch_outputs, reason=None)))
    runs += [
        (precision, run_apart(engine, graph, inputs, threads=threads))
        for precision, graph in graphs.items()
        for engine in (local_engines() if engines is None else engines)
        if (engine, precision) != (REFERENCE, FP32)
    ]
    for precision, run in runs:
        if run.outputs is None or run.outputs.keys() != golden.keys():
            not_run[f"{run.engine} {precision}"] = (
                run.reason or f"its outputs are {sorted(run.outputs or ())}"
            )
            continue
        given = (tolerances or {}).get(precision, {})
        for output, reference in golden.items():
            allowed = allowed_in_float32(reference) if precision == FP32 else given.get(output)
            rows.append(
                difference(
                    run.outputs[output],
                    reference,
                    engine=run.words,
                    precision=precision,
                    output=output,
                    allowed=allowed,
                )
            )
    return ParityReport(
        reference=f"{golden_run.words}, {FP32}", differences=tuple(rows), not_run=MappingProxyType(not_run)
    )


def variant_tolerances(
    parity: ParityReport, precision: str, *, seen: Mapping[str, float] | None = None
) -> dict[str, float]:
    """Output to the tolerance that the card's variant gets: 1.5 times the largest difference, rounded up.

    The largest of all engines on the golden inputs and of `seen`, the largest on the gate's images, and
    never below what a float32 engine may show. Raises EngineError when the variant ran nowhere, or gave
    something that is no number.
    """
    largest: dict[str, float] = dict(seen or {})
    for row in parity.differences:
        if row.precision == precision:
            largest[row.output] = max(row.largest, largest.get(row.output, 0.0))
    judged = {row.output for row in parity.differences if row.precision == precision}
    if not judged or judged != largest.keys() or not all(map(math.isfinite, largest.values())):
        raise EngineError(
            f"The {precision} variant has no measured difference for each output: {largest}.",
            remedy="Look at the parity table: no engine ran it, or it gives values that are not numbers.",
        )
    return {output: _rounded_up(max(MARGIN * value, PARITY_ABSOLUTE)) for output, value in largest.items()}


def _rounded_up(value: float) -> float:
    step = 10.0 ** (math.floor(math.log10(value)) - _TOLERANCE_DIGITS + 1)
    return float(f"{math.ceil(value / step - 1e-9) * step:.{_TOLERANCE_DIGITS}g}")
