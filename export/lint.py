# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What NVIDIA's parser refuses in a graph, found before a device does, with the node and the remedy.

Each rule was tried with the parser of TensorRT-RTX 1.7 (the same as TensorRT's); two are stricter on
purpose: UINT8 with a zero point of 0 builds there with nothing but a warning, and its codes above 127
are cut off; and an opset that only the newest parser reads shuts out older devices.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto

from appliance.errors import InputError
from export.graphs import EXPORT_AGAIN, OLDEST_OPSET, OPSET, constants, consumers, label, opset

QUANTISE_AGAIN: Final = (
    "Quantise the float32 model with `scanside export quantize`, or set the other tool to symmetric int8 "
    "with float bias."
)
EXTERNAL_DATA: Final = "external-data"
QUANTISING: Final = frozenset({"QuantizeLinear", "DequantizeLinear"})
INTEGER_OPERATORS: Final = frozenset(
    {"QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger", "DynamicQuantizeLinear"}
)
"""Quantised operators of ONNX that the parser does not import; only explicit Q/DQ is."""
REFUSED_TYPES: Final = frozenset(
    {
        TensorProto.DOUBLE,
        TensorProto.UINT16,
        TensorProto.UINT32,
        TensorProto.UINT64,
        TensorProto.INT16,
        TensorProto.COMPLEX64,
        TensorProto.COMPLEX128,
        TensorProto.STRING,
    }
)
"""Types of stored arrays, inputs and outputs that the engines do not share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LintFinding:
    """One thing that some engine would refuse or get wrong."""

    rule: str
    node: str
    """The node's name, or the tensor's where there is no node."""
    what: str
    remedy: str


def lint(model: onnx.ModelProto) -> tuple[LintFinding, ...]:
    """Everything that is wrong with the graph; empty: every engine takes it."""
    file = tuple(_file_rules(model))
    if any(finding.rule == EXTERNAL_DATA for finding in file):
        return file  # what is not in the file cannot be looked at
    return (*file, *_type_rules(model), *_quantisation_rules(model))


def require_clean(model: onnx.ModelProto, name: str) -> None:
    """Raises InputError with the first finding and how many there are."""
    found = lint(model)
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        first = found[0]
        raise InputError(f"{name}: {first.node}: {first.what}{more}.", remedy=first.remedy)


def _file_rules(model: onnx.ModelProto) -> Iterator[LintFinding]:
    version = opset(model)
    if not OLDEST_OPSET <= version <= OPSET:
        yield LintFinding(
            rule="opset",
            node="graph",
            what=f"its opset is {version}, not {OLDEST_OPSET} to {OPSET}",
            remedy=f"Export it again with opset_version={OPSET}.",
        )
    for weights in model.graph.initializer:
        if weights.data_location == TensorProto.EXTERNAL or weights.external_data:
            yield LintFinding(
                rule=EXTERNAL_DATA,
                node=weights.name,
                what="these weights lie outside the file",
                remedy=EXPORT_AGAIN,
            )
    for node in model.graph.node:
        if node.domain not in {"", "ai.onnx"}:
            yield LintFinding(
                rule="foreign-operator",
                node=label(node),
                what=f"{node.op_type} belongs to {node.domain!r}, not to the standard",
                remedy="Write this layer with standard operators.",
            )
        elif node.op_type in INTEGER_OPERATORS:
            yield LintFinding(
                rule="integer-operator",
                node=label(node),
                what=f"{node.op_type} is arithmetic on codes; only explicit Q/DQ is read everywhere",
                remedy=QUANTISE_AGAIN,
            )


def _type_rules(model: onnx.ModelProto) -> Iterator[LintFinding]:
    codes = {node.input[2] for node in model.graph.node if node.op_type in QUANTISING and len(node.input) > 2}
    codes |= {node.input[0] for node in model.graph.node if node.op_type == "DequantizeLinear"}
    types = {item.name: item.data_type for item in model.graph.initializer if item.name not in codes}
    for value in (*model.graph.input, *model.graph.output):
        types[value.name] = value.type.tensor_type.elem_type
    for name, kind in types.items():
        if kind in REFUSED_TYPES:
            yield LintFinding(
                rule="type",
                node=name,
                what=f"its type {TensorProto.DataType.Name(kind)} is not one that all engines have",
                remedy="Export the model in float32.",
            )


def _quantisation_rules(model: onnx.ModelProto) -> Iterator[LintFinding]:
    stored = constants(model)
    taken_by = consumers(model)
    outputs = {value.name for value in model.graph.output}
    for node in model.graph.node:
        if node.op_type not in QUANTISING:
            continue
        codes = stored.get(node.input[0]) if node.op_type == "DequantizeLinear" else None
        yield from _zero_point_rules(node, stored, codes)
        yield from _scale_rules(node, stored, is_weight=codes is not None)
        if node.op_type == "DequantizeLinear" and node.output[0] in outputs:
            yield LintFinding(
                rule="quantised-output",
                node=label(node),
                what=f"the output {node.output[0]!r} was rounded to 8 bits",
                remedy=QUANTISE_AGAIN,
            )
        if node.op_type == "QuantizeLinear" and any(
            other.op_type != "DequantizeLinear" for other in taken_by.get(node.output[0], ())
        ):
            yield LintFinding(
                rule="lone-quantise",
                node=label(node),
                what="its codes are used without being brought back to numbers",
                remedy=QUANTISE_AGAIN,
            )


def _zero_point_rules(
    node: onnx.NodeProto, stored: Mapping[str, NDArray[Any]], codes: NDArray[Any] | None
) -> Iterator[LintFinding]:
    given = len(node.input) > 2 and bool(node.input[2])
    zero = stored.get(node.input[2]) if given else None
    if given and zero is None:
        yield _finding("dynamic-zero-point", node, "its zero point is computed, not stored")
        return
    kind = zero.dtype if zero is not None else codes.dtype if codes is not None else None
    if kind is None and node.op_type == "QuantizeLinear":
        kind = np.dtype(np.uint8)  # what the standard says of a missing zero point
    if kind == np.int32:
        yield _finding(
            "int32-bias", node, "it dequantises int32 (a quantised bias); the parser takes int8 only"
        )
    elif kind == np.uint8:
        yield _finding("uint8", node, "its codes are UINT8: read as INT8 all above 127 are cut off")
    elif kind is not None and kind != np.int8:
        yield _finding("code-type", node, f"its codes are {kind}; only int8 is read everywhere")
    if zero is not None and np.any(zero != 0):
        yield _finding("zero-point", node, "its zero point is not 0 (asymmetric quantisation)")


def _scale_rules(
    node: onnx.NodeProto, stored: Mapping[str, NDArray[Any]], *, is_weight: bool
) -> Iterator[LintFinding]:
    scale = stored.get(node.input[1])
    if scale is None:
        yield _finding("dynamic-scale", node, "its scale is computed, not stored")
        return
    if scale.dtype != np.float32:
        yield _finding("scale-type", node, f"its scale is {scale.dtype}; below float32 small scales vanish")
    if not (np.isfinite(scale).all() and (scale > 0).all()):
        yield _finding("scale", node, "its scale is not above 0 throughout")
    if scale.size > 1 and not is_weight:
        yield _finding(
            "per-channel-activation", node, "an activation has a scale per channel, not one in all"
        )


def _finding(rule: str, node: onnx.NodeProto, what: str) -> LintFinding:
    return LintFinding(rule=rule, node=label(node), what=what, remedy=QUANTISE_AGAIN)
