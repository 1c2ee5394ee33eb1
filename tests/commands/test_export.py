# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside export` hands everything to the workshop, and says so where there is none."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import onnx
import pytest
from typer.testing import CliRunner

from appliance.cli import app
from appliance.errors import ExitCode
from tests.tiny_networks import residual_classifier

needs_workshop = pytest.mark.skipif(
    importlib.util.find_spec("onnxslim") is None or importlib.util.find_spec("sklearn") is None,
    reason="the workshop's extra is not installed",
)


@needs_workshop
def test_steps_and_their_options_reach_the_workshop(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    good, bad = tmp_path / "good.onnx", tmp_path / "bad.onnx"
    model = residual_classifier()
    onnx.save(model, good)
    model.opset_import[0].version = 13
    onnx.save(model, bad)
    assert CliRunner().invoke(app, ["export", "lint", str(good)]).exit_code == ExitCode.OK
    refused = CliRunner().invoke(app, ["export", "lint", "--json", str(good), str(bad)])
    assert refused.exit_code == ExitCode.FOUND_FAULTS
    said = capfd.readouterr().out
    assert "every engine takes them" in said
    assert '"file": "bad.onnx"' in said


def test_without_the_workshop_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "onnxslim" else there(name, *rest)
    )
    answer = CliRunner().invoke(app, ["export", "model.onnx"])
    assert answer.exit_code == ExitCode.CONFIG
    assert "scanside[export]" in answer.output + answer.stderr
