# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Take the systematic part of int8's error out: what rounding shifts on average goes into the bias.

Rounding weights moves the mean of a channel, the same way for every image, and a shifted mean in the last
layers moves every decision in one direction. Layer after layer, from the first to the last, the mean of
each channel over some images is brought back to that of float32 (Nagel et al., ICCV 2019, section 4.2,
the empirical variant). Biases are float already: nothing is added to the graph.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from export.graphs import constants, label, named
from export.quantize import Quantised
from export.session import GraphSession, Tensors

BIAS_INPUT: Final = 2
"""Of Conv, ConvTranspose and Gemm; MatMul has none and is left alone."""


def correct_biases(model: onnx.ModelProto, quantised: Quantised, inputs: Sequence[Tensors]) -> Quantised:
    """The int8 graph of the float32 `model` with corrected biases; `inputs` are calibration images."""
    corrected = onnx.ModelProto()
    corrected.CopyFrom(quantised.model)
    nodes = {label(node): node for node in corrected.graph.node}
    biased = [
        nodes[name]
        for name in quantised.layers
        if len(nodes[name].input) > BIAS_INPUT and nodes[name].input[BIAS_INPUT] in constants(corrected)
    ]
    tensors = [node.output[0] for node in biased]
    wanted = _channel_means(named(model), tensors, inputs)
    for node in biased:
        tensor = node.output[0]
        found = _channel_means(corrected, [tensor], inputs)[tensor]
        _add(corrected, node.input[BIAS_INPUT], wanted[tensor] - found)
    return dataclasses.replace(quantised, model=corrected)


def _channel_means(
    model: onnx.ModelProto, tensors: Sequence[str], inputs: Sequence[Tensors]
) -> Mapping[str, NDArray[np.float64]]:
    """By tensor, the mean of each channel (axis 1) over all images and positions."""
    session = GraphSession(model, inner=tensors)
    sums: dict[str, Any] = dict.fromkeys(tensors, 0.0)
    for item in inputs:
        values = session.run(item)
        for name in tensors:
            value = values[name].astype(np.float64)
            sums[name] = sums[name] + value.mean(axis=(0, *range(2, value.ndim)))
    return {name: np.asarray(total / len(inputs)) for name, total in sums.items()}


def _add(model: onnx.ModelProto, name: str, shift: NDArray[np.float64]) -> None:
    for stored in model.graph.initializer:
        if stored.name == name:
            moved = (numpy_helper.to_array(stored) + shift).astype(np.float32)
            stored.CopyFrom(numpy_helper.from_array(moved, name))
