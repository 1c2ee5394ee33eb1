# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Networks of a few layers, written as graphs: what an exporter gives, small enough to read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

SIDE_PX = 16
CHANNELS = 8


class Network:
    """Nodes and weights, one after the other."""

    def __init__(self, *, channels: int = 1, seed: int = 1) -> None:
        self.random = np.random.default_rng(seed)
        self.channels = channels
        self.nodes: list[onnx.NodeProto] = []
        self.stored: dict[str, NDArray[Any]] = {}

    def keep(self, name: str, value: Any) -> str:
        self.stored[name] = np.asarray(value)
        return name

    def add(self, kind: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def conv(self, source: str, name: str, *, inside: int, outside: int, side: int = 3, **more: Any) -> str:
        weight = self.random.normal(0, (2 / (inside * side * side)) ** 0.5, (outside, inside, side, side))
        self.keep(f"{name}/weight", weight.astype(np.float32))
        self.keep(f"{name}/bias", self.random.normal(0, 0.1, outside).astype(np.float32))
        pads = [side // 2] * 4
        inputs = [source, f"{name}/weight", f"{name}/bias"]
        return self.add("Conv", inputs, name, kernel_shape=[side, side], pads=pads, **more)

    def model(self, outputs: dict[str, list[int | str]], *, opset: int = 17) -> onnx.ModelProto:
        value = helper.make_tensor_value_info
        graph = helper.make_graph(
            self.nodes,
            "tiny",
            [value("image", TensorProto.FLOAT, ["batch", self.channels, SIDE_PX, SIDE_PX])],
            [value(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
            [numpy_helper.from_array(array, name) for name, array in self.stored.items()],
        )
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
        onnx.checker.check_model(made, full_check=True)
        return made


def residual_classifier(*, channels: int = 1, labels: int = 3) -> onnx.ModelProto:
    """Two convolutions, a residual block, global mean and a linear layer."""
    net = Network(channels=channels)
    net.conv("image", "stem", inside=channels, outside=CHANNELS)
    net.add("Relu", ["stem"], "stem/relu")
    net.conv("stem/relu", "inner", inside=CHANNELS, outside=CHANNELS)
    net.add("Relu", ["inner"], "inner/relu")
    net.conv("inner/relu", "outer", inside=CHANNELS, outside=CHANNELS)
    net.add("Add", ["outer", "stem/relu"], "joined")
    net.add("Relu", ["joined"], "joined/relu")
    net.add("GlobalAveragePool", ["joined/relu"], "mean")
    net.add("Flatten", ["mean"], "flat")
    net.keep("head/weight", net.random.normal(0, 0.5, (labels, CHANNELS)).astype(np.float32))
    net.keep("head/bias", net.random.normal(0, 0.1, labels).astype(np.float32))
    net.add("Gemm", ["flat", "head/weight", "head/bias"], "logits", transB=1)
    return net.model({"logits": ["batch", labels]})


def images(count: int, *, channels: int = 1, seed: int = 7) -> list[dict[str, NDArray[np.float32]]]:
    """Blobs of different brightness, one image a batch."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:SIDE_PX, :SIDE_PX]
    found = []
    for _ in range(count):
        (row, column), width = random.uniform(3, 13, 2), random.uniform(1, 4)
        blob = np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / width**2)
        image = blob[None] * random.uniform(0.3, 1.0, (channels, 1, 1))
        image = image + random.normal(0, 0.02, image.shape)
        found.append({"image": image[None].astype(np.float32)})
    return found


def fragile_classifier() -> onnx.ModelProto:
    """Its layer "three" is given one channel a thousand times larger than the others, and ignores it.

    In float32 that does nothing; in int8 the large channel leaves no codes for the others. A Clip in place of
    a Relu, here cutting nothing, keeps the channels from being evened out.
    """
    net = Network(seed=15)  # whose answers differ most between images
    net.conv("image", "one", inside=1, outside=CHANNELS)
    net.add("Relu", ["one"], "one/relu")
    net.conv("one/relu", "two", inside=CHANNELS, outside=CHANNELS)
    limits = [net.keep("low", np.float32(0)), net.keep("high", np.float32(1e6))]
    net.add("Clip", ["two", *limits], "two/clip")
    net.conv("two/clip", "three", inside=CHANNELS, outside=CHANNELS)
    net.add("Relu", ["three"], "three/relu")
    net.add("GlobalAveragePool", ["three/relu"], "mean")
    net.add("Flatten", ["mean"], "flat")
    net.keep("head/weight", net.random.normal(0, 1, (2, CHANNELS)).astype(np.float32))
    net.keep("head/bias", np.zeros(2, np.float32))
    net.add("Gemm", ["flat", "head/weight", "head/bias"], "logits", transB=1)
    net.stored["two/bias"][0] = 1000.0
    net.stored["three/weight"][:, 0] = 0.0
    return net.model({"logits": ["batch", 2]})
