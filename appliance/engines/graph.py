# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What an ONNX file says of itself: its inputs and outputs, and what its arithmetic is done in.

Read from the file and not from an engine, so that every engine is held to the same words.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # ships no stubs
from numpy.typing import NDArray

from appliance.engines.base import Tensors
from appliance.errors import EngineError

Size: TypeAlias = "int | str | None"
"""A fixed size, the name of a dynamic axis, or None for a nameless one."""
INT8: Final = "int8"
QUANTISING: Final = frozenset({"QuantizeLinear", "DynamicQuantizeLinear", "ConvInteger", "MatMulInteger"})
"""Operators that make activations integers. DequantizeLinear alone only unpacks stored weights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """One input or output."""

    name: str
    shape: tuple[Size, ...]
    dtype: np.dtype[Any]

    @property
    def words(self) -> str:
        """For messages: "image: float32 [batch, 1, 320, 320]"."""
        sizes = ", ".join("?" if size is None else str(size) for size in self.shape)
        return f"{self.name}: {self.dtype} [{sizes}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What goes in and what comes out."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    precision: str
    """f32, f16 or int8: what the activations are computed in, as the graph asks for it."""

    def accept(self, inputs: Tensors) -> dict[str, NDArray[Any]]:
        """The inputs as an engine may take them (contiguous). Raises EngineError naming what does not fit."""
        return self._matched(self.inputs, inputs, "input", {})

    def release(self, outputs: Tensors, inputs: Tensors) -> dict[str, NDArray[Any]]:
        """The outputs of one run, owned by the caller.

        Raises EngineError when they are not what the graph promises. An axis that has a name has one
        size in all inputs and outputs of a run.
        """
        axes: dict[str, int] = {}
        self._matched(self.inputs, inputs, "input", axes)
        owned = self._matched(self.outputs, outputs, "output", axes)
        return {name: value if value.flags.owndata else value.copy() for name, value in owned.items()}

    @staticmethod
    def _matched(
        ports: Iterable[Port], tensors: Tensors, what: str, axes: dict[str, int]
    ) -> dict[str, NDArray[Any]]:
        wanted = {port.name: port for port in ports}
        if wanted.keys() != tensors.keys():
            raise EngineError(
                f"The model's {what}s are {sorted(wanted)}, not {sorted(tensors)}.",
                remedy="The model card and the model do not belong together; install the bundle again.",
            )
        matched = {}
        for name, port in wanted.items():
            value = np.ascontiguousarray(tensors[name]) if tensors[name].ndim else tensors[name]
            if value.dtype != port.dtype or not _fits(value.shape, port.shape, axes):
                raise EngineError(
                    f"The {what} {port.words} does not fit {value.dtype} {list(value.shape)}.",
                    remedy="The model card and the model do not belong together; install the bundle again.",
                )
            matched[name] = value
        return matched


def _fits(shape: tuple[int, ...], wanted: tuple[Size, ...], axes: dict[str, int]) -> bool:
    if len(shape) != len(wanted):
        return False
    for size, want in zip(shape, wanted, strict=True):
        if isinstance(want, int) and size != want:
            return False
        if isinstance(want, str) and axes.setdefault(want, size) != size:
            return False
    return True


def _port(value: onnx.ValueInfoProto) -> Port:
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        raise EngineError(
            f"{value.name} of the model has no declared shape.",
            remedy="Export the model again with shapes; a dynamic axis needs a name.",
        )
    return Port(
        name=value.name,
        shape=tuple(
            axis.dim_param or None if not axis.HasField("dim_value") else axis.dim_value
            for axis in tensor.shape.dim
        ),
        dtype=onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type),
    )


def read_signature(model: Path) -> Signature:
    """What `model`, a verified ONNX file, says of itself. Raises EngineError when it is not one."""
    try:
        graph = onnx.load(model, load_external_data=False).graph
    except (OSError, DecodeError) as error:
        raise EngineError(
            f"The model {model.name} cannot be read: {error}.",
            remedy="Install the bundle again; `scanside models verify` says what is wrong with it.",
        ) from error
    return signature_of(graph, model.name)


def _is_widening(node: onnx.NodeProto) -> bool:
    return node.op_type == "Cast" and any(
        attribute.name == "to" and attribute.i == onnx.TensorProto.FLOAT for attribute in node.attribute
    )


def signature_of(graph: onnx.GraphProto, name: str) -> Signature:
    """What the graph called `name` says of itself. Raises EngineError when it says too little."""
    stored = {weights.name for weights in graph.initializer}
    halves = {item.name for item in graph.initializer if item.data_type == onnx.TensorProto.FLOAT16}
    # stored in half the size and cast at once: a matter of the file, not of the computing
    half = any(not _is_widening(node) and halves & {*node.input} for node in graph.node)
    integer = any(node.op_type in QUANTISING for node in graph.node)
    inputs = tuple(_port(value) for value in graph.input if value.name not in stored)
    outputs = tuple(_port(value) for value in graph.output)
    if not inputs or not outputs:
        raise EngineError(
            f"The file {name} holds no model: it has {len(inputs)} inputs and {len(outputs)} outputs.",
            remedy="Install the bundle again; `scanside models verify` says what is wrong with it.",
        )
    return Signature(
        inputs=inputs,
        outputs=outputs,
        precision=INT8 if integer else "f16" if half else "f32",
    )
