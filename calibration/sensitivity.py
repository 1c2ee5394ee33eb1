# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Which layers int8 hurts, and the fewest of them to leave in float until the gate passes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import onnx

from appliance.errors import InputError
from calibration.ranges import Ranges
from export.graphs import label
from export.quantize import Quantised, layers, quantize
from export.session import Tensors, relative_error, run_all

MOST_FLOAT_SHARE: Final = 0.5
"""Of the layers: a model with more of them in float is a float model that takes a detour."""


class GateVerdict(Protocol):
    """What the search must know of a gate's answer."""

    @property
    def passed(self) -> bool:
        """Whether the candidate may ship."""

    @property
    def reasons(self) -> Sequence[str]:
        """Why not, in words; empty when it may."""


Gate = Callable[[onnx.ModelProto], GateVerdict]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerSensitivity:
    """What int8 in this one layer, and nowhere else, does to the answers."""

    layer: str
    relative_error: Mapping[str, float]
    """By output, relative L2 to float32."""

    @property
    def worst(self) -> float:
        """Of all outputs."""
        return max(self.relative_error.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One candidate of the search."""

    left_in_float: tuple[str, ...]
    passed: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MixedPrecision:
    """The candidate that passed, and the way to it."""

    quantised: Quantised
    left_in_float: tuple[str, ...]
    attempts: tuple[Attempt, ...]


def sensitivities(
    model: onnx.ModelProto,
    ranges: Ranges,
    inputs: Sequence[Tensors],
    *,
    on_layer: Callable[[int, int], None] | None = None,
) -> tuple[LayerSensitivity, ...]:
    """Every layer alone in int8, the most sensitive first. `on_layer(done, all)` hears of the progress."""
    wanted = run_all(model, inputs)
    able = [label(node) for node in layers(model) if node.input[0] in ranges]
    found = []
    for index, layer in enumerate(able):
        alone = quantize(model, ranges, keep_float=[name for name in able if name != layer])
        errors = relative_error(run_all(alone.model, inputs), wanted)
        found.append(LayerSensitivity(layer=layer, relative_error=errors))
        if on_layer is not None:
            on_layer(index + 1, len(able))
    return tuple(sorted(found, key=lambda item: -item.worst))


def steps(layer_count: int) -> Iterable[int]:
    """How many layers are left in float, one try after the other: 0, 1, 2, 3, 5, ... up to half of them."""
    most = int(layer_count * MOST_FLOAT_SHARE)
    count, following = 1, 2
    yield 0
    while count <= most:
        yield count
        count, following = following, count + following


def until_the_gate_passes(
    model: onnx.ModelProto,
    ranges: Ranges,
    order: Sequence[LayerSensitivity],
    gate: Gate,
    *,
    keep_float: Collection[str] = (),
    refine: Callable[[Quantised], Quantised] | None = None,
) -> MixedPrecision:
    """The int8 graph with the fewest of the most sensitive layers in float that the gate lets pass.

    `keep_float` layers are float from the start; `refine` is done to each candidate before it is judged.
    Raises InputError, with the last reasons, when half of
    the layers in float is not enough: then the model is not one for int8.
    """
    names = [item.layer for item in order if item.layer not in set(keep_float)]
    attempts: list[Attempt] = []
    for count in steps(len(names)):
        left = (*keep_float, *names[:count])
        candidate = quantize(model, ranges, keep_float=left)
        if refine is not None:
            candidate = refine(candidate)
        verdict = gate(candidate.model)
        attempts.append(Attempt(left_in_float=left, passed=verdict.passed, reasons=tuple(verdict.reasons)))
        if verdict.passed:
            return MixedPrecision(quantised=candidate, left_in_float=left, attempts=tuple(attempts))
    raise InputError(
        f"Int8 does not pass the gate, even with {len(attempts[-1].left_in_float)} of "
        f"{len(names) + len(keep_float)} layers in float: {'; '.join(attempts[-1].reasons)}.",
        remedy="Ship float32 and float16 only, calibrate with more images, or train for int8 (plain "
        "convolutions with ReLU).",
    )
