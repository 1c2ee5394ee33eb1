# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What runs is measured, under the name of what really ran; what does not run is left out."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

pytest.importorskip("sklearn", reason="the workshop is not installed (make setup-export)")
pytest.importorskip("confidenceinterval", reason="the workshop is not installed (make setup-export)")

from appliance.clock import SystemClock
from export.latency import measure
from tests.tiny_networks import images, residual_classifier


def test_each_graph_on_each_engine_that_takes_it(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.onnx", tmp_path / "bad.onnx"
    onnx.save(residual_classifier(), good)
    bad.write_bytes(b"no graph")
    found = measure(
        {"fp32": good, "int8": bad},
        images(1)[0],
        clock=SystemClock(),
        threads=(1, 2),
        engines=("ort", "null"),
    )
    assert {(row.precision, row.threads) for row in found if row.engine.startswith("ort f32")} == {
        ("fp32", 1),
        ("fp32", 2),
    }
    assert all(0 < row.p50_ms <= row.p95_ms for row in found)
    assert not any(row.precision == "int8" and row.engine.startswith("ort") for row in found)
