# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The CT denoiser as an ONNX graph, from its trained weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from export.reference.low_dose import HU_MAX, HU_MIN
from export.reference.onnx_graph import BATCH, Graph

Weights = dict[str, NDArray[np.float32]]
SCALE_HU = 400.0
"""CT numbers are divided by this inside the graph."""
NOISE_LIMIT_HU = 300.0
"""The most that the denoiser may take from or add to a pixel."""
DEEP_LAYERS = 5
"""Of a network that is trained now; one that was trained with fewer is written with as many as it has."""
KERNEL_PX = 3
SAME = (1, 1, 1, 1)


def read_weights(path: Path) -> Weights:
    """The trained weights of a graph that `write_denoiser` wrote."""
    stored = onnx.load(path).graph.initializer
    named = {item.name.replace("/", "."): onnx.numpy_helper.to_array(item) for item in stored}
    return {
        name: np.array(value, np.float32)
        for name, value in named.items()
        if name.endswith((".weight", ".bias"))
    }


def write_denoiser(weights: Weights, path: Path) -> None:
    """Write it. Same arithmetic as `export.reference.denoiser.Denoiser.forward`."""
    graph = Graph("ct_denoise")

    def conv(tensor: str, name: str, *, stride: int = 1, relu: bool = True) -> str:
        weight = weights[f"{name}.weight"]
        made = graph.conv(
            tensor,
            name.replace(".", "/"),
            weight,
            weights[f"{name}.bias"],
            stride=stride,
            pads=SAME if weight.shape[2] == KERNEL_PX else (0, 0, 0, 0),
        )
        return graph.node("Relu", [made], f"{made}/relu") if relu else made

    hu = graph.input("slice", [BATCH, 1, "rows", "columns"])
    clamped = graph.clip(hu, "clamped", HU_MIN, HU_MAX)
    scale = graph.constant(SCALE_HU, "scale_hu")
    scaled = graph.node("Div", [clamped, scale], "scaled")
    small = graph.node("SpaceToDepth", [scaled], "small", blocksize=2)
    fine = conv(conv(small, "stem"), "fine")
    deep = conv(fine, "down", stride=2)
    for number in range(sum(name.startswith("deep.") for name in weights) // 2):
        deep = conv(deep, f"deep.{number}")
    wide = conv(deep, "up", relu=False)
    shuffled = graph.node("DepthToSpace", [wide], "up/shuffled", blocksize=2, mode="CRD")
    merged = conv(graph.node("Add", [shuffled, fine], "joined"), "merge")
    quarter = conv(merged, "noise", relu=False)
    noise = graph.node("DepthToSpace", [quarter], "noise/full", blocksize=2, mode="CRD")
    noise_hu = graph.node("Mul", [noise, scale], "noise_hu")
    bounded = graph.clip(noise_hu, "noise_bounded", -NOISE_LIMIT_HU, NOISE_LIMIT_HU)
    inside = graph.node("Equal", [clamped, hu], "inside_range")
    answer = graph.node("Where", [inside, graph.node("Sub", [hu, bounded], "difference"), hu], "answer")
    graph.output(answer, "denoised", [BATCH, 1, "rows", "columns"])
    graph.save(path, description="Slice in HU in, denoised slice in HU out; rows and columns divisible by 4")
