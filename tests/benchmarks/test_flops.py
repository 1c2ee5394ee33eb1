# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Counted against arithmetic that is done by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from appliance.models.bundle import read_bundle
from appliance.models.registry import shipped_models
from benchmarks.engine_matrix.flops import UnknownShapeError, count_work


def saved(
    path: Path, nodes: list[onnx.NodeProto], weights: dict[str, tuple[int, ...]], shape: list[Any]
) -> Path:
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [
            helper.make_tensor(name, TensorProto.FLOAT, size, np.zeros(size, np.float32).ravel())
            for name, size in weights.items()
        ],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10), path)
    return path


def test_a_convolution_with_stride_and_groups(tmp_path: Path) -> None:
    node = helper.make_node("Conv", ["x", "w"], ["y"], strides=[2, 2], pads=[1, 1, 1, 1], group=2)
    model = saved(tmp_path / "m.onnx", [node], {"w": (8, 3, 3, 3)}, ["batch", 6, "rows", "columns"])
    work = count_work(model, {"x": (1, 6, 20, 10)})
    assert work.flop == 2 * (8 * 10 * 5) * (3 * 3 * 3)
    assert work.weights == 8 * 3 * 3 * 3
    assert work.activations == 6 * 20 * 10 + 8 * 10 * 5
    assert work.intensity(4) == pytest.approx(work.flop / (4 * (216 + 1200 + 400)))


def test_a_transposed_convolution(tmp_path: Path) -> None:
    node = helper.make_node("ConvTranspose", ["x", "w"], ["y"], strides=[2, 2])
    model = saved(tmp_path / "m.onnx", [node], {"w": (6, 4, 2, 2)}, [1, 6, 5, 5])
    assert count_work(model, {}).flop == 2 * (6 * 5 * 5) * (4 * 2 * 2)


def test_products_of_matrices(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("MatMul", ["x", "a"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Gemm", ["r", "b"], ["y"], transB=1),
    ]
    model = saved(tmp_path / "m.onnx", nodes, {"a": (7, 5), "b": (3, 5)}, ["batch", 7])
    assert count_work(model, {"x": (2, 7)}).flop == 2 * (2 * 5 * 7 + 2 * 3 * 5)


def test_a_size_that_nobody_knows_is_said(tmp_path: Path) -> None:
    node = helper.make_node("Conv", ["x", "w"], ["y"])
    model = saved(tmp_path / "m.onnx", [node], {"w": (8, 6, 3, 3)}, ["batch", 6, "rows", "columns"])
    with pytest.raises(UnknownShapeError, match="'x'"):
        count_work(model, {})


@pytest.mark.parametrize("task", ["chest_triage", "ct_denoise", "radiograph_view"])
def test_all_precisions_of_a_shipped_network_are_the_same_work(task: str) -> None:
    bundle = read_bundle(shipped_models() / task)
    name = bundle.card.inputs[0].name
    side = 512 if task == "ct_denoise" else bundle.golden_inputs[name].shape[-1]
    shapes = {name: (1, 1, side, side)}
    counted = {
        precision: count_work(bundle.model_in(precision), shapes).flop for precision in bundle.model_sha256
    }
    assert len(counted) >= 2
    assert len(set(counted.values())) == 1
    assert 1e7 < counted["fp32"] < 1e11
