# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What a published, far larger chest network said of some of the films: softer targets than a report.

DenseNet-121 trained on NIH films, published with its predictions for its own test films (jrzech's
reproduction of CheXNet, BSD-3-Clause). It never saw those films or their patients in training; we learn
from what it says of the films in our training folds, and are judged by the reports of the others.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from export.reference.films import Film

FILE: Final = Path("xray") / "reference_chexnet_preds.csv"
FINDINGS: Final = (
    "Atelectasis",
    "Cardiomegaly",
    "Effusion",
    "Infiltration",
    "Mass",
    "Nodule",
    "Pneumonia",
    "Pneumothorax",
    "Consolidation",
    "Edema",
    "Emphysema",
    "Fibrosis",
    "Pleural_Thickening",
    "Hernia",
)
TARGETS: Final = ("any", *FINDINGS)
"""Any finding: one minus the product of the complements, as the source's own comparison has it."""
LEAST_PROBABILITY: Final = 1e-4
"""Below this, differences of a published probability are rounding (it has five digits)."""
RIDGE_OF_EXPECTATION: Final = 1.0
"""Films' worth of pull towards zero when expectations are fitted; keeps rare findings from running away."""


def _logit(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    inside = np.clip(probability, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    return np.asarray(np.log(inside / (1 - inside)), np.float64)


def published_logits(films: list[Film], data: Path) -> NDArray[np.float64]:
    """[films, targets]; NaN rows where nothing was published of the film."""
    with (data / FILE).open(newline="") as table:
        rows = {
            row["file"]: [float(row[f"prob_{name}"]) for name in FINDINGS] for row in csv.DictReader(table)
        }
    found = np.full((len(films), len(TARGETS)), np.nan)
    for index, film in enumerate(films):
        own = rows.get(film.path.relative_to(data / "xray").as_posix())
        if own is not None:
            each = np.asarray(own)
            found[index] = _logit(np.r_[1 - np.prod(1 - each), each])
    return found


def with_expectations(
    logits: NDArray[np.float64], films: list[Film], rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Missing logits filled with what the labels of the report let expect, learned from `rows` alone."""
    reported = np.array([[name in film.findings for name in FINDINGS] for film in films], np.float64)
    design = np.c_[np.ones(len(films)), reported, reported.any(axis=1)]
    taught = rows[np.isfinite(logits[rows, 0])]
    square = design[taught].T @ design[taught] + RIDGE_OF_EXPECTATION * np.eye(design.shape[1])
    expected = design @ np.linalg.solve(square, design[taught].T @ logits[taught])
    return np.where(np.isfinite(logits), logits, expected)
