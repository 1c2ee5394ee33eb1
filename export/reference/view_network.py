# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The small network that tells which part a radiograph shows and how it was turned.

Plain convolutions, 0.03 GFLOP at 128 px. Two heads on the mean of one feature map.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from export.reference.onnx_graph import BATCH, Graph

SIZE_PX = 128
PARTS = ("CHEST", "UPPER_LIMB")
ROTATIONS = ("ROTATION_0", "ROTATION_90", "ROTATION_180", "ROTATION_270")
WIDTHS = (16, 32, 48, 64, 96)
"""Output channels; each convolution halves the picture."""


class ViewNetwork(nn.Module):
    """Five halving convolutions, one more on top, a mean and two linear heads."""

    def __init__(self) -> None:
        super().__init__()
        channels = (1, *WIDTHS)
        self.layers = nn.ModuleList(
            nn.Conv2d(before, after, 3, stride=2, padding=1) for before, after in itertools.pairwise(channels)
        )
        self.top = nn.Conv2d(WIDTHS[-1], WIDTHS[-1], 3, padding=1)
        self.part = nn.Linear(WIDTHS[-1], len(PARTS))
        self.rotation = nn.Linear(WIDTHS[-1], len(ROTATIONS))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(part logits, rotation logits)."""
        tensor = image * 2 - 1
        for layer in self.layers:
            tensor = functional.relu(layer(tensor))
        mean = functional.relu(self.top(tensor)).mean(dim=(2, 3))
        return self.part(mean), self.rotation(mean)


def write_view_graph(network: ViewNetwork, path: Path) -> None:
    """Same arithmetic as `ViewNetwork.forward`; the heads are 1x1 convolutions of the mean."""
    weights: dict[str, NDArray[np.float32]] = {
        name: value.detach().numpy() for name, value in network.state_dict().items()
    }
    graph = Graph("radiograph_view")
    image = graph.input("image", [BATCH, 1, SIZE_PX, SIZE_PX])
    doubled = graph.node("Mul", [image, graph.constant(2.0, "number/2")], "normalise/scale")
    tensor = graph.node("Sub", [doubled, graph.constant(1.0, "number/1")], "normalise/shift")
    for name, stride in [*((f"layers.{index}", 2) for index in range(len(WIDTHS))), ("top", 1)]:
        made = graph.conv(
            tensor,
            name,
            weights[f"{name}.weight"],
            weights[f"{name}.bias"],
            stride=stride,
            pads=(1, 1, 1, 1),
        )
        tensor = graph.node("Relu", [made], f"{name}/relu")
    mean = graph.node("GlobalAveragePool", [tensor], "mean")
    for name, count in (("part", len(PARTS)), ("rotation", len(ROTATIONS))):
        head = graph.conv(mean, name, weights[f"{name}.weight"][:, :, None, None], weights[f"{name}.bias"])
        graph.output(graph.node("Flatten", [head], f"{name}/flat", axis=1), f"logits_{name}", [BATCH, count])
    graph.save(path, description="Grey 0..1 in; part and clockwise rotation out, one sigmoid per label")


def load(path: Path) -> ViewNetwork:
    """Trained weights."""
    network = ViewNetwork()
    network.load_state_dict(torch.load(path, weights_only=True))
    return network
