# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A variant that decides otherwise does not pass, and neither does one that nobody could judge."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("sklearn")
pytest.importorskip("confidenceinterval")

from appliance.domain.card import ModelCard
from appliance.errors import EngineError, ModelBundleError
from calibration.dataset import CalibrationSet
from export.gate import Limits, gate
from tests.export.graphs import brightness_model, brightness_set


def test_the_same_model_passes_and_says_on_what(
    tmp_path: Path, bright_card: ModelCard, films: CalibrationSet
) -> None:
    model = brightness_model(tmp_path / "a.onnx")
    seen: list[tuple[int, int]] = []
    report = gate(bright_card, model, model, films, progress=lambda done, of: seen.append((done, of)))
    assert report.passed
    assert report.reasons == ()
    assert (report.images, report.groups) == (150, 75)
    assert report.candidate_engine == "openvino f32 CPU"
    assert report.manifest_sha256 == films.manifest_sha256
    assert seen[-1] == (150, 150)
    (label,) = report.labels
    assert 0.8 < label.fp32.auc.value < 1.0
    assert label.auc_change.value == 0.0
    assert label.fp32.roc[0] == (0.0, 0.0)
    assert label.fp32.roc[-1] == (1.0, 1.0)
    assert label.positives + label.negatives == 150
    report.require()


def test_a_variant_that_flips_decisions_fails_with_its_images(
    tmp_path: Path, bright_card: ModelCard, films: CalibrationSet
) -> None:
    models = brightness_model(tmp_path / "a.onnx"), brightness_model(tmp_path / "b.onnx", shift=0.5)
    report = gate(bright_card, *models, films)
    assert not report.passed
    (label,) = report.labels
    sensitive, _ = label.flips
    assert sensitive.count > 0.01 * 150
    assert sensitive.to_negative == 0
    assert label.auc_change.value == pytest.approx(0.0)  # the order is the same: only decisions tell
    assert any("change at the sensitive point" in reason for reason in report.reasons)
    example = sensitive.examples[0]
    assert example.to_positive
    assert example.probability_fp32 < 0.3 <= example.probability_candidate
    assert example.thumbnail_png.startswith(b"\x89PNG")
    assert report.largest_differences["logits"] == pytest.approx(0.5, abs=1e-4)
    with pytest.raises(ModelBundleError, match=r"does not pass its gate.*sensitive point"):
        report.require()


def test_a_variant_that_orders_otherwise_fails_by_its_auc(
    tmp_path: Path, bright_card: ModelCard, films: CalibrationSet
) -> None:
    models = brightness_model(tmp_path / "a.onnx"), brightness_model(tmp_path / "b.onnx", noise=4.0)
    report = gate(bright_card, *models, films)
    (label,) = report.labels
    assert label.auc_change.value < -0.005
    assert label.auc_change.low <= label.auc_change.value <= label.auc_change.high
    assert label.auc_change_delong.value == pytest.approx(label.auc_change.value)
    assert any("the AUC changes by -" in reason for reason in report.reasons)


def test_parts_of_the_set_are_told_apart_and_small_ones_say_too_few(
    tmp_path: Path, bright_card: ModelCard, films: CalibrationSet
) -> None:
    models = brightness_model(tmp_path / "a.onnx"), brightness_model(tmp_path / "b.onnx", shift=0.5)
    report = gate(bright_card, *models, films)
    strata = {part.words: part for part in report.labels[0].strata}
    assert strata["view AP"].n == 10
    assert strata["view AP"].flipped is None
    assert strata["view AP"].auc_fp32 is None
    assert strata["view PA"].n == 140
    assert strata["view PA"].auc_candidate is not None
    assert {"sex F", "sex M"} <= strata.keys()
    assert not any(words.startswith("scanner") for words in strata)  # nothing is known of scanners
    assert any("view PA" in note for note in report.notes)


def test_a_label_that_the_set_does_not_know_is_not_passed(
    tmp_path: Path, bright_card: ModelCard, films: CalibrationSet
) -> None:
    model = brightness_model(tmp_path / "a.onnx")
    other = replace(bright_card, labels=(replace(bright_card.labels[0], name="Fracture"),))
    report = gate(other, model, model, films)
    assert report.reasons == (
        "Fracture: 0 images with and 0 without it; 10 of each are needed, so its AUC was not checked.",
    )
    plain = json.loads(json.dumps(report.as_gate(), allow_nan=False))
    assert plain["labels"][0]["fp32"]["auc"]["value"] is None


def test_too_small_a_set_is_not_passed(tmp_path: Path, bright_card: ModelCard) -> None:
    model = brightness_model(tmp_path / "a.onnx")
    small = brightness_set(tmp_path / "few", count=60)
    assert "60 images; 100 are needed" in gate(bright_card, model, model, small).reasons[0]
    assert gate(bright_card, model, model, small, limits=Limits(least_images=50)).passed


def test_a_card_without_labels_is_refused(
    tmp_path: Path, bright_card: ModelCard, films: CalibrationSet
) -> None:
    model = brightness_model(tmp_path / "a.onnx")
    with pytest.raises(EngineError, match="1 scores for the 0 labels"):
        gate(replace(bright_card, labels=()), model, model, films)


def test_gate_json_is_plain_and_without_pictures(
    tmp_path: Path, bright_card: ModelCard, films: CalibrationSet
) -> None:
    models = brightness_model(tmp_path / "a.onnx"), brightness_model(tmp_path / "b.onnx", shift=0.5)
    report = gate(bright_card, *models, films)
    text = json.dumps(report.as_gate(), allow_nan=False)
    plain = json.loads(text)
    assert plain["passed"] is False
    assert plain["reasons"] == list(report.reasons)
    assert "roc" not in plain["labels"][0]["fp32"]
    assert "thumbnail_png" not in text
    metrics = {metric.name: metric for metric in report.metrics}
    assert metrics["Bright: AUC, int8 minus float32"].n == 150
