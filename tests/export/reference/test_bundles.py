# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Every shipped bundle is whole, says what it is, and computes what it computed when it was packed."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from appliance.domain.card import (
    IntendedUse,
    Label,
    Metric,
    ModelCard,
    Preprocessing,
    Provenance,
    TensorSpec,
)
from appliance.domain.finding import Code

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SHIPPED = Path(__file__).parents[3] / "appliance" / "models_shipped"
TASKS = ("chest_triage", "ct_denoise", "fracture_triage", "radiograph_view")
PACKED = {"SHA256SUMS", "SIGNATURE", "card.toml", "gate.json", "golden.npz", "model.onnx"}
BESIDE = {
    "chest_triage": {"SQUEEZENET-LICENCE.txt", "model.fp16.onnx"},
    "ct_denoise": {"model.fp16.onnx", "model.int8.onnx"},
    "fracture_triage": {"EFFICIENTNET-LITE-LICENCE.txt"},
    "radiograph_view": {"model.fp16.onnx", "model.int8.onnx"},
}
LARGEST_GOLDEN_BYTES = 800_000
"""Golden films are for comparing engines; every release stays in the repository for ever."""


def build(kind: type, values: dict[str, Any]) -> Any:
    """A card's dataclass; an unknown or missing key fails."""
    known = {field.name for field in dataclasses.fields(kind)}
    assert set(values) <= known, set(values) - known
    return kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in values.items()})


def read_card(task: str) -> ModelCard:
    raw = tomllib.loads((SHIPPED / task / "card.toml").read_text(encoding="utf-8"))
    for name, kind in (("inputs", TensorSpec), ("outputs", TensorSpec)):
        raw[name] = [build(kind, {**item, "shape": tuple(item["shape"])}) for item in raw[name]]
    raw["labels"] = [
        build(Label, {**item, "code": build(Code, item["code"])}) for item in raw.get("labels", [])
    ]
    empty = {"ci_low": None, "ci_high": None}
    raw["metrics"] = [build(Metric, {**empty, **item}) for item in raw["metrics"]]
    raw["preprocessing"] = build(Preprocessing, raw["preprocessing"])
    ages = {"minimum_age_years": None, "maximum_age_years": None}
    raw["intended_use"] = build(IntendedUse, {**ages, **raw["intended_use"]})
    raw["provenance"] = build(Provenance, raw["provenance"])
    card: ModelCard = build(ModelCard, raw)
    return card


def run(task: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        str(SHIPPED / task / "model.onnx"), options, providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def golden(task: str, kind: str) -> dict[str, np.ndarray]:
    with np.load(SHIPPED / task / "golden.npz", allow_pickle=False) as arrays:
        return {name.split(":", 1)[1]: arrays[name] for name in arrays if name.startswith(f"{kind}:")}


@pytest.mark.parametrize("task", TASKS)
def test_the_sums_cover_every_file(task: str) -> None:
    folder = SHIPPED / task
    packed = PACKED | BESIDE.get(task, set())
    assert {path.name for path in folder.iterdir()} == packed
    lines = [line.split("  ") for line in (folder / "SHA256SUMS").read_text().splitlines()]
    assert [name for _, name in lines] == sorted(packed - {"SHA256SUMS", "SIGNATURE"})
    for digest, name in lines:
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


@pytest.mark.parametrize("task", TASKS)
def test_the_card_reads_and_matches_the_graph(task: str) -> None:
    card = read_card(task)
    assert (card.format, card.task) == (1, task)
    graph = onnx.load(SHIPPED / task / "model.onnx")
    assert 17 <= graph.opset_import[0].version <= 20
    for specs, values in ((card.inputs, graph.graph.input), (card.outputs, graph.graph.output)):
        shapes = {
            value.name: tuple(dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim)
            for value in values
        }
        assert shapes == {spec.name: spec.shape for spec in specs}
    for label in card.labels:
        assert 0.0 < label.sensitive_threshold <= label.specific_threshold < 1.0
        assert label.scale > 0
    assert card.metrics
    for metric in card.metrics:
        assert metric.n > 0
        assert metric.ci_low is not None
        assert metric.ci_high is not None
        assert metric.ci_low <= metric.value <= metric.ci_high
    json.loads((SHIPPED / task / "gate.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("task", TASKS)
def test_golden_inputs_give_golden_outputs(task: str) -> None:
    expected = golden(task, "output")
    found = run(task, golden(task, "input"))
    assert set(found) == set(expected)
    for name, value in expected.items():
        assert np.abs(found[name] - value).max() < 1e-3 * max(1.0, float(np.abs(value).max()))


def test_the_chest_heatmap_is_the_logit_spread_out() -> None:
    task = "chest_triage"
    outputs = run(task, golden(task, "input"))
    graph = onnx.load(SHIPPED / task / "model.onnx").graph
    (bias,) = [onnx.numpy_helper.to_array(item) for item in graph.initializer if item.name == "head/bias"]
    assert np.abs(outputs["heatmap"].mean(axis=(2, 3)) + bias - outputs["logits"]).max() < 1e-4


@pytest.mark.parametrize("task", TASKS)
def test_golden_films_are_small(task: str) -> None:
    assert (SHIPPED / task / "golden.npz").stat().st_size < LARGEST_GOLDEN_BYTES


def test_the_chest_model_is_made_of_what_runs_fast_in_8_bits() -> None:
    graph = onnx.load(SHIPPED / "chest_triage" / "model.onnx").graph
    groups = {
        attribute.i
        for node in graph.node
        if node.op_type == "Conv"
        for attribute in node.attribute
        if attribute.name == "group"
    }
    assert groups == {1}, "depthwise convolutions gain little"
    assert {"Sigmoid", "HardSwish", "Mul"} & {node.op_type for node in graph.node} <= {"Mul"}


def test_the_fracture_backbone_is_stored_in_half_the_size() -> None:
    path = SHIPPED / "fracture_triage" / "model.onnx"
    stored = onnx.load(path).graph.initializer
    kinds = [item.data_type for item in stored if item.name.startswith("_") and item.name.endswith("/weight")]
    assert kinds == [onnx.TensorProto.FLOAT16] * 49
    assert path.stat().st_size < 8_000_000


def test_the_fracture_heatmap_holds_the_hottest_neighbourhood_of_the_logit() -> None:
    """The film's part is a constant of the film: logits less the heatmap's peak, times one number."""
    given = golden("fracture_triage", "input")["image"]
    found = run("fracture_triage", {"image": given})
    graph = onnx.load(SHIPPED / "fracture_triage" / "model.onnx")
    numbers = {item.name: onnx.numpy_helper.to_array(item) for item in graph.graph.initializer}
    film = onnx.utils.Extractor(onnx.shape_inference.infer_shapes(graph)).extract_model(
        ["image"], ["head/film"]
    )
    part = onnxruntime.InferenceSession(film.SerializeToString()).run(None, {"image": given})[0].ravel()
    peak = found["heatmap"].max(axis=(1, 2, 3))
    wanted = part + peak * numbers["head/of_hottest"] + numbers["head/constant"]
    assert np.abs(found["logits"].ravel() - wanted).max() < 1e-4


def test_padding_and_metal_come_back_as_they_went_in() -> None:
    hu = golden("ct_denoise", "input")["slice"]
    denoised = golden("ct_denoise", "output")["denoised"]
    outside = (hu < -1024) | (hu > 3071)
    assert outside.any()
    assert np.array_equal(denoised[outside], hu[outside])
    assert np.abs(denoised - hu).max() <= 300.0 + 1e-3


@pytest.mark.parametrize("batch", [1, 3])
def test_the_batch_is_free(batch: int) -> None:
    square = np.zeros((batch, 1, 320, 320), np.float32)
    assert run("chest_triage", {"image": square})["logits"].shape[0] == batch
    assert run("ct_denoise", {"slice": np.zeros((batch, 1, 64, 96), np.float32)})["denoised"].shape == (
        batch,
        1,
        64,
        96,
    )


def test_restricted_training_data_is_said_in_the_card() -> None:
    for task in ("fracture_triage", "radiograph_view"):
        assert "valuation only" in read_card(task).provenance.restrictions
    for task in ("chest_triage", "ct_denoise"):
        assert not read_card(task).provenance.restrictions
