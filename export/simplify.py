# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A plainer graph that computes the same: constants folded, batch normalisation inside its convolution.

onnxslim does the work; here it is decided what it may do, and whether it did it right: the answers of the
two graphs are compared before the plainer one is taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import onnx
import onnxslim
from numpy.typing import NDArray

from appliance.errors import InputError
from export.graphs import attributes, constants, named, with_nodes
from export.session import Tensors, relative_error, run_all

LARGEST_RELATIVE_ERROR: Final = 1e-4
"""Of the relative L2 error of any output: rounding of float32 in another order makes about a hundredth of
it (at most 1.5e-6, measured on the four shipped models); a wrong folding makes thousands of times more."""
SPATIAL_EXAMPLE_PX: Final = 64
"""Of dynamic rows and columns when no example is given."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Simplified:
    """The plainer graph, and what it differs by."""

    model: onnx.ModelProto
    nodes_before: int
    nodes_after: int
    relative_error: Mapping[str, float]
    """By output, on the examples."""


def examples_for(model: onnx.ModelProto, *, seed: int = 0) -> dict[str, NDArray[np.float32]]:
    """Random inputs, uniform in 0..1, of the graph's own shapes; two images where the batch is dynamic."""
    random = np.random.default_rng(seed)
    stored = {weights.name for weights in model.graph.initializer}
    made = {}
    for value in model.graph.input:
        if value.name in stored:
            continue
        axes = value.type.tensor_type.shape.dim
        shape = [
            axis.dim_value if axis.HasField("dim_value") else (2 if index == 0 else SPATIAL_EXAMPLE_PX)
            for index, axis in enumerate(axes)
        ]
        made[value.name] = random.random(shape, dtype=np.float32)
    return made


def simplify(model: onnx.ModelProto, *, examples: Sequence[Tensors] = ()) -> Simplified:
    """Unpack stored int8 weights, fold constants and batch normalisation, drop what no output needs.

    Raises InputError when the plainer graph answers differently.
    """
    before = named(_floats(model))
    shapes = {value.name: value for value in (*before.graph.input, *before.graph.output)}
    try:
        slim = onnxslim.slim(before, verbose=False)
    except Exception as error:
        raise InputError(
            f"onnxslim cannot simplify the graph: {error}.",
            remedy="Run the other steps with --no-simplify, or export the model again.",
        ) from error
    after = named(slim)
    for value in (*after.graph.input, *after.graph.output):
        value.CopyFrom(shapes[value.name])  # names of dynamic axes are the card's
    after = onnx.shape_inference.infer_shapes(after)
    given = list(examples) or [examples_for(model)]
    errors = relative_error(run_all(after, given), run_all(model, given))
    worst = max(errors, key=errors.__getitem__)
    if not errors[worst] <= LARGEST_RELATIVE_ERROR:
        raise InputError(
            f"The simplified graph answers differently: {worst!r} is off by {errors[worst]:.2g} of its size, "
            f"{LARGEST_RELATIVE_ERROR:g} is allowed.",
            remedy="Run the other steps with --no-simplify, and report the model to onnxslim.",
        )
    return Simplified(
        model=after,
        nodes_before=len(model.graph.node),
        nodes_after=len(after.graph.node),
        relative_error=errors,
    )


def _floats(model: onnx.ModelProto) -> onnx.ModelProto:
    """Weights that are stored as integers become float32: here they are only numbers, not arithmetic.

    Left alone they would be quantised a second time, and no engine fuses a float layer with them.
    """
    stored = constants(model)
    kept: list[onnx.NodeProto] = []
    floats: dict[str, NDArray[Any]] = {}
    for node in model.graph.node:
        if node.op_type == "DequantizeLinear" and all(name in stored for name in node.input):
            floats[node.output[0]] = _dequantised(node, stored)
        else:
            kept.append(node)
    return with_nodes(model, kept, floats)


def _dequantised(node: onnx.NodeProto, stored: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
    codes = stored[node.input[0]].astype(np.float32)
    scale = stored[node.input[1]].astype(np.float32)
    zero = stored[node.input[2]].astype(np.float32) if len(node.input) > 2 else np.zeros_like(scale)
    if scale.ndim == 1 and codes.ndim > 0:
        shape = [1] * codes.ndim
        shape[attributes(node).get("axis", 1)] = -1
        scale, zero = scale.reshape(shape), zero.reshape(shape)
    return np.asarray((codes - zero) * scale, np.float32)
