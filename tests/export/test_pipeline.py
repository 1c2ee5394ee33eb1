# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The whole way, with a network of four layers: what is in the bundle, and going on after a stop."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

pytest.importorskip("onnxslim", reason="the workshop is not installed (make setup-export)")
pytest.importorskip("sklearn", reason="the workshop is not installed (make setup-export)")

from appliance.clock import SystemClock
from appliance.domain.card import ModelCard, TensorSpec
from appliance.errors import ExitCode, InputError, ScansideError
from appliance.models.bundle import read_unsigned
from appliance.models.keys import fingerprint_of, grouped, read_public_key
from export.__main__ import main
from export.card_file import card_toml
from export.in_graph import Normalisation
from export.keys import new_key
from export.pack import pack
from export.pipeline import export_bundle
from export.recipe import Recipe
from export.session import run_all
from export.summary import Exported
from export.to_onnx import Source
from export.work import WorkFolder
from tests.tiny_networks import SIDE_PX, fragile_classifier, images, residual_classifier

LABELS = ("Pleural effusion", "Pneumothorax")
ENOUGH = 110


@pytest.fixture
def card(chest_card: ModelCard) -> ModelCard:
    """Decisions that never flip: what is looked at here is the order of the answers (AUC)."""
    return dataclasses.replace(
        chest_card,
        inputs=(TensorSpec(name="image", shape=("batch", 1, SIDE_PX, SIDE_PX), dtype="float32"),),
        outputs=(
            TensorSpec(name="logits", shape=("batch", 2), dtype="float32"),
            TensorSpec(name="heatmap", shape=("batch", 2, SIDE_PX, SIDE_PX), dtype="float32"),
        ),
        preprocessing=dataclasses.replace(chest_card.preprocessing, size_px=SIDE_PX),
        labels=tuple(
            dataclasses.replace(label, sensitive_threshold=0.0, specific_threshold=1.0)
            for label in chest_card.labels
        ),
    )


def image_set(folder: Path, model: onnx.ModelProto, count: int, *, seed: int) -> Path:
    """Images of blobs; a label is true where the float32 network's logit is high, false where it is low.

    In between it is unknown: nobody's order of answers depends on what lies within rounding.
    """
    folder.mkdir()
    films = [np.rint(1000 * np.clip(item["image"][0, 0], 0, 1)) / 1000 for item in images(count, seed=seed)]
    prepared = [{"image": _letterboxed(film)} for film in films]
    logits = np.concatenate([answer["logits"] for answer in run_all(model, prepared)])
    low, high = np.percentile(logits, (35, 65), axis=0)
    truth = np.where(logits > high, "1", np.where(logits < low, "0", ""))
    rows = []
    for index, film in enumerate(films):
        path = folder / f"{index:03}.npy"
        np.save(path, film.astype(np.float32))
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        row = {"file": path.name, "sha256": sha256, "group": f"p{index}"}
        rows.append(row | {f"label:{name}": str(truth[index, i]) for i, name in enumerate(LABELS)})
    with (folder / "manifest.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return folder


def _letterboxed(film: np.ndarray) -> np.ndarray:
    low, high = np.percentile(film, (0.5, 99.5))
    return np.clip((film - low) / (high - low), 0, 1).astype(np.float32)[None, None]


@dataclasses.dataclass(frozen=True)
class Place:
    folder: Path
    recipe: Recipe

    def run(self, heard: list[str] | None = None, **changes: Any) -> Exported:
        def progress(step: str, done: int, count: int) -> None:
            if heard is not None and done == count:
                heard.append(step)

        work = WorkFolder(self.folder / "work", clock=SystemClock(), progress=progress)
        return export_bundle(dataclasses.replace(self.recipe, **changes), work, clock=SystemClock())


@pytest.fixture
def make_place(tmp_path: Path, card: ModelCard) -> Callable[[onnx.ModelProto], Place]:
    def make(model: onnx.ModelProto, *, labelled: int = ENOUGH) -> Place:
        onnx.save(model, tmp_path / "trained.onnx")
        recipe = Recipe(
            source=Source(model=str(tmp_path / "trained.onnx")),
            card=card,
            calibration=image_set(tmp_path / "calibration", model, 12, seed=1),
            labelled=image_set(tmp_path / "labelled", model, labelled, seed=2),
            heatmap_of="logits",
            threads=1,
        )
        return Place(folder=tmp_path, recipe=recipe)

    return make


def test_a_bundle_with_both_variants_is_one_that_a_device_reads(make_place: Callable[..., Place]) -> None:
    place = make_place(residual_classifier(labels=2))
    found = place.run()
    assert found.bundle is not None
    assert found.parity is not None
    assert found.parity.passed
    assert {name: report.passed for name, report in found.gates.items()} == {"int8": True, "fp16": True}
    packed = pack(found.bundle, key=None, out=place.folder / "out")
    bundle = read_unsigned(packed)
    assert set(bundle.model_sha256) == {"fp32", "int8", "fp16"}
    assert {variant.precision for variant in bundle.card.variants} == {"int8", "fp16"}
    assert all(limit > 0 for variant in bundle.card.variants for limit in variant.tolerances.values())
    assert any("AUC, int8 minus float32" in metric.name for metric in bundle.card.metrics)
    gates = json.loads((packed / "gate.json").read_text())
    assert gates["variants"]["int8"]["passed"] is True
    heat, logits = bundle.golden_outputs["heatmap"], bundle.golden_outputs["logits"]
    assert np.allclose(heat.mean((2, 3)), logits, atol=1e-4)


def test_the_layer_that_int8_destroys_is_left_in_float(make_place: Callable[..., Place]) -> None:
    found = make_place(fragile_classifier()).run(fp16=False)
    step = found.steps["int8"]
    assert step["left_in_float"] == ["three"]
    assert [attempt["passed"] for attempt in step["attempts"]] == [False, True]
    assert any("AUC" in reason for reason in step["attempts"][0]["reasons"])
    assert found.gates["int8"].passed


def test_a_stopped_run_goes_on_where_it_was(make_place: Callable[..., Place]) -> None:
    place = make_place(residual_classifier(labels=2))
    place.run()
    heard: list[str] = []
    place.run(heard)
    steps = ("onnx", "simplify", "equalise", "ranges", "sensitivity", "int8", "fp16")
    assert [f"{step} (as before)" in heard for step in steps] == [True] * len(steps)
    heard.clear()
    (place.folder / "work" / "model.int8.onnx").write_bytes(b"half of a file")
    place.run(heard)
    assert "ranges (as before)" in heard
    assert "int8" in heard, "a file that is not the one that was made is made again"
    heard.clear()
    place.run(heard, keep_float=("stem",))
    assert "sensitivity (as before)" in heard
    assert "int8" in heard, "another wish is another step"


def test_probabilities_and_points_are_on_the_card_and_in_the_report(
    make_place: Callable[..., Place],
) -> None:
    model = residual_classifier(labels=2)
    place = make_place(model)
    fit = image_set(place.folder / "fit", model, ENOUGH, seed=3)
    found = place.run(fit_labels=fit, int8=False)
    assert found.bundle is not None
    assert found.calibration is not None
    labels = read_unsigned(pack(found.bundle, key=None, out=place.folder / "out")).card.labels
    assert [item.label for item in found.calibration] == list(labels)
    assert all(label.scale != old.scale for label, old in zip(labels, place.recipe.card.labels, strict=True))
    names = {metric.name for metric in found.card.metrics}
    assert {f"{name}: sensitivity at the sensitive point" for name in LABELS} <= names
    report = json.loads((place.folder / "work" / "report.json").read_text())
    assert [len(item["points"]) for item in report["calibration"]] == [2, 2]
    # the gate decides with what goes on the card, not with what the card came with
    points = {point["threshold"] for gate in report["gates"] for point in gate["labels"][0]["fp32"]["points"]}
    assert points == {labels[0].sensitive_threshold, labels[0].specific_threshold}, (
        "the gate uses the new ones"
    )
    assert "Not done" not in (place.folder / "work" / "report.html").read_text().partition("7. Does")[2][:900]
    # patients p0, p1... are those of the gate, too: that is said
    assert f"gate ({ENOUGH} of its groups also chose the operating points)" in {
        item["purpose"] for item in report["sets"]
    }
    heard: list[str] = []
    place.run(heard, fit_labels=fit, int8=False)
    assert {"scores (as before)", "fp16 (as before)"} <= set(heard)


def test_without_images_of_known_truth_there_is_no_variant(make_place: Callable[..., Place]) -> None:
    found = make_place(residual_classifier(labels=2)).run(labelled=None)
    assert found.bundle is not None
    assert found.gates == {}
    assert found.card.variants == ()
    assert sorted(path.name for path in found.bundle.iterdir()) == [
        "card.toml",
        "gate.json",
        "golden.npz",
        "model.onnx",
        "report.html",
    ]


def test_a_gate_that_cannot_judge_ends_the_run(make_place: Callable[..., Place]) -> None:
    place = make_place(residual_classifier(labels=2), labelled=20)
    with pytest.raises(ScansideError, match="20"):
        place.run()
    assert not (place.folder / "work" / "bundle").exists()


def test_a_layer_that_is_not_there_cannot_be_kept(make_place: Callable[..., Place]) -> None:
    with pytest.raises(InputError, match="no layer"):
        make_place(residual_classifier(labels=2)).run(keep_float=("steam",))


def test_normalisation_and_heatmap_are_in_the_graph(make_place: Callable[..., Place]) -> None:
    place = make_place(residual_classifier(labels=2))
    three = residual_classifier(channels=3, labels=2)
    onnx.save(three, place.folder / "trained.onnx")
    how = Normalisation(mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.4))
    found = place.run(normalisation=how, labelled=None, int8=False, fp16=False)
    assert found.bundle is not None
    given = images(2, seed=5)
    wanted = run_all(three, [{"image": how.apply(item["image"])} for item in given])
    answers = run_all(onnx.load(found.bundle / "model.onnx"), given)
    for answer, want in zip(answers, wanted, strict=True):
        assert np.allclose(answer["logits"], want["logits"], atol=1e-5)


def test_the_report_names_the_key_that_will_sign(
    make_place: Callable[..., Place], capsys: pytest.CaptureFixture[str]
) -> None:
    place = make_place(residual_classifier(labels=2))
    (place.folder / "card.toml").write_text(card_toml(place.recipe.card))
    words = "a few words that nobody puts together"
    public = new_key(place.folder / "clinic.pem", passphrase=words)
    (place.folder / "words").write_text("not these words at all\n")
    out = place.folder / "out"
    command = [
        *(str(place.folder / "trained.onnx"), "--card", str(place.folder / "card.toml")),
        *("--calibration", str(place.recipe.calibration), "--heatmap-of", "logits", "--no-int8", "--no-fp16"),
        *("--key", str(place.folder / "clinic.pem"), "--passphrase-file", str(place.folder / "words")),
        *("--out", str(out)),
    ]
    with pytest.raises(SystemExit) as ended:
        main(command)
    assert ended.value.code == ExitCode.CONFIG
    assert not out.with_name("out.work").exists(), "a key that does not open is said before the work"
    capsys.readouterr()
    (place.folder / "words").write_text(words + "\n")
    with pytest.raises(SystemExit) as ended:
        main(command)
    assert ended.value.code == 0, capsys.readouterr().err
    fingerprint = grouped(fingerprint_of(read_public_key(public)))
    assert f"Signed by the key clinic, fingerprint {fingerprint}" in (out / "report.html").read_text()
    assert (out / "SIGNATURE").exists()


def test_the_command_packs_a_zip_and_says_that_nobody_signed_it(
    make_place: Callable[..., Place], capsys: pytest.CaptureFixture[str]
) -> None:
    place = make_place(residual_classifier(labels=2))
    (place.folder / "card.toml").write_text(card_toml(place.recipe.card))
    out = place.folder / "bundle.zip"
    with pytest.raises(SystemExit) as ended:
        main(
            [
                *(str(place.folder / "trained.onnx"), "--card", str(place.folder / "card.toml")),
                *("--calibration", str(place.recipe.calibration), "--labelled", str(place.recipe.labelled)),
                *("--heatmap-of", "logits", "--no-fp16", "--threads", "1", "--out", str(out)),
            ]
        )
    said = capsys.readouterr()
    assert ended.value.code == 0, said.err
    assert out.exists()
    assert "NOT signed" in said.out
    assert "percentile" in said.out
