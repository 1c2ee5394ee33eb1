# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A worker stopped in the middle of a job, and models that go wrong on one image, under the supervisor."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from appliance.engines.ort import load
from appliance.errors import EngineError
from benchmarks.faults import stuck_worker
from benchmarks.faults.figure import Run
from benchmarks.faults.poison import NAN, SHORT, THRESHOLD_HU, ZEROS, poisoned_graph


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(
        folder=tmp_path, report=tmp_path / "counts.json", amount=0.01, progress=lambda what, done, total: None
    )


@pytest.mark.timeout(200)
def test_a_stopped_worker_is_found_and_replaced_and_the_image_is_answered(run: Run) -> None:
    counts: dict[str, object] = {"failures": []}
    stuck_worker.strike(run, counts, "stopped", 1)
    stopped = counts["stopped"]
    assert isinstance(stopped, dict)
    assert stopped["workers"] == 1  # how fast is not asserted: a test runs on machines that do other things


@pytest.mark.parametrize("how", [NAN, ZEROS, SHORT])
def test_the_poisoned_graph_is_right_without_metal(how: str, tmp_path: Path) -> None:
    onnx.save(poisoned_graph(how), tmp_path / "model.onnx")
    image = np.full((1, 1, 16, 16), 100.0, np.float32)
    with load(tmp_path / "model.onnx", threads=1) as engine:
        np.testing.assert_array_equal(engine.infer({"slice": image})["denoised"], image)
        metal = image.copy()
        metal[0, 0, 3, 3] = THRESHOLD_HU + 1
        if how == SHORT:
            with pytest.raises(EngineError):
                engine.infer({"slice": metal})
            return
        wrong = engine.infer({"slice": metal})["denoised"]
    assert not np.array_equal(wrong, metal)
