# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A graph's inputs and outputs, held against its card: the same names, the same sizes, the same axes."""

from __future__ import annotations

import onnx

from appliance.domain.card import ModelCard, TensorSpec
from appliance.errors import InputError


def with_card_shapes(model: onnx.ModelProto, card: ModelCard) -> onnx.ModelProto:
    """A copy whose dynamic axes bear the card's names.

    Raises InputError when the graph has other inputs or outputs, or another size where both are fixed.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for what, values, specs in (
        ("inputs", copy.graph.input, card.inputs),
        ("outputs", copy.graph.output, card.outputs),
    ):
        found = {value.name: value for value in values}
        if found.keys() != {spec.name for spec in specs}:
            raise InputError(
                f"The model's {what} are {sorted(found)}, the card's {sorted(spec.name for spec in specs)}.",
                remedy="Name them in the card as they are in the model, or the other way round.",
            )
        for spec in specs:
            _name_axes(found[spec.name], spec)
    return copy


def _name_axes(value: onnx.ValueInfoProto, spec: TensorSpec) -> None:
    axes = value.type.tensor_type.shape.dim
    if len(axes) != len(spec.shape):
        raise _other_shape(value, spec)
    for axis, size in zip(axes, spec.shape, strict=True):
        if isinstance(size, str):
            if axis.HasField("dim_value"):
                raise _other_shape(value, spec)
            axis.dim_param = size
        elif axis.HasField("dim_value") and axis.dim_value != size:
            raise _other_shape(value, spec)
        else:
            axis.dim_value = size


def _other_shape(value: onnx.ValueInfoProto, spec: TensorSpec) -> InputError:
    found = [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]
    return InputError(
        f"{spec.name!r} has the shape {found} in the model and {list(spec.shape)} in the card.",
        remedy="Correct the card, or export the model with these shapes (a named axis is a dynamic one).",
    )
