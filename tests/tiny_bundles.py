# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Model bundles and networks of a few numbers: real files for real engines."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CARD = """
format = {format}
task = "{task}"
name = "{name}"
version = "1.{release}"
release = {release}
summary = "Halves every value."
precision = "f32"
labels = []
metrics = []

[[inputs]]
name = "slice"
shape = ["batch", 1, "rows", "columns"]
dtype = "float32"

[[outputs]]
name = "denoised"
shape = ["batch", 1, "rows", "columns"]
dtype = "float32"

[preprocessing]
kind = "slice"
multiple_of_px = 4

[intended_use]
modalities = ["CT"]
body_parts = []
view_positions = []
draws_location = false

[provenance]
training_data = ["none"]
licence = "Apache-2.0"
restrictions = ""
known_biases = []
"""


def halving_model(fault: str | None = None, factor: float = 0.5) -> onnx.ModelProto:
    """`slice` -> `denoised`: each value times `factor`."""
    value = helper.make_tensor_value_info
    sizes = ["batch", 1, "rows", "columns"]
    graph = helper.make_graph(
        [helper.make_node("Mul", ["slice", "factor"], ["denoised"])],
        "halve",
        [value("slice", TensorProto.FLOAT, sizes)],
        [value("denoised", TensorProto.FLOAT, sizes)],
        initializer=[numpy_helper.from_array(np.array(factor, np.float32), "factor")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if fault is not None:
        helper.set_model_props(model, {"scanside.fault": fault})
    return model


def write_sums(folder: Path) -> None:
    lines = [
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n"
        for file in sorted(folder.iterdir())
        if file.name not in {"SHA256SUMS", "SIGNATURE"}
    ]
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="ascii")


def build(
    folder: Path,
    *,
    task: str = "ct_denoise",
    name: str = "halve",
    release: int = 1,
    card_format: int = 1,
    fault: str | None = None,
    factor: float = 0.5,
    golden_factor: float | None = None,
    more_card: str = "",
) -> Path:
    """A bundle in `folder`; `golden_factor` other than `factor` makes data that no engine can reach."""
    folder.mkdir(parents=True)
    card = more_card + CARD.format(format=card_format, task=task, name=name, release=release)
    (folder / "card.toml").write_text(card, encoding="utf-8")
    onnx.save(halving_model(fault, factor), folder / "model.onnx")
    values = np.random.default_rng(5).normal(0, 400, (1, 1, 16, 16)).astype(np.float32)
    golden = {
        "input:slice": values,
        "output:denoised": values * np.float32(factor if golden_factor is None else golden_factor),
    }
    np.savez(folder / "golden.npz", **golden)
    (folder / "gate.json").write_text("{}", encoding="utf-8")
    write_sums(folder)
    return folder


def marking_model() -> onnx.ModelProto:
    """`image` -> two `logits`, brightness and its opposite; and a `heatmap` of brightness for both."""
    value = helper.make_tensor_value_info
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["mean"], axes=[2, 3], keepdims=0),
        helper.make_node("Mul", ["mean", "signs"], ["logits"]),
        helper.make_node("AveragePool", ["image"], ["places"], kernel_shape=[32, 32], strides=[32, 32]),
        helper.make_node("Concat", ["places", "places"], ["heatmap"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "brightness",
        [value("image", TensorProto.FLOAT, ["batch", 1, 320, 320])],
        [
            value("logits", TensorProto.FLOAT, ["batch", 2]),
            value("heatmap", TensorProto.FLOAT, ["batch", 2, 10, 10]),
        ],
        initializer=[numpy_helper.from_array(np.array([[10.0, -10.0]], np.float32), "signs")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
