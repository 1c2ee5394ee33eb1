# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Explicit, symmetric int8: Q/DQ nodes exactly where NVIDIA, OpenVINO and ONNX Runtime all fuse them.

The rules, each of them NVIDIA's ("Working with quantized types", TensorRT documentation) and each taken
by the other two as it is:

* int8, zero point 0; activations one scale per tensor, weights one per output channel, stored as int8;
* Q/DQ on the inputs of Conv, ConvTranspose, Gemm and MatMul, nothing between them and their ReLU or Clip;
* bias and outputs stay float: an int32 bias is refused by NVIDIA's parser, and a logit needs its digits;
* a residual Add gets Q/DQ on the skip side only: the other side is the end of a convolution, which adds
  the skip while its sums are still float.

ONNX Runtime's own quantiser puts pairs between Conv and ReLU and on both sides of an Add, and keeps
float weights in the file if it is to keep weights away from int32 biases; hence these passes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

from appliance.errors import InputError
from calibration.ranges import LARGEST_CODE, Ranges
from export.graphs import attributes, constants, consumers, label, named, producers, with_nodes

WEIGHT_INPUT: Final = 1
"""Of Conv, ConvTranspose, Gemm and MatMul alike."""
LAYERS: Final = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})
ENDS_OF_A_LAYER: Final = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul", "BatchNormalization"})
SMALLEST_WEIGHT_RANGE: Final = 1e-8
"""A channel whose weights are all zero gets this range: a scale of zero divides by zero."""
ADD: Final = "Add"
SPATIAL: Final = frozenset({"Conv", "ConvTranspose"})
MISREAD: Final = frozenset({"Concat"})
"""Where a layer's int8 input comes straight from one of these, OpenVINO 2026.4.1 computes something else
(SqueezeNet: correlation with float32 0.1 to 0.6 where ONNX Runtime has 0.99; MobileNetV2, which begins with
a Concat of the grey film for three colours: -0.2 where it has 0.98). With a pooling of one pixel between
them, which changes no value and costs nothing that could be measured, it computes what it should. Inputs
straight from a Conv (the ends of linear bottlenecks) or an Add are read rightly.
"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Quantised:
    """A graph with Q/DQ, and which layers have it."""

    model: onnx.ModelProto
    layers: tuple[str, ...]
    """Names of the layers that compute in int8, in order."""
    left_in_float: tuple[str, ...]
    """Layers that could, but were to stay in float."""


def weight_axis(node: onnx.NodeProto) -> int:
    """The axis of a layer's weight along which its output channels lie."""
    if node.op_type == "Conv":
        return 0
    if node.op_type == "Gemm":
        return 0 if attributes(node).get("transB", 0) else 1
    return 1  # ConvTranspose: [in, out / group, ...]; MatMul: [in, out]


def _is_layer(node: onnx.NodeProto, stored: Mapping[str, NDArray[Any]]) -> bool:
    if node.op_type not in LAYERS or len(node.input) <= WEIGHT_INPUT or node.input[0] in stored:
        return False
    weight = stored.get(node.input[WEIGHT_INPUT])
    if weight is None or weight.dtype != np.float32:
        return False
    if node.op_type == "Gemm":
        how = attributes(node)
        return how.get("alpha", 1.0) == 1.0 and not how.get("transA", 0)
    return node.op_type != "MatMul" or weight.ndim == 2


def layers(model: onnx.ModelProto) -> tuple[onnx.NodeProto, ...]:
    """The layers that can compute in int8, in order: those with a stored float32 weight."""
    stored = constants(model)
    return tuple(node for node in model.graph.node if _is_layer(node, stored))


def _skip_sides(model: onnx.ModelProto, chosen: Collection[str]) -> Iterator[tuple[onnx.NodeProto, int]]:
    """(Add, index of its skip input) of every Add that ends an int8 layer.

    The other input comes from a layer and goes nowhere else. Where both do, the later one is the end:
    the earlier one is there already when its sums are made.
    """
    made_by, taken_by, stored = producers(model), consumers(model), constants(model)
    order = {label(node): index for index, node in enumerate(model.graph.node)}
    outputs = {value.name for value in model.graph.output}
    for node in model.graph.node:
        if node.op_type != ADD or any(name in stored for name in node.input):
            continue
        ends = [
            index
            for index, name in enumerate(node.input)
            if name in made_by
            and made_by[name].op_type in ENDS_OF_A_LAYER
            and label(made_by[name]) in chosen
            and len(taken_by[name]) == 1
            and name not in outputs
        ]
        if ends:
            end = max(ends, key=lambda index: order[label(made_by[node.input[index]])])
            yield node, 1 - end


def activations(model: onnx.ModelProto) -> tuple[str, ...]:
    """The tensors whose ranges `quantize` needs."""
    model = named(model)
    found = layers(model)
    wanted = [node.input[0] for node in found]
    wanted += [node.input[side] for node, side in _skip_sides(model, {label(node) for node in found})]
    return tuple(dict.fromkeys(wanted))


def quantised_weight(weight: NDArray[np.float32], axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Symmetric int8 codes and their scale per channel of `axis`: the largest weight becomes +-127."""
    across = tuple(index for index in range(weight.ndim) if index != axis)
    limit = np.maximum(np.abs(weight).max(axis=across), SMALLEST_WEIGHT_RANGE)
    scale = (limit / LARGEST_CODE).astype(np.float32)
    shape = [1] * weight.ndim
    shape[axis] = -1
    codes = np.clip(np.rint(weight / scale.reshape(shape)), -LARGEST_CODE, LARGEST_CODE)
    return codes.astype(np.int8), scale


class _Surgery:
    """New nodes and stored arrays of one graph."""

    def __init__(self, ranges: Ranges, misread: Mapping[str, int]) -> None:
        self.ranges = ranges
        self.misread = misread
        self.stored: dict[str, NDArray[Any]] = {"int8/zero": np.zeros((), np.int8)}
        self.pairs: dict[str, list[onnx.NodeProto]] = {}

    def activation(self, tensor: str) -> str:
        """The tensor rounded to int8 and back; one pair, however many layers take it."""
        if tensor not in self.pairs:
            scale = f"{tensor}/int8/scale"
            self.stored[scale] = np.asarray(self.ranges[tensor] / LARGEST_CODE, np.float32)
            codes, back = f"{tensor}/int8", f"{tensor}/int8/float"
            source, between = self._set_apart(tensor)
            self.pairs[tensor] = [
                *between,
                helper.make_node("QuantizeLinear", [source, scale, "int8/zero"], [codes], name=codes),
                helper.make_node("DequantizeLinear", [codes, scale, "int8/zero"], [back], name=back),
            ]
        return f"{tensor}/int8/float"

    def _set_apart(self, tensor: str) -> tuple[str, list[onnx.NodeProto]]:
        """The tensor to quantise, and what stands between it and where it was made: see MISREAD."""
        if tensor not in self.misread:
            return tensor, []
        apart, pixel = f"{tensor}/apart", [1] * self.misread[tensor]
        return apart, [helper.make_node("MaxPool", [tensor], [apart], name=apart, kernel_shape=pixel)]

    def weight(self, name: str, value: NDArray[np.float32], axis: int) -> list[onnx.NodeProto]:
        """The stored weight as int8; its name is given to what DequantizeLinear makes of it."""
        back = weight_name(name, axis)
        if f"{back}/codes" in self.stored:
            return []
        codes, scale = quantised_weight(value, axis)
        self.stored |= {
            f"{back}/codes": codes,
            f"{back}/scale": scale,
            f"{back}/zero": np.zeros(len(scale), np.int8),
        }
        inputs = [f"{back}/codes", f"{back}/scale", f"{back}/zero"]
        return [helper.make_node("DequantizeLinear", inputs, [back], name=back, axis=axis)]


def weight_name(name: str, axis: int) -> str:
    """What the weight is called once it was int8; two layers may share one."""
    return f"{name}/int8/axis{axis}"


def _misread(model: onnx.ModelProto, able: Collection[onnx.NodeProto]) -> dict[str, int]:
    """Inputs of layers that come straight from a node of MISREAD, and their number of spatial axes."""
    made_by, stored = producers(model), constants(model)
    return {
        node.input[0]: stored[node.input[WEIGHT_INPUT]].ndim - 2
        for node in able
        if node.op_type in SPATIAL and node.input[0] in made_by and made_by[node.input[0]].op_type in MISREAD
    }


def quantize(model: onnx.ModelProto, ranges: Ranges, *, keep_float: Collection[str] = ()) -> Quantised:
    """The graph with every layer in int8 except those named in `keep_float`, or without a range.

    `ranges` holds the tensors of `activations(model)`; a tensor that is absent (it was zero throughout
    the calibration set) leaves its layers in float. Raises InputError when no layer is left.
    """
    model = named(model)
    stored = constants(model)
    able = layers(model)
    chosen = {label(node) for node in able if node.input[0] in ranges and label(node) not in keep_float}
    if not chosen:
        raise InputError(
            f"None of the {len(able)} layers with stored weights could be made int8.",
            remedy="Use float32 or float16 for this model, or calibrate with images like those it will see.",
        )
    skips = {label(node): side for node, side in _skip_sides(model, chosen) if node.input[side] in ranges}
    surgery = _Surgery(ranges, _misread(model, able))
    changed: list[onnx.NodeProto] = []
    placed: set[str] = set()
    for node in model.graph.node:
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        side = 0 if label(node) in chosen else skips.get(label(node))
        if side is not None:
            tensor = node.input[side]
            copy.input[side] = surgery.activation(tensor)
            if tensor not in placed:
                changed += surgery.pairs[tensor]
                placed.add(tensor)
        if label(node) in chosen:
            axis, name = weight_axis(node), node.input[WEIGHT_INPUT]
            changed += surgery.weight(name, stored[name], axis)
            copy.input[WEIGHT_INPUT] = weight_name(name, axis)
        changed.append(copy)
    result = with_nodes(model, changed, surgery.stored)
    return Quantised(
        model=onnx.shape_inference.infer_shapes(result),
        layers=tuple(label(node) for node in able if label(node) in chosen),
        left_in_float=tuple(label(node) for node in able if label(node) not in chosen),
    )
