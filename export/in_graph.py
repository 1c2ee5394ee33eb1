# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Preprocessing and heatmap as parts of the graph: one signed file instead of a file and code beside it.

Done on the finished ONNX graph and not on the PyTorch module: it works for every source, and what is
checked is what is shipped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from appliance.errors import InputError
from export.graphs import attributes, constants, named, producers
from export.quantize import weight_axis

PLAIN: Final = frozenset({"Flatten", "Reshape", "Squeeze", "Identity", "Dropout"})
"""Between the mean and the linear layer these move no number."""
SPATIAL_AXES: Final = frozenset({2, 3})
INPUT_SUFFIX: Final = "network"


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalisation:
    """What happens to grey values before the first layer: window first, then (x - mean) / std."""

    mean: tuple[float, ...] = (0.0,)
    """One per channel of the network; several channels get copies of the one grey image."""
    std: tuple[float, ...] = (1.0,)
    window: tuple[float, float] | None = None
    """Values are limited to these two and mapped to 0..1; None: they are taken as they are."""

    def __post_init__(self) -> None:
        """Raises InputError when the numbers cannot be meant."""
        numbers = np.array([*self.mean, *self.std, *(self.window or ())])
        sizes = len(self.mean) == len(self.std) >= 1
        if not sizes or not np.isfinite(numbers).all() or min(self.std) <= 0:
            raise InputError(
                f"mean {list(self.mean)} and std {list(self.std)} are not one pair per channel with std > 0.",
                remedy="Give the numbers that the network was trained with.",
            )
        if self.window is not None and not self.window[0] < self.window[1]:
            raise InputError(
                f"The window {list(self.window)} is empty.", remedy="Give its lower and its upper value."
            )

    @property
    def channels(self) -> int:
        """Of the network that is normalised for."""
        return len(self.mean)

    def apply(self, grey: NDArray[np.float32]) -> NDArray[np.float32]:
        """The same outside the graph: [batch, 1, ...] to what the network itself takes."""
        if self.window is not None:
            low, high = self.window
            grey = (np.clip(grey, low, high) - low) / (high - low)
        shape = (1, -1, *([1] * (grey.ndim - 2)))
        mean, std = (np.array(numbers, np.float32).reshape(shape) for numbers in (self.mean, self.std))
        return np.asarray((grey - mean) / std, np.float32)


def prepend_normalisation(model: onnx.ModelProto, how: Normalisation, *, input_name: str) -> onnx.ModelProto:
    """A copy that takes the grey image itself: `input_name` becomes [batch, 1, ...], normalised inside.

    Raises InputError when the graph has no such input, or another number of channels.
    """
    copy = named(model)
    given = next((value for value in copy.graph.input if value.name == input_name), None)
    if given is None:
        raise InputError(
            f"The model has no input {input_name!r}.", remedy="Name it in the card as it is in the model."
        )
    axes = given.type.tensor_type.shape.dim
    if len(axes) < 3 or axes[1].dim_value != how.channels:
        raise InputError(
            f"{input_name!r} has {axes[1].dim_value if len(axes) > 1 else 0} channels, "
            f"mean and std are given for {how.channels}.",
            remedy="Give one mean and one std per channel.",
        )
    inner = f"{input_name}/{INPUT_SUFFIX}"
    for node in copy.graph.node:
        node.input[:] = [inner if name == input_name else name for name in node.input]
    nodes, stored = _normalising_nodes(how, input_name, inner, rank=len(axes))
    for position, node in enumerate(nodes):
        copy.graph.node.insert(position, node)
    copy.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in stored.items())
    axes[1].dim_value = 1
    return onnx.shape_inference.infer_shapes(_without_shapes(copy))


def _without_shapes(model: onnx.ModelProto) -> onnx.ModelProto:
    del model.graph.value_info[:]
    return model


def _normalising_nodes(
    how: Normalisation, source: str, target: str, *, rank: int
) -> tuple[list[onnx.NodeProto], dict[str, NDArray[np.float32]]]:
    """Grey * scale - shift, per channel by broadcasting: the fewest operations that every engine has."""
    nodes: list[onnx.NodeProto] = []
    stored: dict[str, NDArray[np.float32]] = {}
    mean, std = np.array(how.mean), np.array(how.std)
    scale, shift = 1 / std, mean / std
    current = source
    if how.window is not None:
        low, high = how.window
        stored["normalise/low"] = np.asarray(low, np.float32)
        stored["normalise/high"] = np.asarray(high, np.float32)
        nodes.append(
            helper.make_node(
                "Clip",
                [current, "normalise/low", "normalise/high"],
                ["normalise/window"],
                name="normalise/window",
            )
        )
        current = "normalise/window"
        scale, shift = scale / (high - low), shift + scale * low / (high - low)
    shape = [1, how.channels, *([1] * (rank - 2))]
    stored["normalise/scale"] = scale.reshape(shape).astype(np.float32)
    stored["normalise/shift"] = shift.reshape(shape).astype(np.float32)
    nodes.append(
        helper.make_node("Mul", [current, "normalise/scale"], ["normalise/scaled"], name="normalise/scaled")
    )
    nodes.append(
        helper.make_node("Sub", ["normalise/scaled", "normalise/shift"], [target], name="normalise/shifted")
    )
    return nodes, stored


def append_heatmap(model: onnx.ModelProto, *, logits: str, heatmap: str) -> onnx.ModelProto:
    """A copy with a further output `heatmap` [batch, labels, rows, columns], whose mean is `logits`.

    The class activation map (Zhou et al., CVPR 2016): where a network ends in global average pooling and
    one linear layer, the layer may as well be applied before the pooling. Raises InputError for a
    network that does not end like this.
    """
    copy = named(model)
    weight, bias, features = _linear_on_mean(copy, logits)
    stored = {
        f"{heatmap}/weight": np.ascontiguousarray(weight[:, :, None, None]),
        f"{heatmap}/bias": np.ascontiguousarray(bias),
    }
    copy.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in stored.items())
    copy.graph.node.append(helper.make_node("Conv", [features, *stored], [heatmap], name=heatmap))
    batch = next(value for value in copy.graph.output if value.name == logits).type.tensor_type.shape.dim[0]
    copy.graph.output.append(
        helper.make_tensor_value_info(
            heatmap, TensorProto.FLOAT, [batch.dim_param or batch.dim_value, len(weight), None, None]
        )
    )
    inferred = onnx.shape_inference.infer_shapes(copy, data_prop=True)
    return _with_known_map_size(inferred, heatmap, features)


def _with_known_map_size(model: onnx.ModelProto, heatmap: str, features: str) -> onnx.ModelProto:
    """The rows and columns of the map are those of the features, where inference knows them."""
    known = {value.name: value for value in model.graph.value_info}
    if features in known:
        source = known[features].type.tensor_type.shape.dim
        target = next(
            value for value in model.graph.output if value.name == heatmap
        ).type.tensor_type.shape.dim
        for axis in (2, 3):
            target[axis].CopyFrom(source[axis])
    return model


def _linear_on_mean(
    model: onnx.ModelProto, logits: str
) -> tuple[NDArray[np.float32], NDArray[np.float32], str]:
    """Weights [labels, features] and bias of the last layer, and the tensor that was averaged for it."""
    made_by, stored = producers(model), constants(model)
    bias: NDArray[Any] | None = None
    node = _through_plain(made_by, logits)
    if node is not None and node.op_type == "Add":
        side = next((index for index, name in enumerate(node.input) if name in stored), None)
        if side is None:
            raise _not_a_gap(logits)
        bias = stored[node.input[side]].reshape(-1)
        node = _through_plain(made_by, node.input[1 - side])
    if node is None or node.op_type not in {"Gemm", "MatMul", "Conv"} or node.input[1] not in stored:
        raise _not_a_gap(logits)
    weight = stored[node.input[1]]
    if node.op_type == "Conv":
        if any(size != 1 for size in weight.shape[2:]) or attributes(node).get("group", 1) != 1:
            raise _not_a_gap(logits)
        weight = weight.reshape(weight.shape[:2])
    elif weight_axis(node) == 1:
        weight = weight.T
    if len(node.input) > 2:
        bias = stored[node.input[2]].reshape(-1)
    pooled = _through_plain(made_by, node.input[0])
    if pooled is None or not _is_spatial_mean(pooled, stored):
        raise _not_a_gap(logits)
    full = np.zeros(len(weight), np.float32) if bias is None else np.broadcast_to(bias, len(weight))
    return weight.astype(np.float32), full.astype(np.float32), str(pooled.input[0])


def _through_plain(made_by: Mapping[str, onnx.NodeProto], name: str) -> onnx.NodeProto | None:
    node = made_by.get(name)
    while node is not None and node.op_type in PLAIN:
        node = made_by.get(node.input[0])
    return node


def _is_spatial_mean(node: onnx.NodeProto, stored: Mapping[str, NDArray[Any]]) -> bool:
    if node.op_type == "GlobalAveragePool":
        return True
    if node.op_type != "ReduceMean":
        return False
    axes = attributes(node).get("axes")
    if axes is None and len(node.input) > 1 and node.input[1] in stored:
        axes = stored[node.input[1]].tolist()
    return axes is not None and {axis % 4 for axis in axes} == SPATIAL_AXES


def _not_a_gap(logits: str) -> InputError:
    return InputError(
        f"{logits!r} is not a linear layer on a global mean: no heatmap follows from it.",
        remedy="Leave the heatmap out of the card, or end the network in global average pooling and one "
        "linear layer.",
    )
