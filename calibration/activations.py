# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Look inside a graph: its inner tensors as further outputs."""

from __future__ import annotations

from collections.abc import Sequence

import onnx


def inner_tensors(model: onnx.ModelProto) -> dict[str, onnx.ValueInfoProto]:
    """Float32 tensors that the nodes make, in topological order, with their inferred shapes.

    Tensors whose shape cannot be inferred are left out: no engine could be held to it.
    """
    inferred = onnx.shape_inference.infer_shapes(model)
    known = {value.name: value for value in (*inferred.graph.value_info, *inferred.graph.output)}
    found = {}
    for node in model.graph.node:
        for name in node.output:
            value = known.get(name)
            if value is None:
                continue
            tensor = value.type.tensor_type
            if tensor.elem_type == onnx.TensorProto.FLOAT and tensor.HasField("shape"):
                found[name] = value
    return found


def expose(model: onnx.ModelProto, names: Sequence[str]) -> onnx.ModelProto:
    """A copy whose outputs are also the inner tensors of these names; unknown names add nothing."""
    inner = inner_tensors(model)
    there = {value.name for value in model.graph.output}
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    copy.graph.output.extend(inner[name] for name in names if name in inner and name not in there)
    return copy
