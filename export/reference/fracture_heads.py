# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The reader of fractures: a place by place answer learned from drawn boxes, and one of the whole film.

`places`: a linear function of the features of each place (16 px of 384), learned from the boxes: inside
against outside, and against films without a box. `film`: a linear function of the mean features. The
logit joins the hottest neighbourhood of 3 x 3 places with the whole film's answer.

Both are least squares, so a fold's part in the sums is kept once and left out by not adding it: every
number that joins the two comes from films that neither had seen.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from calibration.probability import Scores, Truth
from calibration.statistics import auc
from export.reference.films import Box, in_square
from export.reference.fracture_features import (
    CELLS,
    CHANNELS,
    COPIES,
    FINE_CHANNELS,
    SIZE_PX,
    Maps,
    add_trunk,
)
from export.reference.onnx_graph import BATCH, Graph

NEIGHBOURHOOD: Final = 3
"""Places along each side of what must be hot together, 48 px of 384: half of the boxes are wider than 43."""
BACKGROUND_SHARE: Final = 0.2
"""Of the places outside all boxes that are learned from: neighbours say nearly the same."""
PLACE_PENALTIES: Final = (0.1, 0.3, 2.0)
FILM_PENALTIES: Final = (3e3, 1e4, 3e4)
"""Penalties on the squared weights of scaled features, for the inner folds to choose by AUC."""
SMALLEST_DEVIATION: Final = 1e-3
"""Added to a feature's deviation: a channel that is always zero stays zero."""
SCALED_ON_EVERY: Final = 20
"""Films whose features give the places' scale: one in so many."""

TOGETHER: Final = 20
"""Films whose places are multiplied at once."""

Grid = NDArray[np.bool_]
Left = tuple[int, ...]
"""Folds that a head has not seen."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Linear:
    """A linear function of the features, and its constant."""

    weight: NDArray[np.float64]
    bias: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reader:
    """Everything that stands behind the backbone."""

    places: Linear
    film: Linear
    of_hottest: float
    of_film: float
    constant: float


def boxed_places(boxes: Collection[Box], film_shape: tuple[int, int]) -> tuple[Grid, Grid]:
    """([cells, cells] inside a box, inside or beside one). A box between two places has its middle's."""
    centre = (np.arange(CELLS) + 0.5) / CELLS
    inside, near = np.zeros((CELLS, CELLS), np.bool_), np.zeros((CELLS, CELLS), np.bool_)
    for box in boxes:
        top, left, bottom, right = in_square(box, film_shape)
        for margin, grid in ((0.0, inside), (1 / CELLS, near)):
            down = (centre >= top - margin) & (centre <= bottom + margin)
            across = (centre >= left - margin) & (centre <= right + margin)
            grid[np.ix_(down, across)] = True
        middle = ((top + bottom) / 2, (left + right) / 2)
        inside[tuple(min(int(at * CELLS), CELLS - 1) for at in middle)] = True
    return inside, near | inside


def smoothed(heat: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean of 3 x 3 places; nothing lies beyond the border. [..., cells, cells]."""
    flat = heat.reshape(-1, CELLS, CELLS)
    kernel = (NEIGHBOURHOOD, NEIGHBOURHOOD)
    found: NDArray[np.float32] = np.stack(
        [cv2.boxFilter(one, -1, kernel, borderType=cv2.BORDER_CONSTANT) for one in flat]
    )
    return np.asarray(found.reshape(heat.shape), np.float32)


class PlaceSums:
    """What the least squares of `places` need, by fold: products of features of three kinds of places."""

    def __init__(
        self, maps: Maps, grids: list[tuple[Grid, Grid]], truth: Truth, fold: NDArray[np.int64], *, seed: int
    ) -> None:
        random = np.random.default_rng(seed)
        sample = [(maps.of(row, 0) ** 2).mean(axis=0) for row in range(0, len(truth), SCALED_ON_EVERY)]
        self.scale = np.sqrt(np.mean(sample, axis=0)) + np.float32(SMALLEST_DEVIATION)
        self.products = np.zeros((int(fold.max()) + 1, 3, CHANNELS + 1, CHANNELS + 1))
        for number in range(len(self.products)):
            rows = np.flatnonzero(fold == number)
            for start in range(0, len(rows), TOGETHER):
                kinds: tuple[list[NDArray[np.float32]], ...] = ([], [], [])
                for row in rows[start : start + TOGETHER]:
                    for copy in range(COPIES):
                        inside, near = (grid[:, ::-1] if copy else grid for grid in grids[row])
                        few = random.random(CELLS**2) < BACKGROUND_SHARE
                        values = maps.of(row, copy) / self.scale
                        values = np.concatenate([values, np.ones((len(values), 1), np.float32)], axis=1)
                        if truth[row]:
                            kinds[0].append(values[inside.ravel()])
                            kinds[1].append(values[~near.ravel() & few])
                        else:
                            kinds[2].append(values[few])
                for kind, parts in enumerate(kinds):
                    if parts:
                        part = np.concatenate(parts)
                        self.products[number, kind] += part.T @ part
            print(f"places of fold {number}", flush=True)

    def solve(self, left: Left, penalty: float) -> Linear:
        """Inside a box 1, elsewhere -1; both as heavy, half of elsewhere in films without a fracture."""
        used = [number for number in range(len(self.products)) if number not in left]
        left_side = penalty * np.eye(CHANNELS + 1)
        left_side[-1, -1] = 0.0
        right_side = np.zeros(CHANNELS + 1)
        for kind, (weight, target) in enumerate(((1.0, 1.0), (0.5, -1.0), (0.5, -1.0))):
            products = self.products[used, kind].sum(axis=0)
            count = products[-1, -1]
            left_side += weight * products / count
            right_side += weight * target * products[-1] / count
        found = scipy.linalg.solve(left_side, right_side, assume_a="pos")
        return Linear(weight=found[:-1] / self.scale, bias=float(found[-1]))


def solve_film(means: NDArray[np.float32], truth: Truth, penalties: Collection[float]) -> list[Linear]:
    """Ridge regression of the film's answer (1 or 0), one for each penalty. [films, copies, channels]."""
    rows = means.reshape(-1, means.shape[2]).astype(np.float64)
    wanted = np.repeat(truth.astype(np.float64), means.shape[1])
    mean, deviation = rows.mean(axis=0), rows.std(axis=0) + SMALLEST_DEVIATION
    rows = (rows - mean) / deviation
    values, vectors = np.linalg.eigh(rows @ rows.T)
    along = vectors.T @ (wanted - wanted.mean())
    found = []
    for penalty in penalties:
        weight = rows.T @ (vectors @ (along / (values + penalty))) / deviation
        found.append(Linear(weight=weight, bias=float(wanted.mean() - mean @ weight)))
    return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scored:
    """Every film by every head that left out one or two folds, for each penalty."""

    heat: dict[tuple[Left, int], NDArray[np.float32]]
    """[films, cells, cells]."""
    film: dict[tuple[Left, int], Scores]
    hottest: dict[tuple[Left, int], Scores]


def score(
    maps: Maps, sums: PlaceSums, means: NDArray[np.float32], truth: Truth, fold: NDArray[np.int64]
) -> Scored:
    """Train and apply all heads of the nested cross-validation."""
    numbers = range(int(fold.max()) + 1)
    lefts: list[Left] = [(number,) for number in numbers]
    lefts += list(combinations(numbers, 2))
    keys = [(left, index) for left in lefts for index in range(len(PLACE_PENALTIES))]
    places = [sums.solve(left, PLACE_PENALTIES[index]) for left, index in keys]
    weights = np.stack([head.weight for head in places], axis=1).astype(np.float32)
    biases = np.array([head.bias for head in places], np.float32)
    every = np.stack([maps.of(row, 0) @ weights + biases for row in range(len(truth))])
    every = every.transpose(2, 0, 1).reshape(len(keys), len(truth), CELLS, CELLS)
    film = {}
    for left in lefts:
        train = ~np.isin(fold, left)
        for index, head in enumerate(solve_film(means[train], truth[train], FILM_PENALTIES)):
            film[left, index] = means[:, 0].astype(np.float64) @ head.weight + head.bias
    heat = dict(zip(keys, every, strict=True))
    hottest = {
        key: smoothed(value).reshape(len(truth), -1).max(axis=1).astype(np.float64)
        for key, value in heat.items()
    }
    return Scored(heat=heat, film=film, hottest=hottest)


def unseen(values: dict[tuple[Left, int], Scores], fold: NDArray[np.int64], *, outer: int | None) -> Scores:
    """[penalties, films]: each film by heads without its fold, and without `outer` too; NaN within it."""
    penalties = 1 + max(index for _, index in values)
    found = np.full((penalties, len(fold)), np.nan)
    for number in np.unique(fold):
        if number != outer:
            left = (int(number),) if outer is None else tuple(sorted((int(number), outer)))
            for index in range(penalties):
                found[index, fold == number] = values[left, index][fold == number]
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Joint:
    """The chosen penalties, and how the two answers are joined."""

    place_penalty: int
    film_penalty: int
    of_hottest: float
    of_film: float
    constant: float

    def logits(self, hottest: Scores, film: Scores) -> Scores:
        """Of each film."""
        return self.of_hottest * hottest + self.of_film * film + self.constant


def join(scored: Scored, truth: Truth, fold: NDArray[np.int64], *, outer: int | None) -> Joint:
    """Choose and join by films outside `outer` that no head behind the numbers has seen."""
    known = fold != outer if outer is not None else np.ones(len(fold), np.bool_)
    hottest = unseen(scored.hottest, fold, outer=outer)[:, known]
    film = unseen(scored.film, fold, outer=outer)[:, known]
    place = int(np.argmax([auc(one, truth[known]) for one in hottest]))
    whole = int(np.argmax([auc(one, truth[known]) for one in film]))
    both = np.stack([hottest[place], film[whole]], axis=1)
    mean, deviation = both.mean(axis=0), both.std(axis=0)
    model = LogisticRegression().fit((both - mean) / deviation, truth[known])
    slope = model.coef_[0] / deviation
    return Joint(
        place_penalty=place,
        film_penalty=whole,
        of_hottest=float(slope[0]),
        of_film=float(slope[1]),
        constant=float(model.intercept_[0] - slope @ mean),
    )


def write_graph(data: Path, path: Path, reader: Reader) -> None:
    """The model: logits [batch, 1], and the heatmap [batch, 1, 24, 24]: `places`, smoothed."""
    graph = Graph("fracture_triage")
    features = add_trunk(graph, data)

    def linear(tensor: str, name: str, weight: NDArray[np.float64], bias: float | None) -> str:
        constant = None if bias is None else np.array([bias], np.float32)
        return graph.conv(tensor, name, weight[None, :, None, None].astype(np.float32), constant)

    places, film = reader.places, reader.film
    coarse = linear(features.coarse, "head/places_coarse", places.weight[FINE_CHANNELS:], places.bias)
    shape = graph.constant(np.array([1, 1, 2, 2], np.float32), "head/twice")
    wide = graph.node("Resize", [coarse, "", shape], "head/places_wide", mode="nearest",
                      coordinate_transformation_mode="asymmetric", nearest_mode="floor")  # fmt: skip
    fine = linear(features.fine, "head/places_fine", places.weight[:FINE_CHANNELS], None)
    heat = graph.node("Add", [fine, wide], "head/heat")
    kernel, around = [NEIGHBOURHOOD] * 2, [NEIGHBOURHOOD // 2] * 4
    near = graph.node("AveragePool", [heat], "head/near", kernel_shape=kernel, strides=[1, 1], pads=around,
                      count_include_pad=1)  # fmt: skip
    hottest = graph.node("MaxPool", [near], "head/hottest", kernel_shape=[CELLS, CELLS])
    scaled = graph.node(
        "Mul", [hottest, graph.constant(reader.of_hottest, "head/of_hottest")], "head/from_places"
    )
    parts = []
    for kind, tensor, weight in (
        ("fine", features.fine, film.weight[:FINE_CHANNELS]),
        ("coarse", features.coarse, film.weight[FINE_CHANNELS:]),
    ):
        mean = graph.node("GlobalAveragePool", [tensor], f"head/film_{kind}_mean")
        parts.append(linear(mean, f"head/film_{kind}", weight * reader.of_film, None))
    total = graph.node("Add", [graph.node("Add", parts, "head/film"), scaled], "head/sum")
    constant = float(reader.constant + reader.of_film * film.bias)
    biased = graph.node("Add", [total, graph.constant(constant, "head/constant")], "head/biased")
    graph.output(graph.node("Flatten", [biased], "head/logits"), "logits", [BATCH, 1])
    graph.output(near, "heatmap", [BATCH, 1, CELLS, CELLS])
    graph.save(
        path, description=f"fracture_triage; grey 0..1 of {SIZE_PX} px in, EfficientNet-Lite0 features"
    )
