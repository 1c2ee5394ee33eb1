# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The same network with its channels brought to one size, so that one int8 scale fits them all.

An activation has one scale per tensor: beside a channel that reaches 100 times as far, another is left with
one or two of the 127 codes. A channel that goes through ReLUs alone may be made smaller by any factor if the
weights that read it become larger by it; nothing else changes, and in float the answers are the same (Nagel
et al., ICCV 2019, section 4.1). The factor that suits the activations makes the weights that follow uneven,
so it is shared out between both (Xiao et al., ICML 2023, equation 4: `strength` is their alpha).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from export.graphs import attributes, consumers, label, named, producers
from export.session import GraphSession, Tensors

CONV: Final = "Conv"
WEIGHT: Final = 1
BIAS: Final = 2
JOINING: Final = "Concat"
PASSING: Final = frozenset({"Relu", "MaxPool", "AveragePool"})
"""What a positive factor passes unchanged, beside a Concat along the channels."""
SMALLEST_SHARE: Final = 0.01
"""A channel that reaches less than this share of the largest counts as that much: no factor is huge."""
NOTHING: Final = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Channels of a tensor that one convolution made."""

    layer: str
    channels: int


class _Links:
    """Which convolutions read the channels of which others."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.stored = {item.name: numpy_helper.to_array(item) for item in model.graph.initializer}
        self.made_by, self.taken_by = producers(model), consumers(model)
        self.outputs = {value.name for value in model.graph.output}
        self.nodes = {label(node): node for node in model.graph.node}
        self.reads: dict[str, tuple[_Part, ...]] = {}
        """Reading convolution to what makes up its input, in the order of its channels."""
        for node in model.graph.node:
            if self._readable(node):
                parts = self._parts(node.input[0])
                if parts is not None:
                    self.reads[label(node)] = parts
        made = dict.fromkeys(part.layer for parts in self.reads.values() for part in parts)
        self.scalable = tuple(name for name in made if self._ends_in_readers(self.nodes[name].output[0]))
        """Convolutions all of whose channels end in `reads`."""

    def _is_own(self, node: onnx.NodeProto) -> bool:
        """Whether the layer's weight and bias are stored, and no other's."""
        return all(
            name in self.stored and len(self.taken_by[name]) == 1 for name in node.input[WEIGHT:] if name
        )

    def _readable(self, node: onnx.NodeProto) -> bool:
        return node.op_type == CONV and attributes(node).get("group", 1) == 1 and self._is_own(node)

    def _parts(self, tensor: str) -> tuple[_Part, ...] | None:
        """What made the channels of a tensor; None where that is not convolutions alone."""
        node = self.made_by.get(tensor)
        if node is None:
            return None
        if node.op_type == CONV and self._is_own(node):
            return (_Part(layer=label(node), channels=len(self.stored[node.input[WEIGHT]])),)
        if node.op_type in PASSING:
            return self._parts(node.input[0])
        if node.op_type == JOINING and attributes(node)["axis"] == 1:
            found = [self._parts(name) for name in node.input]
            return None if None in found else tuple(part for parts in found if parts for part in parts)
        return None

    def _ends_in_readers(self, tensor: str) -> bool:
        """Whether everything that takes the tensor passes its channels on to convolutions that can adapt."""
        takers = self.taken_by.get(tensor, [])
        return (
            tensor not in self.outputs and bool(takers) and all(self._adapts(node, tensor) for node in takers)
        )

    def _adapts(self, node: onnx.NodeProto, tensor: str) -> bool:
        if node.op_type == CONV:
            return label(node) in self.reads and tensor == node.input[0]
        return node.op_type in {*PASSING, JOINING} and self._ends_in_readers(node.output[0])


def has_links(model: onnx.ModelProto) -> bool:
    """Whether any convolution's channels can be scaled; its nodes must have names (`graphs.named`)."""
    return bool(_Links(model).scalable)


def equalised(model: onnx.ModelProto, inputs: Sequence[Tensors], *, strength: float) -> onnx.ModelProto:
    """A copy that answers the same, its channels brought towards one size.

    `inputs` tell how far each channel reaches; `strength`: 0 evens out the weights alone, 1 the activations
    alone. A network in which no convolution follows another through a ReLU comes back as it is.
    """
    model = named(model)
    links = _Links(model)
    if not links.scalable:
        return model
    nodes, stored = links.nodes, links.stored
    reach = _reach(model, {name: nodes[name].output[0] for name in links.scalable}, inputs)
    weight = _weight(links)
    factors = {
        name: _bounded(reach[name]) ** strength / _bounded(weight[name]) ** (1.0 - strength)
        for name in links.scalable
    }
    for name, factor in factors.items():
        for tensor in filter(None, nodes[name].input[WEIGHT:]):
            stored[tensor] = stored[tensor] / _along(factor, stored[tensor].ndim, axis=0)
    for name, parts in links.reads.items():
        factor = np.concatenate([factors.get(part.layer, np.ones(part.channels)) for part in parts])
        tensor = nodes[name].input[WEIGHT]
        stored[tensor] = stored[tensor] * _along(factor, stored[tensor].ndim, axis=1)
    return _with(model, stored)


def _along(values: NDArray[np.float64], axes: int, *, axis: int) -> NDArray[np.float64]:
    """One value per channel, to be multiplied with an array of so many axes."""
    return values.reshape([-1 if index == axis else 1 for index in range(axes)])


def _reach(
    model: onnx.ModelProto, tensors: Mapping[str, str], inputs: Sequence[Tensors]
) -> dict[str, NDArray[np.float64]]:
    """By layer, the largest value of each channel above zero over all inputs."""
    session = GraphSession(model, inner=tuple(tensors.values()))
    found: dict[str, NDArray[np.float64]] = {}
    for item in inputs:
        values = session.run(item)
        for name, tensor in tensors.items():
            value = np.maximum(values[tensor], 0.0).astype(np.float64)
            largest = value.max(axis=(0, *range(2, value.ndim)))
            found[name] = np.maximum(found.get(name, 0.0), largest)
    return found


def _weight(links: _Links) -> dict[str, NDArray[np.float64]]:
    """By layer, how heavily each of its channels is read: root mean square over the reader's weights.

    Each output channel of a reader has a scale of its own, so its weights count in units of its largest.
    """
    found: dict[str, NDArray[np.float64]] = {}
    for reader, parts in links.reads.items():
        weight = np.abs(links.stored[links.nodes[reader].input[WEIGHT]].astype(np.float64))
        largest = np.maximum(weight.max(axis=tuple(range(1, weight.ndim)), keepdims=True), NOTHING)
        heavy = np.sqrt(np.square(weight / largest).mean(axis=(0, *range(2, weight.ndim))))
        first = 0
        for part in parts:
            here = heavy[first : first + part.channels]
            found[part.layer] = np.maximum(found.get(part.layer, 0.0), here)
            first += part.channels
    return found


def _bounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.maximum(values, max(SMALLEST_SHARE * float(values.max()), NOTHING))


def _with(model: onnx.ModelProto, stored: Mapping[str, NDArray[Any]]) -> onnx.ModelProto:
    """The model with other stored arrays of the same names."""
    for item in model.graph.initializer:
        value = stored[item.name]
        kind = numpy_helper.to_array(item).dtype
        item.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(value, kind), item.name))
    return model
