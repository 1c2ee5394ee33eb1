# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""RED-CNN as an ONNX graph: the network whose published quality is the bar for denoising CT.

Chen and others, IEEE Trans Med Imaging 36 (2017) 2524-2535: five convolutions and five transposed ones of
5 x 5 at full resolution without padding, three shortcuts, the last of them from the input. The published
network sees values between 0 and 1; here the graph itself scales CT numbers and back.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from export.reference.denoiser_graph import Weights
from export.reference.low_dose import HU_MAX, HU_MIN
from export.reference.onnx_graph import BATCH, Graph

CHANNELS: Final = 96
LAYERS: Final = 5
"""Convolutions, and as many transposed ones behind them."""
KERNEL_PX: Final = 5
SPAN_HU: Final = HU_MAX - HU_MIN
SHORTCUTS: Final = {0: 4, 2: 2, 4: 0}
"""Which transposed convolution is added to what came out of which convolution; 0 is the input."""


def sizes(channels: int = CHANNELS) -> dict[str, tuple[int, int]]:
    """Channels in and out of every layer, in order; the names are those of the weights."""
    first, last = (1, channels), (channels, 1)
    into = {f"convs.{number}": (channels, channels) if number else first for number in range(LAYERS)}
    back = {
        f"deconvs.{number}": (channels, channels) if number < LAYERS - 1 else last for number in range(LAYERS)
    }
    return {**into, **back}


def random_weights(*, channels: int = CHANNELS, seed: int = 1) -> Weights:
    """For its time, which does not depend on them; nothing is said about quality with these."""
    random = np.random.default_rng(seed)
    weights: Weights = {}
    for name, (before, after) in sizes(channels).items():
        shape = (after, before) if name.startswith("convs") else (before, after)
        scale = (2.0 / (before * KERNEL_PX**2)) ** 0.5
        drawn = random.normal(0, scale, (*shape, KERNEL_PX, KERNEL_PX))
        weights[f"{name}.weight"] = drawn.astype(np.float32)
        weights[f"{name}.bias"] = np.zeros(after, np.float32)
    return weights


def write_red_cnn(weights: Weights, path: Path) -> None:
    """Write it. Same arithmetic as `export.reference.red_cnn.RedCnn.forward`."""
    graph = Graph("red_cnn")
    hu = graph.input("slice", [BATCH, 1, "rows", "columns"])
    lowest = graph.constant(HU_MIN, "lowest_hu")
    span = graph.constant(SPAN_HU, "span_hu")
    above = graph.node("Sub", [graph.clip(hu, "clamped", HU_MIN, HU_MAX), lowest], "above")
    kept = [graph.node("Div", [above, span], "scaled")]
    for number in range(LAYERS):
        name = f"convs.{number}"
        made = graph.conv(kept[-1], name, weights[f"{name}.weight"], weights[f"{name}.bias"])
        kept.append(graph.node("Relu", [made], f"{name}/relu"))
    here = kept[-1]
    for number in range(LAYERS):
        name = f"deconvs.{number}"
        parts = [graph.constant(weights[f"{name}.{part}"], f"{name}/{part}") for part in ("weight", "bias")]
        here = graph.node("ConvTranspose", [here, *parts], name, kernel_shape=[KERNEL_PX, KERNEL_PX])
        if number in SHORTCUTS:
            here = graph.node("Add", [here, kept[SHORTCUTS[number]]], f"{name}/joined")
        here = graph.node("Relu", [here], f"{name}/relu")
    answer = graph.node("Add", [graph.node("Mul", [here, span], "unscaled"), lowest], "answer")
    graph.output(answer, "denoised", [BATCH, 1, "rows", "columns"])
    graph.save(path, description="Slice in HU in, denoised slice in HU out")
