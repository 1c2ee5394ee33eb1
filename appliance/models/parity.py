# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Does an engine give the golden answers? The tolerance, and the one comparison that everything uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from appliance.engines.base import Engine, Tensors
from appliance.engines.checked import fit_output
from appliance.errors import EngineError
from appliance.models.bundle import FP32, Bundle

PARITY_RELATIVE: Final = 1e-4
"""Of the largest golden value of an output: float32 engines differ by about a tenth of it (measured 1e-5)."""
PARITY_ABSOLUTE: Final = 1e-3
"""For outputs near zero: a thousandth of a logit, or of a Hounsfield unit, changes no decision."""

Golden = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """The output that is farthest from its golden one, measured against what is allowed there."""

    output: str
    difference: float
    """Largest absolute difference, in the output's own unit."""
    allowed: float

    @property
    def reason(self) -> str | None:
        """Why the answer is not the golden one; None when it is."""
        if self.difference <= self.allowed:
            return None
        return f"its {self.output!r} is off by {self.difference:.3g}; {self.allowed:.3g} is allowed"


def allowed_difference(golden: NDArray[Any]) -> float:
    """How far two float32 engines may be apart in an output."""
    return PARITY_ABSOLUTE + PARITY_RELATIVE * float(np.abs(golden).max())


def tolerances_of(bundle: Bundle, precision: str) -> Mapping[str, float]:
    """Output name to how far from the golden float32 output a graph of that precision may be.

    A variant's limits stand in the card: they were measured when it was made, and its gate passed with them.
    """
    if precision == FP32:
        return {name: allowed_difference(golden) for name, golden in bundle.golden_outputs.items()}
    (variant,) = (found for found in bundle.card.variants if found.precision == precision)
    return variant.tolerances


def compare(outputs: Tensors, golden: Golden, tolerances: Mapping[str, float] | None = None) -> Parity:
    """The worst output against its tolerance; without tolerances, that of float32.

    Raises EngineError when an output is missing, has another shape or holds what is no number.
    """
    worst: Parity | None = None
    for name, wanted in golden.items():
        difference = float(np.abs(fit_output(outputs, name, wanted.shape) - wanted).max())
        allowed = allowed_difference(wanted) if tolerances is None else tolerances[name]
        if worst is None or difference / allowed > worst.difference / worst.allowed:
            worst = Parity(output=name, difference=difference, allowed=allowed)
    assert worst is not None  # a bundle without golden outputs is refused
    return worst


def first_of_batch(bundle: Bundle) -> tuple[Golden, Golden]:
    """The golden inputs and outputs of one image: the shape in which the model is used."""
    specs = (*bundle.card.inputs, *bundle.card.outputs)
    batched = len({spec.shape[:1] for spec in specs}) == 1 and isinstance(specs[0].shape[0], str)
    if not batched:
        return bundle.golden_inputs, bundle.golden_outputs
    return (
        {name: value[:1] for name, value in bundle.golden_inputs.items()},
        {name: value[:1] for name, value in bundle.golden_outputs.items()},
    )


def ask_known(engine: Engine, bundle: Bundle, precision: str = FP32) -> None:
    """A question whose answer is known. Raises EngineError when the engine does not give it.

    The first run of an engine is also the slowest one; asked at loading, it is not a patient who waits.
    """
    inputs, golden = first_of_batch(bundle)
    reason = compare(engine.infer(inputs), golden, tolerances_of(bundle, precision)).reason
    if reason is not None:
        raise EngineError(
            f"The engine gives a wrong answer to a known question: {reason}.",
            remedy="It is taken out of service and the next engine takes over. Look at the machine's memory.",
        )
