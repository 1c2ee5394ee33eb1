# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A head per region: found by ridge regression, and the same numbers in the graph as on paper."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")

from export.reference.films import SIZE_PX
from export.reference.reference_engine import session
from export.reference.regional import (
    CELLS,
    REGIONS,
    STRENGTHS,
    RegionalHead,
    choose_strength,
    regional_means,
    ridge,
    trunk_graph,
    with_usual,
    write_graph,
)
from export.reference.squeezenet import CHANNELS, MEAN, read_weights

LABELS = 2


@pytest.fixture
def head() -> RegionalHead:
    random = np.random.default_rng(2)
    return RegionalHead(
        weight=random.normal(0, 1e-4, (LABELS, CHANNELS, REGIONS, REGIONS)), bias=np.array([0.5, -1.0])
    )


@pytest.fixture
def maps() -> np.ndarray:
    return np.random.default_rng(3).uniform(0, 20, (3, CHANNELS, CELLS, CELLS)).astype(np.float16)


def test_a_region_is_the_mean_of_its_own_cells() -> None:
    made = np.zeros((1, CHANNELS, CELLS, CELLS), np.float32)
    made[0, 7, 5:10, 15:20] = 3.0
    means = regional_means(made).reshape(CHANNELS, REGIONS, REGIONS)
    assert means[7, 1, 3] == pytest.approx(3.0)
    assert np.count_nonzero(means) == 1


def test_the_mean_of_the_heatmap_is_the_logit(head: RegionalHead, maps: np.ndarray) -> None:
    logits = head.logits(regional_means(maps.astype(np.float32)))
    assert head.heat(maps).mean(axis=(2, 3)) + head.bias == pytest.approx(logits, abs=1e-6)


def test_the_usual_film_has_no_heat(head: RegionalHead, maps: np.ndarray) -> None:
    relative = with_usual(head, maps)
    assert np.abs(relative.heat(maps).mean(axis=0)).max() < 1e-9
    assert np.abs(relative.heat(maps)).max() > 1e-3


def test_ridge_is_the_textbook_solution() -> None:
    random = np.random.default_rng(4)
    width = CHANNELS * REGIONS**2
    features = random.normal(0, 1, (30, 1, width)).astype(np.float32)
    targets, weight = random.normal(0, 1, (30, 2)), random.uniform(0.5, 2, 30)
    (found,) = ridge(features, targets, weight, (50.0,))
    mean, deviation = features[:, 0].mean(axis=0), features[:, 0].std(axis=0) + 1e-3
    rows = ((features[:, 0] - mean) / deviation).astype(np.float64)
    centre = np.average(targets, axis=0, weights=weight)
    dual = np.linalg.solve(rows @ rows.T * weight + 50.0 * np.eye(30), targets - centre)
    expected = rows @ rows.T @ (weight[:, None] * dual) + centre
    assert found.logits(features[:, 0]) == pytest.approx(expected, abs=2e-3)


def test_the_penalty_follows_the_noise() -> None:
    random = np.random.default_rng(5)
    causes = random.normal(0, 1, (80, 1, 16)).astype(np.float32)
    features = np.tile(causes, CHANNELS)
    fold = np.arange(80) % 4
    of_noise = choose_strength(features, random.normal(0, 1, (80, 1)), fold)
    of_a_cause = choose_strength(features, causes[:, 0, :1].astype(np.float64), fold)
    assert (of_a_cause, of_noise) == (STRENGTHS[0], STRENGTHS[-1])


def test_the_graph_says_what_the_head_says(head: RegionalHead, real_data: Path, tmp_path: Path) -> None:
    image = np.random.default_rng(6).uniform(0, 1, (2, 1, SIZE_PX, SIZE_PX)).astype(np.float32)
    (made,) = session(trunk_graph(real_data, tmp_path / "trunk.onnx")).run(["map"], {"image": image})
    relative = with_usual(head, made.astype(np.float16))
    write_graph(real_data, tmp_path / "model.onnx", relative, name="test")
    logits, heat = session(tmp_path / "model.onnx").run(["logits", "heatmap"], {"image": image})
    assert logits == pytest.approx(relative.logits(regional_means(made)), abs=2e-3)
    expected = relative.heat(made.astype(np.float16))
    assert np.abs(heat - expected).max() < 2e-3 * max(1.0, np.abs(expected).max())


def test_a_graph_without_the_usual_film_is_refused(head: RegionalHead, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="with_usual"):
        write_graph(tmp_path, tmp_path / "model.onnx", head, name="test")


def test_one_grey_channel_gives_what_three_equal_colours_gave(real_data: Path) -> None:
    with np.load(real_data / "backbones" / "squeezenet1.0_imagenet_f32.npz") as arrays:
        colour, bias = arrays["conv1/w"], arrays["conv1/b"]
    grey = read_weights(real_data)
    patch = np.random.default_rng(7).uniform(0, 1, (7, 7))
    was = (colour * (patch * 255 - np.array(MEAN)[:, None, None])[None]).sum(axis=(1, 2, 3)) + bias
    now = (grey["conv1/w"][:, 0] * patch).sum(axis=(1, 2)) + grey["conv1/b"]
    assert now == pytest.approx(was, abs=1e-2)
