# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Q/DQ stand where every engine fuses them, and the codes mean what they should."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from appliance.engines.catalogue import load_engine
from appliance.errors import EngineError, InputError
from calibration.ranges import PERCENTILE, collect
from export.graphs import constants, consumers, producers, write_graph
from export.lint import lint
from export.quantize import activations, layers, quantised_weight, quantize, weight_axis
from export.session import relative_error, run_all
from tests.tiny_networks import CHANNELS, Network, images, residual_classifier


def int8(model: onnx.ModelProto, **more: object) -> onnx.ModelProto:
    ranges = collect(model, activations(model), images(8)).ranges(PERCENTILE)
    return quantize(model, ranges, **more).model  # type: ignore[arg-type]  # passed through


def test_weights_are_int8_per_output_channel_with_zero_point_zero() -> None:
    model = int8(residual_classifier())
    stored = constants(model)
    made_by = producers(model)
    found = [node for node in model.graph.node if node.op_type in {"Conv", "Gemm"}]
    assert len(found) == 4
    for layer in found:
        back = made_by[layer.input[1]]
        assert back.op_type == "DequantizeLinear"
        codes, scale, zero = (stored[name] for name in back.input)
        assert codes.dtype == np.int8
        assert np.abs(codes.astype(int)).max() == 127
        assert scale.shape == zero.shape == (codes.shape[0],)
        assert not zero.any()
    assert not any(
        "weight" in name and array.dtype == np.float32 and array.ndim > 1 for name, array in stored.items()
    )


def test_bias_and_outputs_stay_float() -> None:
    model = int8(residual_classifier())
    stored, made_by = constants(model), producers(model)
    for layer in model.graph.node:
        if layer.op_type in {"Conv", "Gemm"}:
            assert stored[layer.input[2]].dtype == np.float32
    assert made_by["logits"].op_type == "Gemm"


def test_nothing_stands_between_a_convolution_and_its_relu() -> None:
    model = int8(residual_classifier())
    taken_by = consumers(model)
    for name in ("stem", "inner"):
        assert [node.op_type for node in taken_by[name]] == ["Relu"]
    assert [node.op_type for node in taken_by["outer"]] == ["Add"]


def test_a_residual_add_is_quantised_on_the_skip_side_only() -> None:
    model = int8(residual_classifier())
    add = next(node for node in model.graph.node if node.op_type == "Add")
    made_by = producers(model)
    assert made_by[add.input[0]].op_type == "Conv"
    assert made_by[add.input[1]].op_type == "DequantizeLinear"


def test_of_two_convolutions_the_later_one_ends_the_block() -> None:
    net = Network()
    net.conv("image", "stem", inside=1, outside=CHANNELS)
    net.add("Relu", ["stem"], "stem/relu")
    net.conv("stem/relu", "projection", inside=CHANNELS, outside=CHANNELS, side=1)
    net.conv("stem/relu", "inner", inside=CHANNELS, outside=CHANNELS)
    net.add("Relu", ["inner"], "inner/relu")
    net.conv("inner/relu", "outer", inside=CHANNELS, outside=CHANNELS)
    net.add("Add", ["outer", "projection"], "joined")
    net.add("Relu", ["joined"], "out")
    model = int8(net.model({"out": ["batch", CHANNELS, 16, 16]}))
    add = next(node for node in model.graph.node if node.op_type == "Add")
    assert add.input[0] == "outer"
    assert add.input[1] == "projection/int8/float"


def test_one_tensor_has_one_pair_however_many_take_it() -> None:
    model = int8(residual_classifier())
    pairs = [node.input[0] for node in model.graph.node if node.op_type == "QuantizeLinear"]
    assert sorted(pairs) == sorted(set(pairs)) == ["flat", "image", "inner/relu", "stem/relu"]


def test_the_answer_is_nearly_the_same_and_every_engine_agrees(tmp_path: Path) -> None:
    model = residual_classifier()
    quantised = int8(model)
    given = images(6, seed=11)
    wanted = run_all(model, given)
    assert 0 < relative_error(run_all(quantised, given), wanted)["logits"] < 0.05
    path = write_graph(quantised, tmp_path / "model.int8.onnx")
    answers = {}
    for name in ("ort", "openvino"):
        try:
            with load_engine(name, path, threads=1) as engine:
                answers[name] = [engine.infer(item) for item in given]
        except EngineError as error:
            pytest.skip(f"{name}: {error}")
    # a value on the border between two codes may fall either way; a wrong scale would be off by far more
    assert relative_error(answers["openvino"], answers["ort"])["logits"] < 0.02


def joined_channels(*, of_image: bool) -> onnx.ModelProto:
    """A convolution after a Concat: of the image's copies (MobileNet) or of branches (SqueezeNet)."""
    net = Network()
    if of_image:
        net.add("Concat", ["image"] * 3, "joined", axis=1)
        inside = 3
    else:
        net.conv("image", "stem", inside=1, outside=CHANNELS)
        net.add("Relu", ["stem"], "stem/relu")
        for branch, side in (("left", 1), ("right", 3)):
            net.conv("stem/relu", branch, inside=CHANNELS, outside=CHANNELS, side=side)
            net.add("Relu", [branch], f"{branch}/relu")
        net.add("Concat", ["left/relu", "right/relu"], "joined", axis=1)
        inside = 2 * CHANNELS
    net.conv("joined", "after", inside=inside, outside=CHANNELS)
    net.add("Relu", ["after"], "out")
    return net.model({"out": ["batch", CHANNELS, 16, 16]})


@pytest.mark.parametrize("of_image", [True, False])
def test_every_engine_reads_a_quantised_concat_rightly(of_image: bool, tmp_path: Path) -> None:
    model = joined_channels(of_image=of_image)
    quantised = int8(model)
    between = producers(quantised)["joined/apart"]
    assert between.op_type == "MaxPool"
    given = images(4, seed=11)
    path = write_graph(quantised, tmp_path / "model.int8.onnx")
    wanted = run_all(model, given)
    for name in ("ort", "openvino"):
        with load_engine(name, path, threads=1) as engine:
            found = [engine.infer(item) for item in given]
        assert relative_error(found, wanted)["out"] < 0.05, name


def test_layers_that_are_to_stay_float_have_no_pair() -> None:
    model = residual_classifier()
    ranges = collect(model, activations(model), images(8)).ranges(PERCENTILE)
    found = quantize(model, ranges, keep_float=("stem", "logits"))
    assert found.layers == ("inner", "outer")
    assert found.left_in_float == ("stem", "logits")
    stored = constants(found.model)
    assert {"stem/weight", "head/weight"} <= stored.keys()
    assert not any(name.startswith(("image/int8", "flat/int8")) for name in stored)


def test_a_graph_without_a_layer_for_int8_is_refused() -> None:
    model = residual_classifier()
    with pytest.raises(InputError, match="None of the 4 layers"):
        quantize(model, {})


@pytest.mark.parametrize(
    ("kind", "shape", "attributes", "axis"),
    [
        ("Conv", (6, 4, 3, 3), {}, 0),
        ("ConvTranspose", (4, 6, 2, 2), {}, 1),
        ("Gemm", (6, 4), {"transB": 1}, 0),
        ("Gemm", (4, 6), {}, 1),
        ("MatMul", (4, 6), {}, 1),
    ],
)
def test_channels_lie_along_the_right_axis(
    kind: str, shape: tuple[int, ...], attributes: dict[str, int], axis: int
) -> None:
    node = onnx.helper.make_node(kind, ["x", "w"], ["y"], **attributes)
    weight = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    assert weight_axis(node) == axis
    codes, scale = quantised_weight(weight, axis)
    assert len(scale) == 6
    shaped = [1] * weight.ndim
    shaped[axis] = 6
    assert np.abs(codes * scale.reshape(shaped) - weight).max() <= scale.max() / 2 + 1e-7


def test_a_transposed_convolution_answers_nearly_the_same() -> None:
    net = Network()
    net.conv("image", "stem", inside=1, outside=CHANNELS)
    net.add("Relu", ["stem"], "stem/relu")
    net.keep("up/weight", net.random.normal(0, 0.3, (CHANNELS, 3, 2, 2)).astype(np.float32))
    net.add("ConvTranspose", ["stem/relu", "up/weight"], "out", kernel_shape=[2, 2], strides=[2, 2])
    model = net.model({"out": ["batch", 3, 32, 32]})
    given = images(4, seed=3)
    assert relative_error(run_all(int8(model), given), run_all(model, given))["out"] < 0.05


def test_a_channel_of_zeros_has_a_scale() -> None:
    weight = np.zeros((2, 3, 1, 1), np.float32)
    weight[1] = 0.5
    codes, scale = quantised_weight(weight, 0)
    assert (scale > 0).all()
    assert not codes[0].any()
    assert (codes[1] == 127).all()


def test_what_the_quantiser_writes_is_what_the_lint_lets_pass() -> None:
    assert lint(int8(residual_classifier())) == ()


def test_layers_with_computed_weights_are_left_alone() -> None:
    net = Network()
    net.conv("image", "stem", inside=1, outside=CHANNELS)
    net.add("Relu", ["stem"], "stem/relu")
    net.add("Transpose", ["stem/relu"], "turned", perm=[0, 1, 3, 2])
    net.add("MatMul", ["stem/relu", "turned"], "out")
    model = net.model({"out": ["batch", CHANNELS, 16, 16]})
    assert [node.name for node in layers(model)] == ["stem"]
