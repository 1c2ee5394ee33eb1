# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The frozen image backbone: MobileNetV2 with its published 8-bit weights, unchanged.

The weights come quantised per output channel. They stay 8-bit integers in our file and are dequantised
in the graph, so nothing is lost against the source and the file is a quarter of the size. Activations
are float32.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from export.reference.onnx_graph import Graph

FILE = Path("backbones") / "mobilenet_v2_1.0_imagenet_int8.tflite"
CONVOLUTIONS = 52
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""(expansion, channels, blocks, stride of the first), Sandler et al. 2018, table 2."""
FINE_CHANNELS = 576
COARSE_CHANNELS = 1280


@dataclass(frozen=True, slots=True, kw_only=True)
class Convolution:
    """One layer's weights, output channel first."""

    weight: NDArray[np.int8]
    scale: NDArray[np.float32]
    bias: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """Names of the feature maps that a head may read."""

    fine: str
    """[batch, 576, rows / 16, columns / 16]."""
    coarse: str
    """[batch, 1280, rows / 32, columns / 32]."""


def read_convolutions(data: Path) -> list[Convolution]:
    """The backbone's layers in execution order; the file stores weight, bias, weight, bias, ..."""
    from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415 - only a recipe's machine has it

    interpreter = Interpreter(str(data / FILE))
    tensors = sorted(interpreter.get_tensor_details(), key=lambda item: item["index"])
    weights = [
        item
        for item in tensors
        if item["dtype"] == np.int8 and len(item["quantization_parameters"]["scales"]) > 1
    ]
    biases = [
        item
        for item in tensors
        if item["dtype"] == np.int32 and len(item["quantization_parameters"]["scales"]) > 1
    ]
    found = []
    for weight, bias in zip(weights[:CONVOLUTIONS], biases[:CONVOLUTIONS], strict=True):
        values = interpreter.get_tensor(weight["index"])
        depthwise = weight["quantization_parameters"]["quantized_dimension"] == 3
        order = (3, 0, 1, 2) if depthwise else (0, 3, 1, 2)
        found.append(
            Convolution(
                weight=np.ascontiguousarray(values.transpose(order)),
                scale=weight["quantization_parameters"]["scales"].astype(np.float32),
                bias=(
                    interpreter.get_tensor(bias["index"]) * bias["quantization_parameters"]["scales"]
                ).astype(np.float32),
            )
        )
    return found


def add_backbone(graph: Graph, image: str, layers: list[Convolution]) -> Features:
    """Append normalisation and the 52 layers to a graph whose `image` is grey, 0..1."""
    remaining = iter(enumerate(layers))

    def layer(tensor: str, *, stride: int = 1, group: int = 1, activate: bool = True) -> str:
        number, convolution = next(remaining)
        kernel = convolution.weight.shape[2]
        pads = (0, 0, 0, 0) if kernel == 1 else ((0, 0, 1, 1) if stride == 2 else (1, 1, 1, 1))
        name = f"backbone/{number:02d}"
        made = graph.conv(
            tensor,
            name,
            convolution.weight,
            convolution.bias,
            stride=stride,
            pads=pads,
            group=group,
            scale=convolution.scale,
        )
        return graph.clip(made, f"{name}/relu6", 0.0, 6.0) if activate else made

    doubled = graph.node("Mul", [image, graph.constant(2.0, "number/2")], "normalise/scale")
    signed = graph.node("Sub", [doubled, graph.constant(1.0, "number/1")], "normalise/shift")
    tensor = layer(graph.node("Concat", [signed] * 3, "normalise/channels", axis=1), stride=2)
    channels, fine = 32, ""
    for expansion, width, blocks, first_stride in STAGES:
        for block in range(blocks):
            stride = first_stride if block == 0 else 1
            wide = layer(tensor) if expansion > 1 else tensor
            if width == 160 and block == 0:
                fine = wide
            narrow = layer(layer(wide, stride=stride, group=expansion * channels), activate=False)
            keep = stride == 1 and channels == width
            tensor = graph.node("Add", [tensor, narrow], f"{narrow}/sum") if keep else narrow
            channels = width
    return Features(fine=fine, coarse=layer(tensor))
