# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Preprocessing inside the graph is that of the training; the heatmap's mean is the logit."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from appliance.errors import InputError
from export.in_graph import Normalisation, append_heatmap, prepend_normalisation
from export.session import run_all
from tests.tiny_networks import CHANNELS, Network, images, residual_classifier

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def test_one_grey_image_becomes_three_normalised_channels() -> None:
    model = residual_classifier(channels=3)
    whole = prepend_normalisation(model, Normalisation(mean=MEAN, std=STD), input_name="image")
    assert whole.graph.input[0].type.tensor_type.shape.dim[1].dim_value == 1
    grey = np.concatenate([item["image"] for item in images(3)])
    mean, std = (np.array(numbers, np.float32).reshape(1, 3, 1, 1) for numbers in (MEAN, STD))
    wanted = run_all(model, [{"image": (grey - mean) / std}])[0]["logits"]
    assert np.allclose(run_all(whole, [{"image": grey}])[0]["logits"], wanted, atol=1e-5)


def test_a_window_limits_and_scales_first() -> None:
    model = residual_classifier()
    how = Normalisation(mean=(0.5,), std=(0.25,), window=(-160.0, 240.0))
    whole = prepend_normalisation(model, how, input_name="image")
    hounsfield = np.random.default_rng(1).uniform(-1024, 3071, (2, 1, 16, 16)).astype(np.float32)
    windowed = (np.clip(hounsfield, -160, 240) + 160) / 400
    wanted = run_all(model, [{"image": (windowed - 0.5) / 0.25}])[0]["logits"]
    assert np.allclose(run_all(whole, [{"image": hounsfield}])[0]["logits"], wanted, atol=1e-4)


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ({"mean": (0.1, 0.2), "std": (1.0,)}, "one pair per channel"),
        ({"mean": (0.1,), "std": (0.0,)}, "std > 0"),
        ({"mean": (float("nan"),), "std": (1.0,)}, "one pair per channel"),
        ({"window": (5.0, 5.0)}, "is empty"),
    ],
)
def test_numbers_that_cannot_be_meant_are_refused(numbers: dict[str, tuple[float, ...]], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Normalisation(**numbers)  # type: ignore[arg-type]  # that is the point


def test_another_number_of_channels_or_another_name_is_refused() -> None:
    model = residual_classifier()
    with pytest.raises(InputError, match="1 channels, mean and std are given for 3"):
        prepend_normalisation(model, Normalisation(mean=MEAN, std=STD), input_name="image")
    with pytest.raises(InputError, match="no input 'film'"):
        prepend_normalisation(model, Normalisation(), input_name="film")


def ending(kind: str) -> onnx.ModelProto:
    """Features, their mean and a linear layer, in the ways in which exporters write them."""
    net = Network()
    net.conv("image", "features", inside=1, outside=CHANNELS)
    weight = net.random.normal(0, 0.5, (3, CHANNELS)).astype(np.float32)
    bias = net.keep("head/bias", net.random.normal(0, 0.5, 3).astype(np.float32))
    if kind == "convolution":
        net.add("GlobalAveragePool", ["features"], "mean")
        net.keep("head/weight", weight[:, :, None, None])
        net.add("Conv", ["mean", "head/weight", bias], "linear", kernel_shape=[1, 1])
        net.add("Flatten", ["linear"], "logits")
        return net.model({"logits": ["batch", 3]})
    net.keep("axes", np.array([2, 3]))
    net.nodes.append(
        onnx.helper.make_node("ReduceMean", ["features", "axes"], ["mean"], name="mean", keepdims=0)
    )
    if kind == "matrix":
        net.keep("head/weight", np.ascontiguousarray(weight.T))
        net.add("MatMul", ["mean", "head/weight"], "product")
        net.add("Add", ["product", bias], "logits")
    else:
        net.keep("head/weight", np.ascontiguousarray(weight.T))
        net.add("Gemm", ["mean", "head/weight", bias], "logits")
    return net.model({"logits": ["batch", 3]}, opset=18)


@pytest.mark.parametrize("kind", ["convolution", "matrix", "gemm"])
def test_the_mean_of_the_heatmap_is_the_logit(kind: str) -> None:
    model = append_heatmap(ending(kind), logits="logits", heatmap="heatmap")
    onnx.checker.check_model(model, full_check=True)
    for answer in run_all(model, images(3)):
        assert answer["heatmap"].shape == (1, 3, 16, 16)
        assert np.allclose(answer["heatmap"].mean((2, 3)), answer["logits"], atol=1e-5)
    assert [axis.dim_value for axis in model.graph.output[1].type.tensor_type.shape.dim][1:] == [3, 16, 16]
    assert model.graph.output[1].type.tensor_type.shape.dim[0].dim_param == "batch"


def test_the_heatmap_of_a_network_with_a_gemm_head() -> None:
    answer = run_all(append_heatmap(residual_classifier(), logits="logits", heatmap="map"), images(1))[0]
    assert np.allclose(answer["map"].mean((2, 3)), answer["logits"], atol=1e-5)


def test_a_network_that_ends_otherwise_has_no_heatmap() -> None:
    net = Network()
    net.conv("image", "features", inside=1, outside=CHANNELS)
    net.add("GlobalMaxPool", ["features"], "most")
    net.add("Flatten", ["most"], "flat")
    net.keep("head/weight", np.ones((3, CHANNELS), np.float32))
    net.add("Gemm", ["flat", "head/weight"], "logits", transB=1)
    with pytest.raises(InputError, match="no heatmap follows"):
        append_heatmap(net.model({"logits": ["batch", 3]}), logits="logits", heatmap="heatmap")
