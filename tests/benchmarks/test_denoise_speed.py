# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The peer is RED-CNN in shape and cost, and both models are timed in both engines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

pytest.importorskip("openvino")

from appliance.clock import SystemClock
from benchmarks.denoise_speed import SHIPPED, compare, in_openvino, in_ort, write_red_cnn


def test_the_peer_has_ten_layers_of_five_by_five_and_keeps_the_shape(tmp_path: Path) -> None:
    per_pixel = write_red_cnn(tmp_path / "peer.onnx")
    assert 2 * per_pixel * 512**2 / 1e9 == pytest.approx(969, rel=0.01)
    graph = onnx.load(tmp_path / "peer.onnx").graph
    layers = [node for node in graph.node if node.op_type in {"Conv", "ConvTranspose"}]
    shapes = [tuple(item.dims) for item in graph.initializer if item.name.endswith("weight")]
    assert len(layers) == 10
    assert shapes.count((96, 96, 5, 5)) == 8
    assert shapes.count((96, 1, 5, 5)) == 2, "from one channel, and back to one"


def test_both_engines_give_the_same_answer(tmp_path: Path) -> None:
    write_red_cnn(tmp_path / "peer.onnx", channels=4)
    values = np.random.default_rng(0).normal(0, 1, (1, 1, 40, 52)).astype(np.float32)
    first = in_ort(tmp_path / "peer.onnx", threads=1)(values)
    second = in_openvino(tmp_path / "peer.onnx", threads=1)(values)
    assert first[0].shape == values.shape
    np.testing.assert_allclose(first[0], second[0], rtol=1e-3, atol=1e-4)


def test_every_model_is_timed_in_every_engine(tmp_path: Path) -> None:
    write_red_cnn(tmp_path / "peer.onnx", channels=4)
    models = {"ct_denoise": SHIPPED, "red_cnn": tmp_path / "peer.onnx"}
    found = compare(models, clock=SystemClock(), side_px=64, rounds=1)
    assert set(found) == {"ort", "openvino"}
    assert all(set(times) == set(models) and min(times.values()) > 0 for times in found.values())
