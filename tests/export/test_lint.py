# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What NVIDIA's parser refuses is found, one graph for each rule, and the parser itself agrees."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from appliance.errors import InputError
from export.lint import lint, require_clean
from tests.tiny_networks import CHANNELS, Network, residual_classifier


def quantised(
    *,
    codes: type[np.generic] = np.int8,
    zero: int = 0,
    scale: Any = 0.01,
    scale_type: type[np.generic] = np.float32,
    dequantises: bool = True,
) -> onnx.ModelProto:
    """One convolution behind one pair, made as asked."""
    net = Network()
    net.keep("scale", np.asarray(scale, scale_type))
    net.keep("zero", np.full(np.shape(scale), zero, codes))
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(scale_type))
    net.add("Cast", ["image"], "given", to=kind)
    net.add("QuantizeLinear", ["given", "scale", "zero"], "codes")
    if dequantises:
        net.add("DequantizeLinear", ["codes", "scale", "zero"], "numbers")
    net.add("Cast", ["numbers" if dequantises else "codes"], "back", to=TensorProto.FLOAT)
    net.conv("back", "out", inside=1, outside=CHANNELS)
    return net.model({"out": ["batch", CHANNELS, 16, 16]}, opset=20 if codes == np.int8 else 21)


def int32_bias() -> onnx.ModelProto:
    net = Network()
    net.conv("image", "out", inside=1, outside=CHANNELS)
    net.keep("bias/codes", np.arange(CHANNELS, dtype=np.int32))
    net.keep("bias/scale", np.full(CHANNELS, 0.01, np.float32))
    back = helper.make_node(
        "DequantizeLinear", ["bias/codes", "bias/scale"], ["bias/back"], name="bias/back", axis=0
    )
    net.nodes.insert(0, back)
    net.nodes[1].input[2] = "bias/back"
    return net.model({"out": ["batch", CHANNELS, 16, 16]})


def changed(change: Callable[[onnx.ModelProto], None]) -> onnx.ModelProto:
    model = residual_classifier()
    change(model)
    return model


def old_opset(model: onnx.ModelProto) -> None:
    model.opset_import[0].version = 13


def new_opset(model: onnx.ModelProto) -> None:
    model.opset_import[0].version = 21


def outside(model: onnx.ModelProto) -> None:
    weights = model.graph.initializer[0]
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="weights.bin")


def foreign(model: onnx.ModelProto) -> None:
    model.graph.node[0].domain = "com.microsoft"


def double(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].CopyFrom(
        numpy_helper.from_array(np.zeros((2, 2)), model.graph.initializer[0].name)
    )


def quantised_output() -> onnx.ModelProto:
    net = Network()
    net.conv("image", "conv", inside=1, outside=CHANNELS)
    net.keep("scale", np.float32(0.1))
    net.keep("zero", np.int8(0))
    net.add("QuantizeLinear", ["conv", "scale", "zero"], "codes")
    net.add("DequantizeLinear", ["codes", "scale", "zero"], "out")
    return net.model({"out": ["batch", CHANNELS, 16, 16]})


def dynamic_scale() -> onnx.ModelProto:
    net = Network()
    net.add("ReduceMax", ["image"], "scale", keepdims=0)
    net.keep("zero", np.int8(0))
    net.add("QuantizeLinear", ["image", "scale", "zero"], "codes")
    net.add("DequantizeLinear", ["codes", "scale", "zero"], "back")
    net.conv("back", "out", inside=1, outside=CHANNELS)
    return net.model({"out": ["batch", CHANNELS, 16, 16]})


def integer_operator() -> onnx.ModelProto:
    net = Network()
    net.keep("weight", np.ones((CHANNELS, 1, 1, 1), np.int8))
    net.add("Cast", ["image"], "codes", to=TensorProto.INT8)
    net.add("ConvInteger", ["codes", "weight"], "sums")
    net.add("Cast", ["sums"], "out", to=TensorProto.FLOAT)
    return net.model({"out": ["batch", CHANNELS, 16, 16]})


def per_channel_activation() -> onnx.ModelProto:
    net = Network(channels=2)
    net.keep("scale", np.array([0.1, 0.2], np.float32))
    net.keep("zero", np.zeros(2, np.int8))
    net.add("QuantizeLinear", ["image", "scale", "zero"], "codes", axis=1)
    net.add("DequantizeLinear", ["codes", "scale", "zero"], "back", axis=1)
    net.conv("back", "out", inside=2, outside=CHANNELS)
    return net.model({"out": ["batch", CHANNELS, 16, 16]})


REFUSED = {
    "int32-bias": int32_bias,
    "zero-point": lambda: quantised(zero=3),
    "code-type": lambda: quantised(codes=np.int16),
    "uint8": lambda: quantised(codes=np.uint8),
    "scale": lambda: quantised(scale=0.0),
    "scale-type": lambda: quantised(scale_type=np.float16),
    "per-channel-activation": per_channel_activation,
    "lone-quantise": lambda: quantised(dequantises=False),
    "quantised-output": quantised_output,
    "dynamic-scale": dynamic_scale,
    "integer-operator": integer_operator,
    "opset": lambda: changed(old_opset),
    "external-data": lambda: changed(outside),
    "foreign-operator": lambda: changed(foreign),
    "type": lambda: changed(double),
}


def test_a_good_graph_has_no_finding() -> None:
    assert lint(residual_classifier()) == ()
    assert lint(quantised()) == ()
    require_clean(quantised(), "model.onnx")


@pytest.mark.parametrize("rule", REFUSED)
def test_each_rule_finds_its_graph(rule: str) -> None:
    found = lint(REFUSED[rule]())
    assert rule in {finding.rule for finding in found}, found
    assert all(finding.node and finding.remedy.endswith(".") for finding in found)


def test_a_newer_opset_is_refused_too() -> None:
    assert [finding.rule for finding in lint(changed(new_opset))] == ["opset"]


def test_a_missing_zero_point_means_uint8() -> None:
    model = quantised()
    for node in model.graph.node:
        if node.op_type in {"QuantizeLinear", "DequantizeLinear"}:
            del node.input[2:]
    assert [finding.rule for finding in lint(model)] == ["uint8"]


def test_the_error_names_the_first_node_and_counts_the_rest() -> None:
    with pytest.raises(InputError, match=r"model.onnx: codes: .*\(and 1 more\)") as caught:
        require_clean(quantised(zero=3), "model.onnx")
    assert "symmetric int8" in caught.value.remedy


@pytest.mark.parametrize("rule", ["int32-bias", "zero-point", "code-type", "integer-operator"])
def test_nvidias_parser_refuses_the_same(rule: str) -> None:
    assert parses(quantised())
    assert not parses(REFUSED[rule]())


def parses(model: onnx.ModelProto) -> bool:
    try:
        trt = importlib.import_module("tensorrt_rtx")
    except ImportError as error:
        pytest.skip(f"tensorrt_rtx is not installed: {error}")
    logger = trt.Logger(trt.Logger.INTERNAL_ERROR)
    builder = trt.Builder(logger)
    network = builder.create_network()
    return bool(trt.OnnxParser(network, logger).parse(model.SerializeToString()))
