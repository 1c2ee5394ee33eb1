# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What a graph computes in is told from its nodes, not from how its weights are stored."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import GraphProto, TensorProto, helper, numpy_helper

from appliance.engines.graph import signature_of


def product(*, cast_to: int | None) -> GraphProto:
    """The input times a float16 weight, which is cast first, or not."""
    kind = TensorProto.FLOAT if cast_to == TensorProto.FLOAT else TensorProto.FLOAT16
    ports = [helper.make_tensor_value_info(name, kind, [1, 2]) for name in ("x", "y")]
    nodes = [helper.make_node("Mul", ["x", "weight" if cast_to is None else "wide"], ["y"])]
    if cast_to is not None:
        nodes.insert(0, helper.make_node("Cast", ["weight"], ["wide"], to=cast_to))
    weight = numpy_helper.from_array(np.ones(2, np.float16), "weight")
    return helper.make_graph(nodes, "product", ports[:1], ports[1:], [weight])


@pytest.mark.parametrize(
    ("cast_to", "precision"), [(None, "f16"), (TensorProto.FLOAT16, "f16"), (TensorProto.FLOAT, "f32")]
)
def test_half_weights_that_are_widened_at_once_compute_in_float32(
    cast_to: int | None, precision: str
) -> None:
    assert signature_of(product(cast_to=cast_to), "product").precision == precision
