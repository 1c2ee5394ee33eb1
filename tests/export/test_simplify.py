# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The plainer graph computes the same, and one that does not is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

pytest.importorskip("onnxslim", reason="the workshop is not installed (make setup-export)")
import onnxslim

from appliance.errors import InputError
from export.session import relative_error, run_all
from export.simplify import examples_for, simplify
from tests.tiny_networks import CHANNELS, Network, images, residual_classifier


def with_batch_norm() -> onnx.ModelProto:
    net = Network()
    net.conv("image", "conv", inside=1, outside=CHANNELS)
    for name in ("gain", "shift", "mean"):
        net.keep(name, net.random.normal(0, 1, CHANNELS).astype(np.float32))
    net.keep("variance", net.random.uniform(0.5, 2, CHANNELS).astype(np.float32))
    net.add("BatchNormalization", ["conv", "gain", "shift", "mean", "variance"], "norm")
    net.add("Relu", ["norm"], "out")
    return net.model({"out": ["batch", CHANNELS, 16, 16]})


def with_stored_codes() -> onnx.ModelProto:
    net = Network()
    net.keep("codes", net.random.integers(-127, 127, (CHANNELS, 1, 3, 3)).astype(np.int8))
    net.keep("scale", net.random.uniform(0.001, 0.01, CHANNELS).astype(np.float32))
    net.keep("zero", net.random.integers(-3, 3, CHANNELS).astype(np.int8))
    net.add("DequantizeLinear", ["codes", "scale", "zero"], "weight", axis=0)
    net.add("Conv", ["image", "weight"], "out", kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    return net.model({"out": ["batch", CHANNELS, 16, 16]})


def test_batch_normalisation_disappears_into_its_convolution() -> None:
    model = with_batch_norm()
    found = simplify(model, examples=images(3))
    assert [node.op_type for node in found.model.graph.node] == ["Conv", "Relu"]
    assert (found.nodes_before, found.nodes_after) == (3, 2)
    assert relative_error(run_all(found.model, images(2)), run_all(model, images(2)))["out"] < 1e-5


def test_stored_codes_become_numbers() -> None:
    model = with_stored_codes()
    found = simplify(model)
    assert [node.op_type for node in found.model.graph.node] == ["Conv"]
    assert found.relative_error["out"] < 1e-6


def test_names_of_dynamic_axes_are_kept() -> None:
    found = simplify(residual_classifier()).model
    assert found.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    assert found.graph.output[0].type.tensor_type.shape.dim[0].dim_param == "batch"


def test_a_simplification_that_answers_differently_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    right = onnxslim.slim

    def wrong(model: onnx.ModelProto, **more: Any) -> onnx.ModelProto:
        slim = right(model, **more)
        weights = slim.graph.initializer[0]
        weights.CopyFrom(
            numpy_helper.from_array(numpy_helper.to_array(weights) * np.float32(1.01), weights.name)
        )
        return slim

    monkeypatch.setattr(onnxslim, "slim", wrong)
    with pytest.raises(InputError, match="answers differently"):
        simplify(with_batch_norm())


def test_examples_have_the_graphs_shapes() -> None:
    assert examples_for(residual_classifier())["image"].shape == (2, 1, 16, 16)
