# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The float16 variant: half the file, and what tensor cores compute fastest.

Only the network itself becomes float16. What comes before its first layer and after its last one is
arithmetic in the units of the image: float16 has steps of 2 HU at 3,000 HU. Inputs, outputs and the
scales of Q/DQ stay float32: small scales vanish in float16. ONNX Runtime's converter casts the inputs
themselves, before anything else sees them, and cannot leave the arithmetic on them alone; hence this one.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from appliance.errors import InputError
from export.graphs import constants, label, named, producers, with_nodes
from export.quantize import LAYERS

KEPT_FLOAT32: Final = frozenset({"QuantizeLinear", "DequantizeLinear", "Resize", "Cast", "CastLike"})
"""Q/DQ have scales that vanish, Resize takes its scales in one fixed type, a Cast names its own type."""
LARGEST_HALF: Final = 65504.0
"""The largest finite float16 (IEEE 754)."""


class _Conversion:
    """One graph on its way: which tensors exist in which type, and the nodes so far."""

    def __init__(self, model: onnx.ModelProto, body: set[str]) -> None:
        inferred = onnx.shape_inference.infer_shapes(model)
        values = (*inferred.graph.value_info, *inferred.graph.input, *inferred.graph.output)
        self.floats = {v.name for v in values if v.type.tensor_type.elem_type == TensorProto.FLOAT}
        self.constants = constants(model)
        self.body = body
        self.stored: dict[str, NDArray[Any]] = {}
        self.nodes: list[onnx.NodeProto] = []
        self.in_half: dict[str, str] = {}
        """Float32 tensor to the name of its float16 twin."""

    def half_of(self, name: str) -> str:
        """The float16 twin of a tensor, made when it is first asked for."""
        if name in self.constants and self.constants[name].dtype == np.float32:
            value = self.constants[name]
            if value.size and np.abs(value).max() > LARGEST_HALF:
                raise InputError(
                    f"{name!r} holds {np.abs(value).max():.3g}, more than float16 can ({LARGEST_HALF:g}).",
                    remedy="Leave the float16 variant out, or scale the network's numbers down.",
                )
            self.stored[f"{name}/half"] = value.astype(np.float16)
            self.in_half[name] = f"{name}/half"
        elif name not in self.in_half and name in self.floats:
            self.in_half[name] = f"{name}/half"
            self.nodes.append(self._cast(name, f"{name}/half", TensorProto.FLOAT16))
        return self.in_half.get(name, name)

    @staticmethod
    def _cast(source: str, target: str, kind: int) -> onnx.NodeProto:
        return helper.make_node("Cast", [source], [target], name=f"{target}/cast", to=kind)

    def add(self, node: onnx.NodeProto) -> None:
        """The node, in float16 if it belongs to the body; its results then exist in both types."""
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        if label(node) in self.body:
            copy.input[:] = [self.half_of(name) for name in node.input]
            copy.output[:] = [f"{name}/half" if name in self.floats else name for name in node.output]
        self.nodes.append(copy)
        for before, after in zip(node.output, copy.output, strict=True):
            if before != after:
                self.in_half[before] = after
                self.nodes.append(self._cast(after, before, TensorProto.FLOAT))


def half(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy whose layers compute in float16. Raises InputError when there is none to convert."""
    model = named(model)
    body = _between_first_and_last_layer(model)
    if not body:
        raise InputError(
            "The graph has no layer: float16 would change nothing.",
            remedy="Leave the float16 variant out.",
        )
    conversion = _Conversion(model, body)
    for node in model.graph.node:
        conversion.add(node)
    # casts back to float32 that nobody takes are dropped with everything else that is unused
    converted = with_nodes(model, conversion.nodes, conversion.stored)
    del converted.graph.value_info[:]
    return onnx.shape_inference.infer_shapes(converted)


def _between_first_and_last_layer(model: onnx.ModelProto) -> set[str]:
    """Names of the nodes that lie between layers, or are one, and may compute in float16."""
    cores = {label(node) for node in model.graph.node if node.op_type in LAYERS}
    after: set[str] = set()
    tensors: set[str] = set()
    for node in model.graph.node:
        if label(node) in cores or tensors.intersection(node.input):
            after.add(label(node))
            tensors.update(node.output)
    made_by = producers(model)
    before = set(cores)
    pending = [name for node in model.graph.node if label(node) in cores for name in node.input]
    while pending:
        made = made_by.get(pending.pop())
        if made is not None and label(made) not in before:
            before.add(label(made))
            pending.extend(made.input)
    kept = {
        label(node)
        for node in model.graph.node
        if node.op_type in KEPT_FLOAT32
        or any(attribute.g.node or attribute.graphs for attribute in node.attribute)
    }
    return (after & before) - kept
