# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Float16 inside, float32 at the borders, and scales that do not vanish."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from appliance.engines.catalogue import load_engine
from appliance.errors import InputError
from calibration.ranges import PERCENTILE, collect
from export.graphs import constants, producers, write_graph
from export.half import half
from export.quantize import activations, quantize
from export.session import relative_error, run_all
from tests.tiny_networks import CHANNELS, Network, images, residual_classifier


def hounsfield_network() -> onnx.ModelProto:
    """As a denoiser: the image, minus what a network makes of the scaled image."""
    net = Network()
    net.keep("thousand", np.float32(1000))
    net.add("Div", ["image", "thousand"], "scaled")
    net.conv("scaled", "first", inside=1, outside=CHANNELS)
    net.add("Relu", ["first"], "first/relu")
    net.conv("first/relu", "last", inside=CHANNELS, outside=1)
    net.add("Sub", ["image", "last"], "out")
    return net.model({"out": ["batch", 1, 16, 16]})


def test_layers_are_float16_and_borders_float32() -> None:
    model = half(residual_classifier())
    assert all(
        value.type.tensor_type.elem_type == TensorProto.FLOAT
        for value in (*model.graph.input, *model.graph.output)
    )
    stored = constants(model)
    for layer in model.graph.node:
        if layer.op_type in {"Conv", "Gemm"}:
            assert stored[layer.input[1]].dtype == np.float16
    given = images(4)
    assert 0 < relative_error(run_all(model, given), run_all(residual_classifier(), given))["logits"] < 0.01


def test_values_of_the_image_are_not_rounded_to_float16() -> None:
    """3001 is no float16; a network that finds no noise must give it back as it was."""
    model = hounsfield_network()
    for weights in model.graph.initializer:
        if weights.name.startswith("last/"):
            weights.raw_data = bytes(len(weights.raw_data))
    given = [{"image": np.full((1, 1, 16, 16), 3001.0, np.float32)}]
    assert (run_all(half(model), given)[0]["out"] == 3001.0).all()


def test_scales_of_an_int8_graph_stay_float32(tmp_path: Path) -> None:
    model = residual_classifier()
    ranges = collect(model, activations(model), images(8)).ranges(PERCENTILE)
    mixed = half(quantize(model, ranges, keep_float=("stem",)).model)
    stored, made_by = constants(mixed), producers(mixed)
    pairs = [node for node in mixed.graph.node if node.op_type in {"QuantizeLinear", "DequantizeLinear"}]
    assert len(pairs) > 4
    assert all(stored[node.input[1]].dtype == np.float32 for node in pairs)
    assert any(array.dtype == np.float16 for array in stored.values())
    assert "logits" in made_by
    given = images(4)
    assert relative_error(run_all(mixed, given), run_all(model, given))["logits"] < 0.05
    path = write_graph(mixed, tmp_path / "mixed.onnx")
    with load_engine("ort", path, threads=1) as engine:
        assert engine.infer(given[0])["logits"].dtype == np.float32


def test_a_graph_without_layers_is_refused() -> None:
    net = Network()
    net.add("Relu", ["image"], "out")
    with pytest.raises(InputError, match="no layer"):
        half(net.model({"out": ["batch", 1, 16, 16]}))
