# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""FROC: how many drawn boxes a heatmap's marks hit, at so many false marks per film.

Free-response receiver operating characteristic (Bunch et al. 1977). A mark is a local maximum of the
heatmap; it hits a box when its middle is inside. A film's marks outside all boxes are false.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.domain.card import Metric
from calibration.statistics import Estimate, bootstrap
from export.reference.bundle import as_gate, metric
from export.reference.films import Box, in_square

RATES: Final = (0.25, 0.5, 1.0)
"""False marks per film at which the sensitivity is quoted."""
NEIGHBOURHOOD: Final = 5
"""Places along each side within which only the hottest one is a mark."""
THRESHOLDS: Final = 400
"""Quantiles of the marks' values that are tried."""


def marks(heat: NDArray[np.float32]) -> NDArray[np.int64]:
    """[n, 2] (row, column) of the local maxima of one heatmap [cells, cells]."""
    kernel = np.ones((NEIGHBOURHOOD, NEIGHBOURHOOD), np.uint8)
    return np.argwhere(heat >= cv2.dilate(heat, kernel))


def froc(
    heat: NDArray[np.float32],
    boxes: Sequence[Sequence[Box]],
    shapes: Sequence[tuple[int, int]],
    groups: Sequence[str],
) -> dict[float, Estimate]:
    """Share of boxes hit at each of RATES; intervals from resampled groups, thresholds chosen anew in each.

    `heat` [films, cells, cells], by models that have not seen the film. Each estimate's n is of boxes.
    """
    cells = heat.shape[-1]
    found = [marks(one) for one in heat]
    values = np.concatenate([one[tuple(at.T)] for one, at in zip(heat, found, strict=True)])
    thresholds = np.quantile(values, np.linspace(0, 1, THRESHOLDS))
    false = np.zeros((len(heat), THRESHOLDS))
    hits = np.zeros((len(heat), THRESHOLDS))
    for film, (one, at) in enumerate(zip(heat, found, strict=True)):
        own = [in_square(box, shapes[film]) for box in boxes[film]]
        middle = (at + 0.5) / cells
        inside: NDArray[np.bool_] = np.array(
            [
                [top <= r <= bottom and left <= c <= right for top, left, bottom, right in own]
                for r, c in middle
            ]
        ).reshape(len(at), len(own))
        shown = one[at[:, 0], at[:, 1]].reshape(-1, 1) >= thresholds
        false[film] = (shown & ~inside.any(axis=1, keepdims=True)).sum(axis=0)
        hits[film] = sum((shown & inside[:, [box]]).any(axis=0) for box in range(len(own)))
    lesions = np.array([len(own) for own in boxes], np.float64)

    def sensitivity(rows: NDArray[np.int64], rate: float) -> float:
        allowed = np.flatnonzero(false[rows].mean(axis=0) <= rate)
        if not len(allowed):
            return 0.0
        drawn = float(lesions[rows].sum())
        return float(hits[rows, allowed[0]].sum()) / drawn if drawn else float("nan")

    estimates = {}
    for rate in RATES:
        one = bootstrap(lambda rows, rate=rate: sensitivity(rows, rate), groups)  # type: ignore[misc] # bound now
        estimates[rate] = Estimate(value=one.value, low=one.low, high=one.high, n=int(lesions.sum()))
    return estimates


def froc_gate(found: dict[float, Estimate]) -> dict[str, object]:
    """For gate.json."""
    return {f"boxes hit at {rate:g} false marks per film": as_gate(one) for rate, one in found.items()}


def froc_metrics(found: dict[float, Estimate], meaning: str, dataset: str) -> list[Metric]:
    """For the card."""
    return [
        metric(f"{meaning}: drawn boxes hit at {rate:g} false marks per film", dataset, one)
        for rate, one in found.items()
    ]
