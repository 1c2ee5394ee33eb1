# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Tiny real bundles."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

MakeBundle = Callable[..., Path]

CARD = """
format = {format}
task = "{task}"
name = "{name}"
version = "1.{release}"
release = {release}
summary = "Halves every value."
precision = "f32"
labels = []
metrics = []

[[inputs]]
name = "slice"
shape = ["batch", 1, "rows", "columns"]
dtype = "float32"

[[outputs]]
name = "denoised"
shape = ["batch", 1, "rows", "columns"]
dtype = "float32"

[preprocessing]
kind = "slice"
multiple_of_px = 4

[intended_use]
modalities = ["CT"]
body_parts = []
view_positions = []
draws_location = false

[provenance]
training_data = ["none"]
licence = "Apache-2.0"
restrictions = ""
known_biases = []
"""


def halving_model(fault: str | None = None, factor: float = 0.5) -> onnx.ModelProto:
    """`slice` -> `denoised`: each value times `factor`."""
    value = helper.make_tensor_value_info
    sizes = ["batch", 1, "rows", "columns"]
    graph = helper.make_graph(
        [helper.make_node("Mul", ["slice", "factor"], ["denoised"])],
        "halve",
        [value("slice", TensorProto.FLOAT, sizes)],
        [value("denoised", TensorProto.FLOAT, sizes)],
        initializer=[numpy_helper.from_array(np.array(factor, np.float32), "factor")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if fault is not None:
        helper.set_model_props(model, {"scanside.fault": fault})
    return model


def write_sums(folder: Path) -> None:
    lines = [
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n"
        for file in sorted(folder.iterdir())
        if file.name not in {"SHA256SUMS", "SIGNATURE"}
    ]
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="ascii")


def build(
    folder: Path,
    *,
    task: str = "ct_denoise",
    name: str = "halve",
    release: int = 1,
    card_format: int = 1,
    fault: str | None = None,
    golden_factor: float = 0.5,
    more_card: str = "",
) -> Path:
    """A bundle in `folder`; `golden_factor` other than 0.5 makes golden data that no engine can reach."""
    folder.mkdir(parents=True)
    card = more_card + CARD.format(format=card_format, task=task, name=name, release=release)
    (folder / "card.toml").write_text(card, encoding="utf-8")
    onnx.save(halving_model(fault), folder / "model.onnx")
    values = np.random.default_rng(5).normal(0, 400, (1, 1, 16, 16)).astype(np.float32)
    golden = {"input:slice": values, "output:denoised": values * np.float32(golden_factor)}
    np.savez(folder / "golden.npz", **golden)
    (folder / "gate.json").write_text("{}", encoding="utf-8")
    write_sums(folder)
    return folder


@pytest.fixture(scope="session")
def make_bundle() -> MakeBundle:
    return build


@pytest.fixture(scope="session")
def good_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("bundles") / "good")


@pytest.fixture(scope="session")
def sums() -> Callable[[Path], None]:
    return write_sums


@pytest.fixture(scope="session")
def halving() -> Callable[..., onnx.ModelProto]:
    return halving_model
