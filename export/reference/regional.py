# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Triage heads that know where they look: one linear function of the features for each of 4 x 4 regions.

Chest films are taken alike, so what a feature means depends on where it is: a heart's edge is in its
place or beyond it. The logit is a constant plus the mean over all places of a function that is linear in
the features of the place; the heatmap is that function, less what the same place gives in an average
film. Each cell is exactly what that place added to the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import scipy.linalg
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from export.reference.films import SIZE_PX, Film, letterbox, read_grey, vary
from export.reference.onnx_graph import BATCH, Graph
from export.reference.reference_engine import session
from export.reference.squeezenet import CHANNELS, STRIDE_PX, add_trunk, read_weights

CELLS: Final = SIZE_PX // STRIDE_PX
REGIONS: Final = 4
"""Regions along each side. Of 1, 2, 4 and 5 tried by the cross-validation that is also quoted, 4 was the
best by less than 0.01 of AUC over 2 and 5, and by 0.04 over 1."""
COPIES: Final = 2
"""The film as it is, and a varied copy (positioning, exposure, mirrored or not)."""
BATCH_FILMS: Final = 4
STRENGTHS: Final = (1e3, 3e3, 1e4, 3e4)
"""Penalties on the squared weights of standardised features, for the inner cross-validation to choose."""
INNER_FOLDS: Final = 4
SMALLEST_DEVIATION: Final = 1e-3
"""Added to a feature's deviation: a channel that is always zero stays zero."""

Features = NDArray[np.float32]
"""[films, copies, channels * regions * regions]."""
Maps = NDArray[np.float16]
"""[films, channels, cells, cells]: of the films as they are."""
Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionalHead:
    """Weights on the mean features of each region."""

    weight: NDArray[np.float64]
    """[labels, channels, regions, regions]."""
    bias: NDArray[np.float64]
    """[labels]."""
    usual: NDArray[np.float64] | None = None
    """[labels, cells, cells]: what each place gives in the average film, taken out of the heatmap."""

    def logits(self, features: Features) -> Matrix:
        """[films, labels] of [films, channels * regions * regions]."""
        flat = self.weight.reshape(len(self.bias), -1)
        return np.asarray(features.astype(np.float64) @ flat.T + self.bias, np.float64)

    def heat(self, maps: Maps) -> Matrix:
        """[films, labels, cells, cells]; its mean and `bias` are the logits (less `usual` in both)."""
        cells = CELLS // REGIONS
        wide = self.weight.repeat(cells, axis=2).repeat(cells, axis=3) * REGIONS**2
        heat = np.stack([np.einsum("lcij,cij->lij", wide, one.astype(np.float64)) for one in maps])
        return np.asarray(heat if self.usual is None else heat - self.usual, np.float64)


def trunk_graph(data: Path, path: Path) -> Path:
    """The backbone alone."""
    graph = Graph("trunk")
    image = graph.input("image", [BATCH, 1, SIZE_PX, SIZE_PX])
    graph.output(add_trunk(graph, image, read_weights(data)), "map", [BATCH, CHANNELS, CELLS, CELLS])
    graph.save(path, description="SqueezeNet 1.0 to its last pooling, grey 0..1 in")
    return path


def regional_means(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """[n, channels * regions * regions] of [n, channels, cells, cells]."""
    cells = CELLS // REGIONS
    parts = maps.reshape(len(maps), CHANNELS, REGIONS, cells, REGIONS, cells)
    return np.asarray(parts.mean(axis=(3, 5)).reshape(len(maps), -1), np.float32)


def extract(films: list[Film], data: Path, work: Path) -> tuple[Features, Maps]:
    """Features of each film and its copy, and the maps of the films; resumes where it was stopped.

    Pixels are rounded to 8 bits, as the films are stored.
    """
    work.mkdir(parents=True, exist_ok=True)
    counter = work / "extracted.txt"
    done = int(counter.read_text()) if counter.exists() else 0
    mode = "r+" if done else "w+"
    shape = (len(films), COPIES, CHANNELS * REGIONS**2)
    features = open_memmap(work / "regions.npy", mode=mode, dtype=np.float32, shape=shape)
    maps = open_memmap(
        work / "maps.npy", mode=mode, dtype=np.float16, shape=(len(films), CHANNELS, CELLS, CELLS)
    )
    if len(features) != len(films):
        message = f"{work} holds {len(features)} films, not {len(films)}: delete it to compute it anew"
        raise ValueError(message)
    run = session(trunk_graph(data, work / "trunk.onnx"))
    for start in range(done, len(films), BATCH_FILMS):
        random = np.random.default_rng(start)
        squares: list[NDArray[np.float32]] = []
        for film in films[start : start + BATCH_FILMS]:
            grey = np.rint(letterbox(read_grey(film), size_px=SIZE_PX) * 255) / 255
            plain = grey.astype(np.float32)
            squares += [plain, vary(plain, random)]
        made = run.run(["map"], {"image": np.stack(squares)[:, None].astype(np.float32)})[0]
        here = slice(start, start + len(squares) // COPIES)
        maps[here] = made[::COPIES]
        features[here] = regional_means(made.astype(np.float16).astype(np.float32)).reshape(-1, *shape[1:])
        if start % 200 == 0:
            counter.write_text(str(start))
            print(f"{start} of {len(films)} films", flush=True)
    counter.write_text(str(len(films)))
    return features, maps


def ridge(
    features: Features, targets: Matrix, weight: NDArray[np.float64], strengths: tuple[float, ...]
) -> list[RegionalHead]:
    """Weighted least squares for all targets at once, one head per penalty; solved over films, not weights.

    Hoerl and Kennard 1970. `features` [films, copies, n]: every copy has its film's target and weight.
    """
    mean = features[:, 0].mean(axis=0)
    deviation = features[:, 0].std(axis=0) + SMALLEST_DEVIATION
    centre = np.average(targets, axis=0, weights=weight)
    root = np.sqrt(np.repeat(weight, features.shape[1]))[:, None].astype(np.float32)
    rows = ((features - mean) / deviation).reshape(-1, features.shape[2]) * root
    wanted = np.repeat(targets - centre, features.shape[1], axis=0) * root
    gram = (rows @ rows.T).astype(np.float64)
    heads = []
    for strength in strengths:
        factor = scipy.linalg.cho_factor(gram + strength * np.eye(len(gram)), overwrite_a=True)
        flat = (rows.T @ scipy.linalg.cho_solve(factor, wanted)).T / deviation
        heads.append(
            RegionalHead(weight=flat.reshape(-1, CHANNELS, REGIONS, REGIONS), bias=centre - flat @ mean)
        )
    return heads


def choose_strength(features: Features, targets: Matrix, fold: NDArray[np.int64]) -> float:
    """The penalty with the least squared error on inner folds; whole groups are in one fold."""
    errors = np.zeros(len(STRENGTHS))
    for number in np.unique(fold):
        train, test = fold != number, fold == number
        heads = ridge(features[train], targets[train], np.ones(int(train.sum())), STRENGTHS)
        for index, head in enumerate(heads):
            errors[index] += float(((head.logits(features[test, 0]) - targets[test]) ** 2).sum())
    return STRENGTHS[int(errors.argmin())]


def with_usual(head: RegionalHead, maps: Maps) -> RegionalHead:
    """The same head, its heatmap relative to the mean of these films."""
    plain = RegionalHead(weight=head.weight, bias=head.bias)
    return RegionalHead(weight=head.weight, bias=head.bias, usual=plain.heat(maps).mean(axis=0))


def write_graph(data: Path, path: Path, head: RegionalHead, *, name: str) -> None:
    """The model: every region's function as a 1x1 convolution, kept where the region is, and added up."""
    if head.usual is None:
        message = "the heatmap of a model is relative to the usual film: call with_usual first"
        raise ValueError(message)
    labels, cells = len(head.bias), CELLS // REGIONS
    graph = Graph(name)
    image = graph.input("image", [BATCH, 1, SIZE_PX, SIZE_PX])
    features = add_trunk(graph, image, read_weights(data))
    of_region = head.weight.transpose(0, 2, 3, 1).reshape(-1, CHANNELS, 1, 1) * REGIONS**2
    everywhere = graph.conv(features, "head", of_region.astype(np.float32), None)
    region = np.kron(np.arange(REGIONS**2).reshape(REGIONS, REGIONS), np.ones((cells, cells)))
    mask = (region == np.arange(REGIONS**2)[:, None, None]).astype(np.float32)
    kept = graph.node("Mul", [everywhere, graph.constant(np.tile(mask, (labels, 1, 1))[None], "head/mask")],
                      "head/kept")  # fmt: skip
    shape = graph.constant(np.array([0, labels, REGIONS**2, CELLS, CELLS], np.int64), "head/shape")
    apart = graph.node("Reshape", [kept, shape], "head/apart")
    axis = graph.constant(np.array([2], np.int64), "head/axis")
    heat = graph.node("ReduceSum", [apart, axis], "head/heat", keepdims=0)
    usual = graph.constant(head.usual[None].astype(np.float32), "head/usual")
    unusual = graph.node("Sub", [heat, usual], "head/unusual")
    mean = graph.node("ReduceMean", [unusual], "head/mean", axes=[2, 3], keepdims=0)
    constant = (head.bias + head.usual.mean(axis=(1, 2))).astype(np.float32)
    bias = graph.constant(constant, "head/bias")
    graph.output(graph.node("Add", [mean, bias], "head/logits"), "logits", [BATCH, labels])
    graph.output(unusual, "heatmap", [BATCH, labels, CELLS, CELLS])
    graph.save(path, description=f"{name}; grey 0..1 in, SqueezeNet features, linear head per region")
