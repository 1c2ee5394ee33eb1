# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Write ONNX graphs node by node.

An exporter's output changes with its version and carries shape arithmetic that some engines refuse.
These graphs have only the nodes that are written down, with names a person can find in a profile.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
"""Old enough for every engine that is supported, new enough for all nodes used."""
IR_VERSION = 8
BATCH = "batch"

Attribute = Any
"""What `onnx.helper` takes: numbers, text, lists of them."""


class Graph:
    """A graph under construction. Methods return the name of the tensor they made."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []

    def input(self, name: str, shape: list[int | str]) -> str:
        """Declare a float32 input."""
        self._inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        return name

    def output(self, tensor: str, name: str, shape: list[int | str]) -> None:
        """Declare a float32 output."""
        self._nodes.append(helper.make_node("Identity", [tensor], [name], name=f"{name}/output"))
        self._outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    def constant(self, value: NDArray[np.generic] | float, name: str) -> str:
        """Embed an array, once per name."""
        if name not in self._constants:
            array = np.asarray(value, np.float32) if isinstance(value, float) else np.asarray(value)
            self._constants[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name

    def node(self, operator: str, inputs: list[str], name: str, **attributes: Attribute) -> str:
        """Add one node with one output."""
        self._nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def conv(
        self,
        tensor: str,
        name: str,
        weight: NDArray[np.generic],
        bias: NDArray[np.float32] | None,
        *,
        stride: int = 1,
        pads: tuple[int, int, int, int] = (0, 0, 0, 0),
        group: int = 1,
    ) -> str:
        """Convolution; a float16 weight is stored as it is and computed with in float32."""
        weight_name = self.constant(weight, f"{name}/weight")
        if weight.dtype == np.float16:
            weight_name = self.node("Cast", [weight_name], f"{name}/float32", to=TensorProto.FLOAT)
        inputs = [tensor, weight_name]
        if bias is not None:
            inputs.append(self.constant(bias.astype(np.float32), f"{name}/bias"))
        return self.node(
            "Conv",
            inputs,
            name,
            kernel_shape=list(weight.shape[2:]),
            strides=[stride, stride],
            pads=list(pads),
            group=group,
        )

    def clip(self, tensor: str, name: str, low: float, high: float) -> str:
        """Limit to [low, high]."""
        bounds = [self.constant(float(value), f"number/{value:g}") for value in (low, high)]
        return self.node("Clip", [tensor, *bounds], name)

    def save(self, path: Path, *, description: str) -> None:
        """Check the graph and write it with its weights embedded."""
        graph = helper.make_graph(
            self._nodes, self._name, self._inputs, self._outputs, list(self._constants.values())
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="scanside export.reference",
            doc_string=description,
        )
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, path)
