# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""How much arithmetic a network is: counted from its ONNX graph, two for each multiplication and addition.

Counted are convolutions, transposed ones and matrix products, which is where all but a few percent of it is;
what lies between them (activations, pooling, quantising) is counted as none, as usual. Shapes come from
ONNX's own shape inference, with the sizes of one input filled in. The packages that do this were looked at:
they bring a runtime of their own or need a fixed shape in the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Final

import onnx
from onnx import shape_inference

FLOP_PER_MAC: Final = 2
CONVOLUTIONS: Final = frozenset({"Conv", "ConvInteger", "QLinearConv"})
PRODUCTS: Final = frozenset({"MatMul", "MatMulInteger", "QLinearMatMul", "Gemm"})
TRANSPOSED: Final = "ConvTranspose"
_WEIGHT_OF: Final = {"QLinearConv": 3, "QLinearMatMul": 3}
"""Which input holds the weights, where it is not the one behind the values."""


class UnknownShapeError(ValueError):
    """The graph does not say how large a tensor is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Of one run of the network."""

    flop: int
    weights: int
    """Numbers that the counted layers hold."""
    activations: int
    """Numbers that go into the counted layers and come out of them, each counted once for each."""

    def intensity(self, bytes_per_number: int) -> float:
        """FLOP per byte, if every layer reads and writes memory once: the abscissa of a roofline."""
        return self.flop / ((self.weights + self.activations) * bytes_per_number)


def count_work(model: Path, shapes: Mapping[str, tuple[int, ...]]) -> Work:
    """The work of one run on inputs of these shapes. Raises UnknownShapeError."""
    graph = onnx.load(model)
    for value in graph.graph.input:
        if value.name in shapes:
            for axis, size in zip(value.type.tensor_type.shape.dim, shapes[value.name], strict=True):
                axis.Clear()
                axis.dim_value = size
    for value in (*graph.graph.output, *graph.graph.value_info):
        value.type.tensor_type.ClearField("shape")  # those named axes have sizes now
    known = shape_inference.infer_shapes(graph, data_prop=True).graph
    sizes = {
        value.name: tuple(axis.dim_value for axis in value.type.tensor_type.shape.dim)
        for value in (*known.input, *known.value_info, *known.output)
    }
    sizes |= {weights.name: tuple(weights.dims) for weights in known.initializer}
    flop = weights = activations = 0
    for node in known.node:
        if node.op_type not in CONVOLUTIONS | PRODUCTS | {TRANSPOSED}:
            continue
        values, kernel, out = _tensors(node, sizes)
        flop += FLOP_PER_MAC * _macs(node, values, kernel, out)
        weights += prod(kernel)
        activations += prod(values) + prod(out)
    return Work(flop=flop, weights=weights, activations=activations)


Shape = tuple[int, ...]


def _tensors(node: onnx.NodeProto, sizes: Mapping[str, Shape]) -> tuple[Shape, Shape, Shape]:
    names = (node.input[0], node.input[_WEIGHT_OF.get(node.op_type, 1)], node.output[0])
    found = tuple(sizes.get(name, ()) for name in names)
    for name, shape in zip(names, found, strict=True):
        if not shape or 0 in shape:
            raise UnknownShapeError(f"The graph does not say how large {name!r} of a {node.op_type} is.")
    return found[0], found[1], found[2]


def _macs(node: onnx.NodeProto, values: Shape, kernel: Shape, out: Shape) -> int:
    """Convolution: each output sums (channels / groups) x kernel; its weights are [out, in / groups, ...]."""
    if node.op_type in CONVOLUTIONS:
        return prod(out) * prod(kernel[1:])
    if node.op_type == TRANSPOSED:  # weights are [in, out / groups, ...]; each input spreads over the kernel
        return prod(values) * prod(kernel[1:])
    if node.op_type == "Gemm":
        transposed = any(attribute.name == "transA" and attribute.i for attribute in node.attribute)
        return prod(out) * values[0 if transposed else 1]
    return prod(out) * values[-1]
