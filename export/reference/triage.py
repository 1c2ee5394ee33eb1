# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Triage heads: linear on the mean of frozen feature maps, so that the heatmap is the answer itself.

The logit is a constant plus the mean over the image of a linear function of the features. The heatmap is
that function before the mean, less what the same place contributes in an average film: each cell is
exactly what that place added to the answer, not an explanation made afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from calibration.probability import Scores, Truth
from export.reference.films import SIZE_PX, Film, letterbox, read_grey, vary
from export.reference.mobilenet import (
    COARSE_CHANNELS,
    FINE_CHANNELS,
    add_backbone,
    read_convolutions,
)
from export.reference.onnx_graph import BATCH, Graph
from export.reference.statistics import balanced_weight

Features = NDArray[np.float32]
"""[films, copies, channels]; copy 0 is the film as it is, the others are varied."""
COPIES = 3
CELLS = SIZE_PX // 32
BATCH_FILMS = 8
USUAL_FILMS = 150
"""Training films whose mean heatmap is taken as usual."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A linear function of the mean fine and coarse features."""

    weight: NDArray[np.float32]
    """[labels, fine + coarse channels]."""
    bias: NDArray[np.float32]
    usual: NDArray[np.float32] | None = None
    """[labels, cells, cells]: what each place contributes in the average film, taken out of the heatmap.
    Without this, the padding at the border of the film is what shows most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How one label's weights are found."""

    regularisation: float
    """Inverse strength of the squared-weight penalty on standardised features."""
    fine: bool = True
    coarse: bool = True


def session(path: Path) -> onnxruntime.InferenceSession:
    """The reference engine with one thread.

    Without the extra entry it would dequantise the constant weights anew for each image, at twice the
    time; there are no quantised activations here that the entry could harm.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def write_graph(data: Path, path: Path, head: Head | None, *, name: str) -> None:
    """The model with its head, or without one: then its outputs are the mean features."""
    graph = Graph(name)
    image = graph.input("image", [BATCH, 1, SIZE_PX, SIZE_PX])
    features = add_backbone(graph, image, read_convolutions(data))
    if head is None:
        for kind, tensor, channels in (
            ("fine", features.fine, FINE_CHANNELS),
            ("coarse", features.coarse, COARSE_CHANNELS),
        ):
            mean = graph.node("ReduceMean", [tensor], f"{kind}/mean", axes=[2, 3], keepdims=0)
            graph.output(mean, kind, [BATCH, channels])
    else:
        labels = len(head.bias)
        weight = head.weight[:, :, None, None].astype(np.float32)
        parts = []
        if np.any(head.weight[:, :FINE_CHANNELS]):
            fine = graph.conv(features.fine, "head/fine", weight[:, :FINE_CHANNELS], None)
            parts.append(
                graph.node("AveragePool", [fine], "head/fine_mean", kernel_shape=[2, 2], strides=[2, 2])
            )
        if np.any(head.weight[:, FINE_CHANNELS:]):
            parts.append(graph.conv(features.coarse, "head/coarse", weight[:, FINE_CHANNELS:], None))
        heat = graph.node("Add", parts, "head/heat") if len(parts) > 1 else parts[0]
        constant = head.bias
        if head.usual is not None:
            heat = graph.node("Sub", [heat, graph.constant(head.usual[None], "head/usual")], "head/unusual")
            constant = constant + head.usual.mean(axis=(1, 2))
        mean = graph.node("ReduceMean", [heat], "head/mean", axes=[2, 3], keepdims=0)
        bias = graph.constant(constant.astype(np.float32), "head/bias")
        graph.output(graph.node("Add", [mean, bias], "head/logits"), "logits", [BATCH, labels])
        graph.output(heat, "heatmap", [BATCH, labels, CELLS, CELLS])
    graph.save(path, description=f"{name}; grey 0..1 in, MobileNetV2 features, linear head")


def extract(films: list[Film], data: Path, cache: Path, *, seed: int = 5) -> Features:
    """Mean features of each film and of varied copies of it; computed once."""
    if not cache.exists():
        cache.parent.mkdir(parents=True, exist_ok=True)
        backbone = cache.with_suffix(".onnx")
        write_graph(data, backbone, None, name="backbone")
        run = session(backbone)
        random = np.random.default_rng(seed)
        rows: list[NDArray[np.float32]] = []
        for start in range(0, len(films), BATCH_FILMS):
            squares = []
            for film in films[start : start + BATCH_FILMS]:
                plain = letterbox(read_grey(film), size_px=SIZE_PX)
                squares += [plain, *(vary(plain, random) for _ in range(COPIES - 1))]
            outputs = run.run(["fine", "coarse"], {"image": np.stack(squares)[:, None]})
            rows.append(np.concatenate(outputs, axis=1).reshape(-1, COPIES, FINE_CHANNELS + COARSE_CHANNELS))
        np.save(cache, np.concatenate(rows).astype(np.float16))
    features: Features = np.load(cache).astype(np.float32)
    if len(features) != len(films):
        message = f"{cache} holds {len(features)} films, not {len(films)}: delete it to compute it anew"
        raise ValueError(message)
    return features


def fit(features: Features, truth: Truth, weight: Scores, recipe: Recipe) -> Head:
    """One label's head; standardisation is folded into the weights."""
    used = np.r_[np.full(FINE_CHANNELS, recipe.fine), np.full(COARSE_CHANNELS, recipe.coarse)]
    rows = weight > 0
    flat = features[rows].reshape(-1, features.shape[2])[:, used]
    copies = features.shape[1]
    mean, deviation = flat.mean(axis=0), flat.std(axis=0) + 1e-3
    model = LogisticRegression(C=recipe.regularisation, max_iter=400, tol=1e-3)
    normal = weight[rows] / weight[rows].mean() / copies
    model.fit((flat - mean) / deviation, np.repeat(truth[rows], copies), np.repeat(normal, copies))
    scaled = (model.coef_[0] / deviation).astype(np.float64)
    full = np.zeros((1, features.shape[2]), np.float32)
    full[0, used] = scaled
    bias = float(model.intercept_[0] - (scaled * mean).sum())
    return Head(weight=full, bias=np.array([bias], np.float32))


def out_of_fold(
    features: Features,
    truth: NDArray[np.int64],
    strata: list[str],
    fold: NDArray[np.int64],
    recipe: Recipe,
) -> tuple[Scores, list[Head]]:
    """Logits of each film from a head that saw none of its group; truth -1: scored, not trained on."""
    logits = np.zeros(len(truth), np.float64)
    heads = []
    for number in range(int(fold.max()) + 1):
        train = np.flatnonzero((fold != number) & (truth >= 0))
        head = fit_rows(features, truth, strata, train, recipe)
        here = fold == number
        logits[here] = features[here, 0] @ head.weight[0].astype(np.float64) + head.bias[0]
        heads.append(head)
    return logits, heads


def fit_rows(
    features: Features, truth: NDArray[np.int64], strata: list[str], rows: NDArray[np.int64], recipe: Recipe
) -> Head:
    """Fit on some rows, both classes balanced inside every stratum."""
    positive = truth[rows] == 1
    weight = balanced_weight(positive, [strata[row] for row in rows])
    return fit(features[rows], positive, weight, recipe)


def join(heads: list[Head]) -> Head:
    """Several labels in one head."""
    return Head(
        weight=np.concatenate([head.weight for head in heads]),
        bias=np.concatenate([head.bias for head in heads]),
    )


def relative_to_usual(head: Head, films: list[Film], data: Path, scratch: Path) -> Head:
    """The same head with its mean heatmap over some training films taken out of the heatmap."""
    chosen = np.random.default_rng(9).choice(len(films), min(USUAL_FILMS, len(films)), replace=False)
    write_graph(data, scratch, head, name="usual")
    heat = heatmaps([films[row] for row in chosen], np.zeros(len(chosen), np.int64), lambda _: scratch)
    return Head(weight=head.weight, bias=head.bias, usual=heat.mean(axis=0))


def heatmaps(
    films: list[Film], fold: NDArray[np.int64], path_of_fold: Callable[[int], Path]
) -> NDArray[np.float32]:
    """Heatmap of each film by the model of its fold, [films, labels, cells, cells]."""
    runs = {number: session(path_of_fold(number)) for number in sorted(set(fold.tolist()))}
    return np.concatenate(
        [
            runs[int(number)].run(
                ["heatmap"], {"image": letterbox(read_grey(film), size_px=SIZE_PX)[None, None]}
            )[0]
            for film, number in zip(films, fold, strict=True)
        ]
    )
