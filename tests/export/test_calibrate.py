# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A card that gets its probabilities and operating points from a set, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxslim", reason="the workshop is not installed (make setup-export)")
pytest.importorskip("sklearn", reason="the workshop is not installed (make setup-export)")

from appliance.clock import SystemClock
from appliance.domain.card import Metric, ModelCard
from appliance.errors import EngineError, InputError
from calibration.dataset import CalibrationSet
from calibration.statistics import auc
from export.__main__ import main
from export.calibrate import calibrate, calibrate_in, card_from_logits, folds_by_group, logits_of
from export.card_file import card_toml, read_card
from export.work import WorkFolder
from tests.export.graphs import GAIN, brightness_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return brightness_model(tmp_path / "model.onnx")


def by_name(card: ModelCard) -> Mapping[str, Metric]:
    found = {metric.name: metric for metric in card.metrics}
    assert len(found) == len(card.metrics), "a number comes twice"
    return found


def test_the_scores_are_the_graphs_own(model: Path, bright_card: ModelCard, films: CalibrationSet) -> None:
    heard: list[int] = []
    found = logits_of(bright_card, model, films, threads=1, progress=lambda done, _: heard.append(done))
    wanted = [GAIN * (item["image"].mean() - 0.5) for item in films.tensors(bright_card)]
    assert np.allclose(found[:, 0], wanted, atol=1e-4)
    assert heard == list(range(1, len(films.entries) + 1))


def test_a_card_gets_what_was_measured(model: Path, bright_card: ModelCard, films: CalibrationSet) -> None:
    wrong = replace(bright_card, labels=(replace(bright_card.labels[0], scale=0.1, shift=3.0),))
    found = calibrate(wrong, model, films)
    label, numbers = found.card.labels[0], by_name(found.card)
    assert label.name == "Bright"
    assert label.code == bright_card.labels[0].code
    assert 0 < label.sensitive_threshold <= label.specific_threshold < 1
    logits = logits_of(bright_card, model, films, threads=1)[:, 0]
    truth, _ = films.truth("Bright")
    assert numbers["Bright: AUC"].value == pytest.approx(auc(logits, truth), abs=1e-6)
    probability = np.array([label.probability_of(logit) for logit in logits])
    assert abs(probability.mean() - truth.mean()) < 0.02  # calibrated in the large
    low = numbers["Bright: sensitivity at the sensitive point"]
    assert (low.n, 0.8 < low.value <= 1.0) == (int(truth.sum()), True)
    before = numbers["Bright: expected calibration error before"]
    after = numbers["Bright: expected calibration error"]
    assert (before.value > 0.3, after.value < 0.1) == (True, True)
    for metric in numbers.values():
        assert metric.ci_low is not None
        assert metric.ci_high is not None
        assert metric.ci_low <= metric.value <= metric.ci_high
        assert films.manifest_sha256[:12] in metric.dataset
    assert {part.words for part in found.labels[0].points[0].strata} >= {"view AP", "sex F", "sex M"}
    again = calibrate(found.card, model, films)
    assert again.card.labels == found.card.labels
    assert by_name(again.card)["Bright: expected calibration error before"].value < 0.1


def test_no_patient_is_in_two_folds_and_every_fold_has_both_classes(films: CalibrationSet) -> None:
    truth, _ = films.truth("Bright")
    fold = folds_by_group("Bright", truth, list(films.groups), 5)
    of_group: dict[str, set[int]] = {}
    for group, number in zip(films.groups, fold, strict=True):
        of_group.setdefault(group, set()).add(int(number))
    assert {len(numbers) for numbers in of_group.values()} == {1}
    assert [set(truth[fold == number]) for number in range(5)] == [{True, False}] * 5
    assert np.array_equal(fold, folds_by_group("Bright", truth, list(films.groups), 5))


def test_images_of_unknown_truth_count_for_nothing(
    bright_card: ModelCard, films: CalibrationSet, tmp_path: Path
) -> None:
    part = without_truth(films, tmp_path / "part", 30)
    logits = np.random.default_rng(1).standard_normal((len(films.entries), 1))
    logits += 2.0 * films.truth("Bright")[0][:, None]
    known = card_from_logits(bright_card, logits, part)
    logits[:30] = 1000.0
    assert card_from_logits(bright_card, logits, part).card == known.card
    assert by_name(known.card)["Bright: AUC"].n == len(films.entries) - 30


def without_truth(films: CalibrationSet, folder: Path, first: int) -> CalibrationSet:
    """The same images; the first ones have no label."""
    entries = tuple(
        replace(entry, labels={"Bright": None}) if index < first else entry
        for index, entry in enumerate(films.entries)
    )
    return replace(films, folder=folder, entries=entries)


def test_what_cannot_be_calibrated_is_refused(bright_card: ModelCard, films: CalibrationSet) -> None:
    truth, _ = films.truth("Bright")
    good = np.where(truth, 1.0, -1.0)[:, None]
    with pytest.raises(InputError, match="lower with the finding than without it"):
        card_from_logits(bright_card, -good, films)
    few = replace(films, entries=films.entries[:30])
    with pytest.raises(InputError, match="20 of each are needed"):
        card_from_logits(bright_card, good[:30], few)
    with pytest.raises(InputError, match="100 folds cannot be made of"):
        card_from_logits(bright_card, good, films, folds=100)
    one = replace(films, entries=tuple(replace(entry, group="a") for entry in films.entries))
    with pytest.raises(InputError, match="of 1 groups"):
        card_from_logits(bright_card, good, one)
    unknown = replace(bright_card, labels=(replace(bright_card.labels[0], name="Dark"),))
    with pytest.raises(InputError, match="Dark: 0 images are known to have it"):
        card_from_logits(unknown, good, films)
    with pytest.raises(InputError, match="no label"):
        card_from_logits(replace(bright_card, labels=()), good, films)


def test_a_card_with_more_labels_than_scores_is_refused(
    model: Path, bright_card: ModelCard, films: CalibrationSet
) -> None:
    two = replace(bright_card, labels=bright_card.labels * 2)
    with pytest.raises(EngineError, match="1 scores for the 2 labels"):
        calibrate(two, model, films)


def test_the_graph_is_asked_once_per_set(
    model: Path, bright_card: ModelCard, films: CalibrationSet, tmp_path: Path
) -> None:
    heard: list[str] = []
    work = WorkFolder(tmp_path / "work", clock=SystemClock(), progress=lambda step, *_: heard.append(step))
    first = calibrate_in(work, model, bright_card, films, threads=1)
    heard.clear()
    again = calibrate_in(work, model, bright_card, films, threads=1)
    assert heard == ["scores (as before)"]
    assert again.card == first.card == calibrate(bright_card, model, films).card


def test_the_command_writes_a_card_and_prints_its_numbers(
    model: Path,
    bright_card: ModelCard,
    films: CalibrationSet,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    card, out = tmp_path / "card.toml", tmp_path / "new.toml"
    card.write_text(card_toml(bright_card), encoding="utf-8")
    words = ["calibrate", str(model), "--card", str(card), "--labelled", str(films.folder), "--out", str(out)]
    with pytest.raises(SystemExit) as ended:
        main(words)
    said = capsys.readouterr().out
    assert ended.value.code == 0
    label = read_card(out).labels[0]
    assert f"absent below {label.sensitive_threshold:.4f}" in said
    assert f"present from {label.specific_threshold:.4f}" in said
    assert "sensitivity at the specific point" in said
    with pytest.raises(SystemExit):
        main([*words, "--method", "temperature", "--json"])
    line = json.loads(capsys.readouterr().out)
    assert line["labels"][0]["shift"] == 0.0
    assert line["labels"][0]["scale"] == read_card(out).labels[0].scale
    assert {metric["name"] for metric in line["metrics"]} >= {"Bright: AUC"}
