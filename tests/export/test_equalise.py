# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Evening out channels changes nothing in float, and much in int8."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from calibration.ranges import MSE, collect
from export.equalise import equalised, has_links
from export.graphs import constants, named
from export.quantize import activations, quantize
from export.session import relative_error, run_all
from tests.tiny_networks import CHANNELS, SIDE_PX, Network, images

OUTPUT: dict[str, list[int | str]] = {"answer": ["batch", 1, SIDE_PX, SIDE_PX]}
GAINS = np.float32(100.0) ** np.linspace(-1, 1, CHANNELS, dtype=np.float32)


def uneven(model: onnx.ModelProto, maker: str, reader: str) -> onnx.ModelProto:
    """The same answers, but the channels of `maker` differ by a factor of 10,000."""
    changed = {
        f"{maker}/weight": GAINS[:, None, None, None],
        f"{maker}/bias": GAINS,
        f"{reader}/weight": 1 / GAINS[None, :, None, None],
    }
    for item in model.graph.initializer:
        if item.name in changed:
            item.CopyFrom(
                numpy_helper.from_array(numpy_helper.to_array(item) * changed[item.name], item.name)
            )
    return model


def chain() -> onnx.ModelProto:
    """Two convolutions with a ReLU and a pooling between them."""
    net = Network()
    first = net.add("Relu", [net.conv("image", "maker", inside=1, outside=CHANNELS)], "relu")
    pooled = net.add("MaxPool", [first], "pool", kernel_shape=[3, 3], pads=[1] * 4)
    net.add("Identity", [net.conv(pooled, "reader", inside=CHANNELS, outside=1)], "answer")
    return uneven(net.model(OUTPUT), "maker", "reader")


def joined() -> onnx.ModelProto:
    """Two convolutions side by side, joined, and read by two others."""
    net = Network()
    parts = [
        net.add("Relu", [net.conv("image", name, inside=1, outside=CHANNELS)], f"{name}/relu")
        for name in ("left", "right")
    ]
    both = net.add("Concat", parts, "both", axis=1)
    reader = [net.conv(both, name, inside=2 * CHANNELS, outside=1) for name in ("one", "two")]
    net.add("Add", reader, "answer")
    return net.model(OUTPUT)


def int8_error(model: onnx.ModelProto, wanted: onnx.ModelProto) -> float:
    ranges = collect(model, activations(model), images(8)).ranges(MSE)
    found = run_all(quantize(model, ranges).model, images(8))
    return relative_error(found, run_all(wanted, images(8)))["answer"]


@pytest.mark.parametrize("network", [chain, joined])
@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_in_float_the_answers_are_the_same(network: Callable[[], onnx.ModelProto], strength: float) -> None:
    model = network()
    before = model.SerializeToString()
    found = equalised(model, images(4), strength=strength)
    assert model.SerializeToString() == before
    assert found.SerializeToString() != named(model).SerializeToString()
    assert relative_error(run_all(found, images(4)), run_all(model, images(4)))["answer"] < 1e-5


def test_in_int8_they_are_several_times_nearer() -> None:
    model = chain()
    as_it_is = int8_error(model, model)
    assert as_it_is > 0.05
    assert int8_error(equalised(model, images(8), strength=0.5), model) < as_it_is / 4


def test_every_channel_of_a_join_finds_its_own_factor() -> None:
    model = joined()
    found = constants(equalised(model, images(4), strength=0.5))
    before = constants(model)
    factors = before["left/bias"] / found["left/bias"]
    for reader in ("one", "two"):
        read = found[f"{reader}/weight"][0, :CHANNELS] / before[f"{reader}/weight"][0, :CHANNELS]
        np.testing.assert_allclose(read, np.broadcast_to(factors[:, None, None], read.shape), rtol=1e-5)


def with_a_ceiling() -> Network:
    """A Clip cuts at a value: a scaled channel would be cut elsewhere."""
    net = Network()
    net.conv("image", "maker", inside=1, outside=CHANNELS)
    limits = [net.keep("low", np.float32(0)), net.keep("high", np.float32(6))]
    net.add("Clip", ["maker", *limits], "cut")
    net.add("Identity", [net.conv("cut", "reader", inside=CHANNELS, outside=1)], "answer")
    return net


def also_added() -> Network:
    """What the first convolution makes is also taken by an Add, which cannot adapt."""
    net = Network()
    first = net.add("Relu", [net.conv("image", "maker", inside=1, outside=CHANNELS)], "relu")
    second = net.conv(first, "reader", inside=CHANNELS, outside=CHANNELS)
    net.add("ReduceMean", [net.add("Add", [first, second], "sum")], "answer", axes=[1], keepdims=1)
    return net


def by_groups() -> Network:
    net = Network()
    first = net.add("Relu", [net.conv("image", "maker", inside=1, outside=CHANNELS)], "relu")
    second = net.conv(first, "reader", inside=1, outside=CHANNELS, group=CHANNELS)
    net.add("ReduceMean", [second], "answer", axes=[1], keepdims=1)
    return net


def one_weight_for_two() -> Network:
    net = Network()
    first = net.add("Relu", [net.conv("image", "maker", inside=1, outside=CHANNELS)], "relu")
    net.conv(first, "reader", inside=CHANNELS, outside=CHANNELS)
    again = net.add("Conv", ["reader", "reader/weight"], "again", pads=[1] * 4)
    net.add("ReduceMean", [again], "answer", axes=[1], keepdims=1)
    return net


@pytest.mark.parametrize("network", [with_a_ceiling, also_added, by_groups, one_weight_for_two])
def test_what_could_not_be_undone_stays_as_it_is(network: Callable[[], Network]) -> None:
    model = network().model(OUTPUT)
    assert not has_links(named(model))
    assert equalised(model, images(2), strength=0.5) == named(model)
