# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A tiny bundle on every engine that is here, against a small peak; and what is shown of it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnx
import pytest

from appliance.clock import SystemClock
from appliance.engines.ort import quiet_onnxruntime
from appliance.models.bundle import read_bundle
from appliance.models.registry import shipped_models
from benchmarks.engine_matrix.asking import Child
from benchmarks.engine_matrix.child import Request, tiled
from benchmarks.engine_matrix.flops import count_work
from benchmarks.engine_matrix.matrix import (
    MatrixReport,
    Pick,
    input_shapes,
    measure_bundle,
    row_of,
    ways_of,
)
from benchmarks.engine_matrix.peaks import (
    Peak,
    write_integer_products,
    write_products,
    write_quantised_products,
)
from benchmarks.engine_matrix.show import NOT_TOLD, engine_tables
from benchmarks.engine_matrix.spent import best_of
from benchmarks.plan import QUICK, Workshop
from benchmarks.plots import roofline

PEAK = Peak(
    threads=1,
    f32_gflops=100.0,
    int8_gops=400.0,
    copy_gb_s=10.0,
    f32_core_gflops=100.0,
    int8_core_gops=400.0,
    copy_core_gb_s=10.0,
    f32_by={"numpy": 100.0},
    int8_by={"ort": 400.0},
)


def test_a_network_is_measured_on_what_is_here_and_shown(tmp_path: Path) -> None:
    bundle = read_bundle(shipped_models() / "radiograph_view")
    workshop = Workshop(plan=QUICK, folder=tmp_path, kept=tmp_path, clock=SystemClock(), say=lambda _: None)
    rows = tuple(measure_bundle(bundle, workshop, peaks=[PEAK], say=lambda _: None))
    ort = {row.precision: row for row in rows if row.engine == "ort"}
    assert ort.keys() == {"fp32", "fp16", "int8"}
    row = ort["fp32"]
    assert row.reason is None
    assert row.words == "ort f32 CPU"
    assert row.image_ms is not None
    assert row.image_ms.n >= 6
    assert row.gflop == pytest.approx(0.0257, rel=0.01)
    assert row.share_of_peak is not None
    assert row.core_gflops is not None
    assert row.share_of_peak == pytest.approx(row.core_gflops / PEAK.f32_core_gflops, abs=1e-3)
    pick = Pick(
        task="radiograph_view",
        engine="ort",
        precision="fp32",
        threads=1,
        times_the_best=1.0,
        times_least_cpu=1.0,
    )
    report = json.loads(json.dumps(asdict(MatrixReport(peaks=(PEAK,), rows=rows, picks=(pick,)))))
    words = "\n".join(table.markdown() for table in engine_tables(report))
    assert "| radiograph_view | ort fp32 | 1 x 1 |" in words
    assert ("joules" in words) or (NOT_TOLD in words)
    assert len(roofline(report).axes[0].collections) == len([row for row in rows if row.core_gflops])


def test_an_engine_that_cannot_load_is_a_row_with_its_reason(tmp_path: Path) -> None:
    bundle = read_bundle(shipped_models() / "radiograph_view")
    request = Request(
        bundle=str(bundle.folder),
        sums_sha256=bundle.sums_sha256,
        engine="tensorrt",
        precision="fp32",
        threads=1,
        streams=1,
        shapes=input_shapes(bundle),
        cache=str(tmp_path),
    )
    with Child(request) as child:
        assert child.loaded.reason is not None
        row = row_of(bundle, child, count_work(bundle.model, input_shapes(bundle)), [PEAK])
    assert row.image_ms is None
    assert row.reason == child.loaded.reason


def test_ways_to_share_the_cores() -> None:
    assert ways_of("ort", 1) == ((1, 1),)
    assert ways_of("ort", 2) == ((1, 1), (2, 1), (1, 2))
    assert ways_of("tensorrt", 8) == ((1, 1),)


def test_values_are_repeated_to_the_size_that_is_wanted() -> None:
    assert np.array_equal(tiled(np.array([[1, 2], [3, 4]]), (3, 1)), [[1], [3], [1]])


@pytest.mark.parametrize("write", [write_products, write_quantised_products, write_integer_products])
def test_the_products_that_peaks_are_taken_from_are_graphs_that_run(write: object, tmp_path: Path) -> None:
    assert callable(write)
    model = write(tmp_path / "m.onnx", side=8)
    onnx.checker.check_model(onnx.load(model), full_check=True)
    session = quiet_onnxruntime().InferenceSession(str(model), providers=["CPUExecutionProvider"])
    kind = np.uint8 if write is write_integer_products else np.float32
    (out,) = session.run(None, {"x": np.ones((8, 8), kind)})
    assert out.shape == (8, 8)


def test_waiting_is_no_processor_time() -> None:
    clock = SystemClock()
    spent = best_of(lambda: clock.sleep(0.05), clock, seconds=0.1)
    assert spent.wall_s >= 0.05
    assert spent.cpu_s < 0.04
