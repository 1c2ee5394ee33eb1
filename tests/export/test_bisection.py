# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A planted wrong layer is found by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("openvino")

from appliance.errors import EngineError
from export.bisection import first_difference
from tests.export.graphs import chain

X = {"x": np.array([[1.0, 2.0, 3.0, 4.0]], np.float32)}
WEIGHTS = (1.5, 0.5, 2.0, 3.0, 0.25, 1.0)


@pytest.mark.parametrize(("wrong", "engine"), [(0, "ort"), (3, "openvino"), (5, "ort")])
def test_the_wrong_layer_is_named(tmp_path: Path, wrong: int, engine: str) -> None:
    weights = [weight * (1.01 if index == wrong else 1.0) for index, weight in enumerate(WEIGHTS)]
    culprit = first_difference(
        chain(tmp_path / "a.onnx", WEIGHTS), chain(tmp_path / "b.onnx", weights), X, engine=engine
    )
    assert culprit is not None
    assert (culprit.tensor, culprit.node, culprit.operator) == (f"layer{wrong}", f"mul{wrong}", "Mul")
    assert culprit.relative == pytest.approx(0.01, rel=1e-2)
    assert culprit.looked_at <= 5 < culprit.of == 12
    assert f"'mul{wrong}'" in culprit.words


def test_nothing_is_found_where_nothing_is_wrong(tmp_path: Path) -> None:
    path = chain(tmp_path / "a.onnx", WEIGHTS)
    assert first_difference(path, path, X, engine="openvino") is None


def test_graphs_without_common_tensors_cannot_be_bisected(tmp_path: Path) -> None:
    first = chain(tmp_path / "a.onnx", [1.0])
    other = chain(tmp_path / "b.onnx", [1.0], name="renamed")
    assert first_difference(first, other, X) is None  # `y` is common, and equal
    with pytest.raises(EngineError, match="does not fit"):
        first_difference(first, other, {"x": np.zeros((1, 5), np.float32)})
