# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What a graph must be before an engine sees it: whole, standard, self-contained, and as its card says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # ships no stubs

from appliance.domain.card import ModelCard, TensorSpec
from appliance.engines.graph import Port, signature_of
from appliance.errors import EngineError

STANDARD_DOMAINS: Final = frozenset({"", "ai.onnx", "com.microsoft"})
"""Operators of the standard, and ONNX Runtime's quantised ones; anything else needs foreign code."""
NEWEST_OPSET: Final = 25
"""The newest opset that all supported engines read (TensorRT 11: 9 to 25)."""
LONGEST_REASON: Final = 200
"""Characters of the library's words, which may list a graph's every node."""
REMEDY: Final = "Export the model again with its weights inside, and pack the bundle again."


def _tensors(message: Any) -> Iterator[onnx.TensorProto]:
    """Every tensor anywhere in a protobuf message: initializers, attributes, sub-graphs, functions."""
    pending = [message]
    while pending:
        current = pending.pop()
        if isinstance(current, onnx.TensorProto):
            yield current
            continue
        for field, value in current.ListFields():
            if field.message_type is not None:
                pending.extend(value if isinstance(value, Iterable) else (value,))


def _nodes(model: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    pending: list[onnx.NodeProto] = [*model.graph.node]
    for function in model.functions:
        pending.extend(function.node)
    while pending:
        node = pending.pop()
        yield node
        for attribute in node.attribute:
            pending.extend(attribute.g.node)
            for graph in attribute.graphs:
                pending.extend(graph.node)


def check_graph(content: bytes, card: ModelCard) -> None:
    """Raises EngineError when the graph is broken, needs anything outside itself, or is not its card's."""
    try:
        model = onnx.load_model_from_string(content)
        for tensor in _tensors(model):
            if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
                raise EngineError(f"The weights {tensor.name!r} lie outside the file.", remedy=REMEDY)
        onnx.checker.check_model(model)
    except (DecodeError, onnx.checker.ValidationError, ValueError) as error:
        why = " ".join(str(error).split())[:LONGEST_REASON]
        raise EngineError(f"It is not a whole ONNX graph: {why}.", remedy=REMEDY) from error
    foreign = {node.domain for node in _nodes(model)} - STANDARD_DOMAINS
    if foreign:
        raise EngineError(f"It uses operators of {sorted(foreign)}.", remedy=REMEDY)
    opsets = {entry.domain: entry.version for entry in model.opset_import}
    if opsets.get("", 0) > NEWEST_OPSET:
        raise EngineError(f"Its opset is {opsets['']}, above {NEWEST_OPSET}.", remedy=REMEDY)
    signature = signature_of(model.graph, "the model")
    _check_ports("inputs", signature.inputs, card.inputs)
    _check_ports("outputs", signature.outputs, card.outputs)


def _check_ports(what: str, ports: tuple[Port, ...], specs: tuple[TensorSpec, ...]) -> None:
    """Same names and dtypes; same ranks, and equal wherever both sides give a fixed size."""
    found = {port.name: port for port in ports}
    listed = {spec.name: spec for spec in specs}
    fit = found.keys() == listed.keys() and all(
        str(port.dtype) == listed[name].dtype
        and len(port.shape) == len(listed[name].shape)
        and all(
            one == other
            for one, other in zip(port.shape, listed[name].shape, strict=True)
            if isinstance(one, int) and isinstance(other, int)
        )
        for name, port in found.items()
    )
    if not fit:
        words = "; ".join(port.words for port in ports)
        raise EngineError(f"Its {what} are {words}, not what the card says.", remedy=REMEDY)
