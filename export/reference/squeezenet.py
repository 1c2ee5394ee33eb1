# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The frozen image backbone of the chest model: SqueezeNet 1.0 up to its last pooling.

Plain convolutions and ReLU: the family that engines run several times faster in 8 bits. Its ImageNet
weights expect blue, green, red in 0..255 less a mean; our films are grey in 0..1, so the three channels
of the first layer become one, with the same arithmetic. Layers are padded so that a film of 320 px gives
20 x 20 places of 16 px each; black is what lies outside the film, as the letterbox has it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from export.reference.onnx_graph import Graph

FILE: Final = Path("backbones") / "squeezenet1.0_imagenet_f32.npz"
LICENCE: Final = Path("backbones") / "LICENCE.SqueezeNet-Deep-Compression"
"""Has to travel with the weights."""
MEAN: Final = (104.0, 117.0, 123.0)
"""Subtracted from blue, green and red in the training of these weights (Iandola et al. 2016, Caffe)."""
WHITE: Final = 255.0
LAST_FIRE: Final = 8
POOLED_AFTER: Final = (4, 8)
"""Fire modules that a 3x3 maximum of stride 2 follows (Iandola et al. 2016, table 1)."""
CHANNELS: Final = 512
STRIDE_PX: Final = 16
"""Pixels of the film per place of the map."""

Weights = dict[str, NDArray[np.float32]]


def read_weights(data: Path) -> Weights:
    """Published weights, the first layer brought to one grey channel in 0..1."""
    with np.load(data / FILE, allow_pickle=False) as arrays:
        weights = {name: arrays[name].astype(np.float32) for name in arrays.files}
    colour = weights["conv1/w"]
    mean = np.asarray(MEAN, np.float32)
    weights["conv1/b"] = weights["conv1/b"] - (colour.sum(axis=(2, 3)) * mean).sum(axis=1)
    weights["conv1/w"] = colour.sum(axis=1, keepdims=True) * np.float32(WHITE)
    return weights


def add_trunk(graph: Graph, image: str, weights: Weights) -> str:
    """Append the layers; returns the map [batch, 512, rows / 16, columns / 16], not below zero."""

    def layer(tensor: str, name: str, *, stride: int = 1) -> str:
        weight, bias = weights[f"{name}/w"], weights[f"{name}/b"]
        pad = weight.shape[2] // 2
        made = graph.conv(tensor, name, weight, bias, stride=stride, pads=(pad, pad, pad, pad))
        return graph.node("Relu", [made], f"{name}/relu")

    def pool(tensor: str, name: str) -> str:
        return graph.node("MaxPool", [tensor], name, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])

    tensor = pool(layer(image, "conv1", stride=2), "pool1")
    for number in range(2, LAST_FIRE + 1):
        name = f"fire{number}"
        squeezed = layer(tensor, f"{name}/squeeze1x1")
        wide = [layer(squeezed, f"{name}/{part}") for part in ("expand1x1", "expand3x3")]
        tensor = graph.node("Concat", wide, f"{name}/joined", axis=1)
        if number in POOLED_AFTER:
            tensor = pool(tensor, f"pool{number}")
    return tensor
