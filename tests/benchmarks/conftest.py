# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Small files and tiny real models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from benchmarks.naive_models import NaiveLabel, NaiveModel
from benchmarks.report import Measured
from benchmarks.studies import write_radiographs
from tests.benchmarks.known_run import made_run

ROWS, COLUMNS = 300, 250
SIZE_PX = 32


@pytest.fixture(scope="session")
def radiographs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A small chest in every transfer syntax that is measured."""
    return write_radiographs(tmp_path_factory.mktemp("radiographs"), rows=ROWS, columns=COLUMNS)


@pytest.fixture(scope="session")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> NaiveModel:
    """Its one logit is the mean of its square."""
    path = tmp_path_factory.mktemp("model") / "mean.onnx"
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["image"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["logits"]),
        ],
        "mean",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 1, SIZE_PX, SIZE_PX])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 1])],
    )
    onnx.save(_model(graph), path)
    return NaiveModel(
        task="chest_triage",
        onnx=str(path),
        input_name="image",
        size_px=SIZE_PX,
        low_percentile=1.0,
        high_percentile=99.0,
        labels=(NaiveLabel(name="brightness", scale=2.0, shift=-1.0),),
    )


@pytest.fixture(scope="session")
def denoiser(tmp_path_factory: pytest.TempPathFactory) -> NaiveModel:
    """A 3 x 3 mean."""
    path = tmp_path_factory.mktemp("model") / "smooth.onnx"
    kernel = np.full((1, 1, 3, 3), 1 / 9, dtype=np.float32)
    graph = helper.make_graph(
        [helper.make_node("Conv", ["slice", "kernel"], ["denoised"], pads=[1, 1, 1, 1])],
        "smooth",
        [helper.make_tensor_value_info("slice", TensorProto.FLOAT, ["batch", 1, "rows", "columns"])],
        [helper.make_tensor_value_info("denoised", TensorProto.FLOAT, ["batch", 1, "rows", "columns"])],
        [helper.make_tensor("kernel", TensorProto.FLOAT, kernel.shape, kernel.ravel().tolist())],
    )
    onnx.save(_model(graph), path)
    return NaiveModel(
        task="ct_denoise",
        onnx=str(path),
        input_name="slice",
        size_px=None,
        low_percentile=None,
        high_percentile=None,
        labels=(),
    )


def _model(graph: onnx.GraphProto) -> onnx.ModelProto:
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)


@pytest.fixture
def whole_run() -> Measured:
    """A full run of everything."""
    return made_run(whole=True)


@pytest.fixture
def empty_run() -> Measured:
    """A quick run of nothing."""
    return made_run(whole=False)
