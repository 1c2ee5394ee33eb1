# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Tiny graphs whose answers are known, and sets of pictures that they answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from calibration.dataset import CalibrationSet
from calibration.sampling import make_set

SIDE_PX = 32
GAIN = 8.0


def save(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    ports: tuple[onnx.ValueInfoProto, onnx.ValueInfoProto],
    constants: dict[str, np.ndarray],
) -> Path:
    graph = helper.make_graph(
        list(nodes),
        "tiny",
        [ports[0]],
        [ports[1]],
        [numpy_helper.from_array(np.asarray(value, np.float32), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
    return path


def brightness_model(path: Path, *, shift: float = 0.0, noise: float = 0.0) -> Path:
    """`image` -> one logit, `GAIN` times the mean less a half; `noise` adds what depends on fine detail."""
    value = helper.make_tensor_value_info
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["mean"], axes=[2, 3], keepdims=0),
        helper.make_node("Mul", ["mean", "gain"], ["scaled"]),
        helper.make_node("Mul", ["scaled", "wobble"], ["phase"]),
        helper.make_node("Sin", ["phase"], ["odd"]),
        helper.make_node("Mul", ["odd", "noise"], ["error"]),
        helper.make_node("Add", ["scaled", "shift"], ["shifted"]),
        helper.make_node("Add", ["shifted", "error"], ["logits"]),
    ]
    return save(
        path,
        nodes,
        (
            value("image", TensorProto.FLOAT, ["batch", 1, SIDE_PX, SIDE_PX]),
            value("logits", TensorProto.FLOAT, ["batch", 1]),
        ),
        {"gain": [GAIN], "wobble": [997.0], "noise": [noise], "shift": [shift - GAIN / 2]},
    )


def brightness_set(folder: Path, *, count: int = 150, few: int = 10, seed: int = 4) -> CalibrationSet:
    """Pictures with a bright bar whose share of the film is what the truth depends on; `few` of them AP."""
    random = np.random.default_rng(seed)
    rows = []
    (folder / "images").mkdir(parents=True)
    widths = random.integers(2, SIDE_PX - 2, count)
    for index, width in enumerate(widths):
        film = random.integers(0, 12, (SIDE_PX, SIDE_PX)).astype(np.uint8)
        film[:, :width] += 230
        name = f"{index}.png"
        assert cv2.imwrite(str(folder / "images" / name), film)
        odds = (width / (SIDE_PX - width)) ** 1.5
        chance = odds / (1 + odds)
        rows.append(
            {
                "file": name,
                "group": str(index // 2),
                "view": "AP" if index < few else "PA",
                "sex": "FM"[index % 2],
                "label:Bright": str(int(random.random() < chance)),
            }
        )
    return make_set(folder / "images", rows, folder / "set")


def chain(path: Path, weights: Sequence[float], *, name: str = "layer") -> Path:
    """`x` -> Mul by each weight, a Relu after each -> `y`; inner tensors layer0, relu0, layer1..."""
    value = helper.make_tensor_value_info
    nodes, tensor = [], "x"
    for index, _ in enumerate(weights):
        last = index == len(weights) - 1
        nodes.append(helper.make_node("Mul", [tensor, f"w{index}"], [f"{name}{index}"], name=f"mul{index}"))
        tensor = "y" if last else f"relu{index}"
        nodes.append(helper.make_node("Relu", [f"{name}{index}"], [tensor], name=f"act{index}"))
    shape = ["batch", 4]
    return save(
        path,
        nodes,
        (value("x", TensorProto.FLOAT, shape), value("y", TensorProto.FLOAT, shape)),
        {f"w{index}": [weight] for index, weight in enumerate(weights)},
    )


def smoother(path: Path, *, shift_hu: float = 0.0, centre: float = 1 / 9) -> Path:
    """A 3 x 3 mean (or a sharper or softer one), and a shift."""
    value = helper.make_tensor_value_info
    kernel = np.full((1, 1, 3, 3), (1 - centre) / 8, np.float32)
    kernel[0, 0, 1, 1] = centre
    shape = ["batch", 1, "rows", "columns"]
    return save(
        path,
        [helper.make_node("Conv", ["slice", "kernel", "bias"], ["denoised"], pads=[1, 1, 1, 1])],
        (value("slice", TensorProto.FLOAT, shape), value("denoised", TensorProto.FLOAT, shape)),
        {"kernel": kernel, "bias": np.array([shift_hu])},
    )
