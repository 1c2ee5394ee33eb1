# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Reading, asking and writing ONNX graphs: what every step of the workshop needs of them, and no more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # ships no stubs
from numpy.typing import NDArray
from onnx import numpy_helper

from appliance.errors import InputError

OPSET: Final = 20
"""What a PyTorch model is written in: the newest that TensorRT 10.3, the oldest supported, reads."""
OLDEST_OPSET: Final = 17
"""The oldest that is left as it is (LayerNormalization came with it); older files are converted up."""
EXPORT_AGAIN: Final = "Export the model again as one ONNX file with its weights inside."


def read_graph(path: Path) -> onnx.ModelProto:
    """A whole ONNX file with its weights inside. Raises InputError; weights elsewhere are never fetched."""
    try:
        model = onnx.load(path, load_external_data=False)
        outside = [
            weights.name
            for weights in model.graph.initializer
            if weights.data_location == onnx.TensorProto.EXTERNAL or weights.external_data
        ]
        if outside:
            raise InputError(
                f"{path.name} keeps {len(outside)} weights outside the file, the first is {outside[0]!r}.",
                remedy=EXPORT_AGAIN,
            )
        onnx.checker.check_model(model)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror}.", remedy="Check the path and its rights."
        ) from error
    except (DecodeError, onnx.checker.ValidationError, ValueError) as error:
        raise InputError(f"{path.name} is not a whole ONNX graph: {error}.", remedy=EXPORT_AGAIN) from error
    return model


def write_graph(model: onnx.ModelProto, path: Path) -> Path:
    """Check the graph, types and shapes included, and write it in one file."""
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise InputError(
            f"The graph for {path.name} is not whole: {error}.",
            remedy="Export the model again; if that does not help, leave out the layer that is named.",
        ) from error
    path.write_bytes(model.SerializeToString(deterministic=True))
    return path


def opset(model: onnx.ModelProto) -> int:
    """The version of the standard operators; 0 when the file names none."""
    return max((entry.version for entry in model.opset_import if entry.domain in {"", "ai.onnx"}), default=0)


def constants(model: onnx.ModelProto) -> dict[str, NDArray[Any]]:
    """Every stored array by name: initializers and Constant nodes with a tensor."""
    found = {weights.name: numpy_helper.to_array(weights) for weights in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant":
            for attribute in node.attribute:
                if attribute.name == "value":
                    found[node.output[0]] = numpy_helper.to_array(attribute.t)
    return found


def producers(model: onnx.ModelProto) -> dict[str, onnx.NodeProto]:
    """Tensor name to the node that makes it."""
    return {name: node for node in model.graph.node for name in node.output if name}


def consumers(model: onnx.ModelProto) -> dict[str, list[onnx.NodeProto]]:
    """Tensor name to the nodes that take it, in order."""
    found: defaultdict[str, list[onnx.NodeProto]] = defaultdict(list)
    for node in model.graph.node:
        for name in node.input:
            if name:
                found[name].append(node)
    return dict(found)


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    """A node's attributes as Python values."""
    return {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}


def label(node: onnx.NodeProto) -> str:
    """How a node is called in messages and reports: its name, or what it makes."""
    return str(node.name or f"{node.op_type}:{node.output[0]}")


def named(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy in which every node has a name of its own, so that reports can point at it."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    seen: set[str] = set()
    for node in copy.graph.node:
        wanted = node.name or f"{node.op_type}:{node.output[0]}"
        name, count = wanted, 1
        while name in seen:
            count += 1
            name = f"{wanted}~{count}"
        node.name = name
        seen.add(name)
    return copy


def without_unused(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy without nodes and stored arrays that no output needs."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    needed = {value.name for value in copy.graph.output}
    kept = []
    for node in reversed(copy.graph.node):
        if needed.intersection(node.output):
            kept.append(node)
            needed.update(name for name in node.input if name)
            for attribute in node.attribute:
                needed.update(_outer_names([attribute.g, *attribute.graphs]))
    _replace(copy.graph.node, reversed(kept))
    _replace(copy.graph.initializer, [item for item in copy.graph.initializer if item.name in needed])
    made = {name for node in copy.graph.node for name in node.output}
    _replace(copy.graph.value_info, [item for item in copy.graph.value_info if item.name in made])
    return copy


def _outer_names(graphs: Iterable[onnx.GraphProto]) -> set[str]:
    """Names that sub-graphs (of If, Loop) take from around them; too many is harmless."""
    names: set[str] = set()
    for graph in graphs:
        for node in graph.node:
            names.update(node.input)
            for attribute in node.attribute:
                names |= _outer_names([attribute.g, *attribute.graphs])
    return names


def _replace(field: Any, items: Iterable[Any]) -> None:
    kept = list(items)
    del field[:]
    field.extend(kept)


def with_nodes(
    model: onnx.ModelProto, nodes: Iterable[onnx.NodeProto], stored: Mapping[str, NDArray[Any]]
) -> onnx.ModelProto:
    """A copy with these nodes (in order) instead of its own, further stored arrays, and nothing unused."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    _replace(copy.graph.node, nodes)
    copy.graph.initializer.extend(
        numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in stored.items()
    )
    return without_unused(copy)
