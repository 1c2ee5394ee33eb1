# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Tiny real ONNX models with answers that can be worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

EDGES = np.array([[[[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]]]], dtype=np.float32)


def save(graph: onnx.GraphProto, path: Path) -> Path:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
    return path


@pytest.fixture(scope="session")
def edges(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`image` [batch, 1, rows, columns] -> `edges` (3x3 high-pass, zeros around), `mean` [batch, 1, 1, 1]."""
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["image", "kernel"], ["edges"], pads=[1, 1, 1, 1]),
            helper.make_node("GlobalAveragePool", ["image"], ["mean"]),
        ],
        "edges",
        [value("image", TensorProto.FLOAT, ["batch", 1, "rows", "columns"])],
        [
            value("edges", TensorProto.FLOAT, ["batch", 1, "rows", "columns"]),
            value("mean", TensorProto.FLOAT, ["batch", 1, 1, 1]),
        ],
        initializer=[numpy_helper.from_array(EDGES, "kernel")],
    )
    return save(graph, tmp_path_factory.mktemp("models") / "edges.onnx")


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`x` [batch, 4] -> `root`: the square root, NaN below zero."""
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Sqrt", ["x"], ["root"])],
        "root",
        [value("x", TensorProto.FLOAT, ["batch", 4])],
        [value("root", TensorProto.FLOAT, ["batch", 4])],
    )
    return save(graph, tmp_path_factory.mktemp("models") / "root.onnx")


@pytest.fixture(scope="session")
def dense(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`image` [1, 8, 64, 64] -> `maps`: eight 3x3 convolutions, enough work to need threads and precision."""
    rng = np.random.default_rng(7)
    weights = [
        numpy_helper.from_array(rng.normal(0, 0.12, (8, 8, 3, 3)).astype(np.float32), f"w{layer}")
        for layer in range(8)
    ]
    nodes = []
    last = "image"
    for layer in range(8):
        out = "maps" if layer == 7 else f"h{layer}"
        nodes.append(helper.make_node("Conv", [last, f"w{layer}"], [out], pads=[1, 1, 1, 1]))
        last = out
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "dense",
        [value("image", TensorProto.FLOAT, [1, 8, 64, 64])],
        [value("maps", TensorProto.FLOAT, [1, 8, 64, 64])],
        initializer=weights,
    )
    return save(graph, tmp_path_factory.mktemp("models") / "dense.onnx")


@pytest.fixture(scope="session")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`image` -> `edges`: the same high-pass with its kernel stored as int8, in steps of 0.5."""
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [
            helper.make_node("DequantizeLinear", ["stored", "step"], ["kernel"]),
            helper.make_node("Conv", ["image", "kernel"], ["edges"], pads=[1, 1, 1, 1]),
        ],
        "packed",
        [value("image", TensorProto.FLOAT, ["batch", 1, "rows", "columns"])],
        [value("edges", TensorProto.FLOAT, ["batch", 1, "rows", "columns"])],
        initializer=[
            numpy_helper.from_array((EDGES * 2).astype(np.int8), "stored"),
            numpy_helper.from_array(np.array(0.5, np.float32), "step"),
        ],
    )
    return save(graph, tmp_path_factory.mktemp("models") / "packed.onnx")


@pytest.fixture(scope="session")
def quantised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`image` -> `edges`: int8 values in steps of 0.25 between int8 weights, as a quantised network has."""
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [
            helper.make_node("QuantizeLinear", ["image", "grain", "zero"], ["coarse"]),
            helper.make_node("DequantizeLinear", ["coarse", "grain", "zero"], ["rounded"]),
            helper.make_node("DequantizeLinear", ["stored", "step"], ["kernel"]),
            helper.make_node("Conv", ["rounded", "kernel"], ["edges"], pads=[1, 1, 1, 1]),
        ],
        "quantised",
        [value("image", TensorProto.FLOAT, ["batch", 1, "rows", "columns"])],
        [value("edges", TensorProto.FLOAT, ["batch", 1, "rows", "columns"])],
        initializer=[
            numpy_helper.from_array(np.array(0.25, np.float32), "grain"),
            numpy_helper.from_array(np.array(0, np.int8), "zero"),
            numpy_helper.from_array((EDGES * 2).astype(np.int8), "stored"),
            numpy_helper.from_array(np.array(0.5, np.float32), "step"),
        ],
    )
    return save(graph, tmp_path_factory.mktemp("models") / "quantised.onnx")
