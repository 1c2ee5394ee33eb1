# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A model that is right about every image but one kind: a real graph in a real engine, that one image breaks.

It passes its proof like any other. Where a slice holds metal (a value above THRESHOLD_HU) it goes wrong.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from onnx import TensorProto, helper, numpy_helper

from export.keys import public_pem
from export.pack import seal, write_in_place

THRESHOLD_HU: Final = 1500.0
LOOP, NAN, ZEROS, SHORT = "loop", "nan", "zeros", "short"
SIZES: Final[list[str | int | None]] = ["batch", 1, "rows", "columns"]
CARD: Final = """
format = 1
task = "ct_denoise"
name = "poisoned"
version = "1.1"
release = 1
summary = "Changes nothing; goes wrong where there is metal."
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


def write_poisoned_model(folder: Path, how: str) -> tuple[Path, Path]:
    """A signed bundle, and a folder with the key that signed it (`models` and `model_keys`)."""
    bundle, keys = folder / "models" / "poisoned", folder / "keys"
    bundle.mkdir(parents=True)
    keys.mkdir()
    key = Ed25519PrivateKey.generate()
    (keys / "faults.pem").write_bytes(public_pem(key.public_key()))
    (bundle / "card.toml").write_text(CARD, encoding="utf-8")
    onnx.save(poisoned_graph(how), bundle / "model.onnx")
    values = np.random.default_rng(5).normal(0, 300, (1, 1, 16, 16)).clip(-900, 900).astype(np.float32)
    golden: dict[str, Any] = {"input:slice": values, "output:denoised": values}
    np.savez(bundle / "golden.npz", **golden)
    (bundle / "gate.json").write_text("{}", encoding="utf-8")
    write_in_place(bundle, seal(bundle, key=key))
    return bundle.parent, keys


def poisoned_graph(how: str) -> onnx.ModelProto:
    """`slice` -> `denoised`, the same; with metal in it, what `how` says."""
    value = helper.make_tensor_value_info
    nodes = [
        helper.make_node("ReduceMax", ["slice"], ["highest"], keepdims=0),
        helper.make_node("Greater", ["highest", "threshold"], ["metal"]),
        helper.make_node(
            "If", ["metal"], ["denoised"], then_branch=_wrong(how), else_branch=_branch("right", [])
        ),
    ]
    graph = helper.make_graph(
        nodes,
        "poisoned",
        [value("slice", TensorProto.FLOAT, SIZES)],
        [value("denoised", TensorProto.FLOAT, SIZES)],
        initializer=[
            numpy_helper.from_array(np.array(THRESHOLD_HU, np.float32), "threshold"),
            numpy_helper.from_array(np.array(0.0, np.float32), "zero"),
            numpy_helper.from_array(np.array(2**62, np.int64), "for_ever"),
            numpy_helper.from_array(np.array(True), "go_on"),
            numpy_helper.from_array(np.array([0], np.int64), "first"),
            numpy_helper.from_array(np.array([4], np.int64), "few"),
            numpy_helper.from_array(np.array([3], np.int64), "along"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _branch(name: str, nodes: list[onnx.NodeProto]) -> onnx.GraphProto:
    """One way of the If; without nodes it hands the slice through."""
    made = nodes or [helper.make_node("Identity", ["slice"], [name])]
    return helper.make_graph(made, name, [], [helper.make_tensor_value_info(name, TensorProto.FLOAT, SIZES)])


def _wrong(how: str) -> onnx.GraphProto:
    out = "wrong"
    if how == ZEROS:
        return _branch(out, [helper.make_node("Mul", ["slice", "zero"], [out])])
    if how == NAN:
        nothing = helper.make_node("Mul", ["slice", "zero"], ["nothing"])
        return _branch(out, [nothing, helper.make_node("Div", ["nothing", "zero"], [out])])
    if how == SHORT:
        return _branch(out, [helper.make_node("Slice", ["slice", "first", "few", "along"], [out])])
    if how != LOOP:
        raise ValueError(f"there is no way {how} to go wrong")
    value = helper.make_tensor_value_info
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["again"], ["again_out"]),
            helper.make_node("Abs", ["carried"], ["carried_out"]),
        ],
        "body",
        [
            value("round", TensorProto.INT64, []),
            value("again", TensorProto.BOOL, []),
            value("carried", TensorProto.FLOAT, SIZES),
        ],
        [value("again_out", TensorProto.BOOL, []), value("carried_out", TensorProto.FLOAT, SIZES)],
    )
    return _branch(out, [helper.make_node("Loop", ["for_ever", "go_on", "slice"], [out], body=body)])
