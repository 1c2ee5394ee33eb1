# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Engines are compared output by output; what was not judged is not passed."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import onnx
import pytest

pytest.importorskip("openvino")

from appliance.errors import EngineError
from export.engine_run import local_engines, run_apart
from export.parity import ParityReport, compare_engines, difference, variant_tolerances
from tests.tiny_bundles import halving_model

VALUES = {"slice": np.random.default_rng(5).normal(0, 400, (1, 1, 16, 16)).astype(np.float32)}
ENGINES = ("ort", "openvino")


def model(path: Path, factor: float = 0.5, fault: str | None = None) -> Path:
    onnx.save(halving_model(fault, factor), path)
    return path


def test_float32_engines_agree_and_a_variant_is_not_passed_before_it_has_a_tolerance(tmp_path: Path) -> None:
    graphs = {"fp32": model(tmp_path / "a.onnx"), "int8": model(tmp_path / "b.onnx", 0.501)}
    report = compare_engines(graphs, VALUES, engines=ENGINES, torch_outputs={"denoised": VALUES["slice"] / 2})
    rows = {(row.engine, row.precision): row for row in report.differences}
    assert rows.keys() == {
        ("torch", "fp32"),
        ("openvino f32 CPU", "fp32"),
        ("ort f32 CPU", "int8"),
        ("openvino f32 CPU", "int8"),
    }
    assert rows["openvino f32 CPU", "fp32"].passed is True
    off = rows["ort f32 CPU", "int8"]
    assert off.largest == pytest.approx(0.001 * np.abs(VALUES["slice"]).max(), rel=1e-3)
    assert off.relative == pytest.approx(0.002, rel=1e-3)
    assert off.cosine == pytest.approx(1.0)
    assert off.passed is None
    assert not report.passed
    assert "no tolerance is known" in report.reasons[0]

    tolerances = {"int8": variant_tolerances(report, "int8")}
    assert tolerances["int8"]["denoised"] == pytest.approx(1.5 * off.largest, rel=0.1)
    assert tolerances["int8"]["denoised"] >= 1.5 * off.largest
    again = compare_engines(graphs, VALUES, engines=("ort",), tolerances=tolerances)
    assert again.passed
    tight = compare_engines(
        graphs, VALUES, engines=("ort",), tolerances={"int8": {"denoised": off.largest / 2}}
    )
    assert not tight.passed


def test_an_engine_that_changes_the_answer_is_seen(tmp_path: Path) -> None:
    """The torch network is not the exported one."""
    report = compare_engines(
        {"fp32": model(tmp_path / "a.onnx")},
        VALUES,
        engines=(),
        torch_outputs={"denoised": VALUES["slice"] * np.float32(0.51)},
    )
    assert not report.passed
    assert report.reasons[0].startswith("torch fp32: 'denoised' is off by")


def test_an_engine_that_does_not_run_is_named_with_its_reason(tmp_path: Path) -> None:
    report = compare_engines({"fp32": model(tmp_path / "a.onnx")}, VALUES, engines=("nosuch",))
    assert "There is no engine 'nosuch'" in report.not_run["nosuch fp32"]
    assert not report.passed


def test_nothing_compared_is_not_passed() -> None:
    report = ParityReport(reference="ort", differences=(), not_run={})
    assert not report.passed
    assert report.reasons


def test_a_graph_that_kills_its_engine_does_not_kill_the_export(tmp_path: Path) -> None:
    path = model(tmp_path / "dies.onnx", fault="abort")
    found = run_apart("faulty", path, VALUES)
    assert found.outputs is None
    assert found.reason is not None
    assert "ended with code -" in found.reason


def test_without_a_reference_there_is_no_comparison(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(b"not a graph")
    with pytest.raises(EngineError, match="float32 graph does not run"):
        compare_engines({"fp32": tmp_path / "a.onnx"}, VALUES, engines=())


def test_engines_that_compute_nothing_of_their_own_are_left_out() -> None:
    assert {"ort", "openvino"} <= set(local_engines())
    assert not {"null", "faulty", "remote"} & set(local_engines())


@pytest.mark.parametrize(
    ("value", "largest", "relative", "cosine"),
    [
        ([3.0, 4.0], 0.0, 0.0, 1.0),
        ([0.0, 0.0], 4.0, 1.0, None),
        ([-3.0, -4.0], 8.0, 2.0, -1.0),
        ([np.nan, 4.0], math.inf, math.inf, None),
        ([3.0], math.inf, math.inf, None),
    ],
)
def test_differences_are_what_they_are_called(
    value: list[float], largest: float, relative: float, cosine: float | None
) -> None:
    found = difference(
        np.array(value), np.array([3.0, 4.0]), engine="e", precision="fp32", output="o", allowed=1.0
    )
    assert (found.largest, found.relative) == (largest, relative)
    assert found.cosine == (None if cosine is None else pytest.approx(cosine))
    assert found.passed is (largest <= 1.0)


def test_tolerances_hold_the_gates_images_too_and_are_never_zero() -> None:
    row = difference(np.array([1.0]), np.array([1.0]), engine="e", precision="int8", output="o", allowed=None)
    report = ParityReport(reference="ort", differences=(row,), not_run={})
    assert variant_tolerances(report, "int8") == {"o": 0.001}
    assert variant_tolerances(report, "int8", seen={"o": 0.123}) == {"o": 0.19}
    with pytest.raises(EngineError, match="no measured difference"):
        variant_tolerances(report, "fp16")
    broken = difference(
        np.array([np.nan]), np.array([1.0]), engine="e", precision="int8", output="o", allowed=None
    )
    with pytest.raises(EngineError, match="no measured difference"):
        variant_tolerances(ParityReport(reference="ort", differences=(broken,), not_run={}), "int8")
