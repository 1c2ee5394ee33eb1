# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Judge a triage label by films whose group its head has not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.domain.card import Label, Metric
from appliance.domain.finding import Code
from calibration.probability import Calibration, Scores, Truth, platt
from calibration.threshold import cross_fitted_calls, operating_points
from export.reference.bundle import as_gate, metric
from export.reference.films import SIZE_PX, Box, Film
from export.reference.statistics import (
    Estimate,
    auc_estimate,
    balanced_weight,
    bootstrap,
    share_estimate,
)

LEAST_PER_CLASS = 20
"""A subgroup with fewer films of either class is not reported: its number would say nothing."""
AGE_BANDS = ((18.0, 40.0), (40.0, 60.0), (60.0, 130.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A finished label with what was measured about it."""

    label: Label
    metrics: tuple[Metric, ...]
    gate: dict[str, object]


def subgroups(films: list[Film]) -> dict[str, Truth]:
    """Named masks: view, sex, age band, source."""
    groups: dict[str, Truth] = {}
    for view in sorted({film.view for film in films} - {""}):
        groups[f"view {view}"] = np.array([film.view == view for film in films])
    for sex in sorted({film.sex for film in films} - {""}):
        groups[f"sex {sex}"] = np.array([film.sex == sex for film in films])
    for low, high in AGE_BANDS:
        inside = [film.age_years is not None and low <= film.age_years < high for film in films]
        groups[f"age {low:.0f}-{high:.0f}"] = np.array(inside)
    for source in sorted({film.source for film in films}):
        groups[f"source {source}"] = np.array([film.source == source for film in films])
    return groups


def judge(  # noqa: PLR0913 - keyword-only where they could be confused
    code: Code,
    films: list[Film],
    logits: Scores,
    truth: NDArray[np.int64],
    fold: NDArray[np.int64],
    *,
    strata: list[str],
    quoted: Truth,
    quoted_name: str,
    pooled_name: str,
) -> Judged:
    """Calibrate, choose the operating points and measure one label from out-of-fold logits.

    The operating points come from all labelled films; sensitivity and specificity are quoted on the
    `quoted` part, each fold with thresholds chosen without it.
    """
    known = truth >= 0
    films = [film for film, keep in zip(films, known, strict=True) if keep]
    strata = [name for name, keep in zip(strata, known, strict=True) if keep]
    logits, positive, fold, quoted = logits[known], truth[known] == 1, fold[known], quoted[known]
    groups = [film.group for film in films]
    calibration = platt(logits, positive, balanced_weight(positive, strata))
    probability = calibration.probability(logits)
    sensitive, specific = operating_points(probability, positive)
    call_sensitive, call_specific = cross_fitted_calls(probability, positive, fold)

    def part(mask: Truth) -> list[str]:
        return [name for name, keep in zip(groups, mask, strict=True) if keep]

    def measured(name: str, estimate: Estimate) -> Metric:
        return metric(f"{code.meaning}: {name}", quoted_name, estimate)

    quoted_auc = auc_estimate(logits[quoted], positive[quoted], part(quoted))
    rows = [measured("AUC", quoted_auc)]
    points: dict[str, object] = {}
    for name, calls in (("sensitive", call_sensitive), ("specific", call_specific)):
        with_finding, without = quoted & positive, quoted & ~positive
        sensitivity = share_estimate(calls[with_finding], part(with_finding))
        specificity = share_estimate(~calls[without], part(without))
        rows += [
            measured(f"sensitivity at the {name} point", sensitivity),
            measured(f"specificity at the {name} point", specificity),
        ]
        points[name] = {"sensitivity": as_gate(sensitivity), "specificity": as_gate(specificity)}
    by_subgroup = {}
    for name, mask in subgroups(films).items():
        if min((mask & positive).sum(), (mask & ~positive).sum()) >= LEAST_PER_CLASS:
            by_subgroup[name] = as_gate(auc_estimate(logits[mask], positive[mask], part(mask)))
    gate: dict[str, object] = {
        "quoted_on": quoted_name,
        "positives": int((quoted & positive).sum()),
        "negatives": int((quoted & ~positive).sum()),
        "auc": as_gate(quoted_auc),
        "operating_points": points,
        "pooled": {"on": pooled_name, "auc": as_gate(auc_estimate(logits, positive, groups))},
        "auc_by_subgroup_of_pooled": by_subgroup,
    }
    label = _label(code, calibration, sensitive, specific)
    return Judged(label=label, metrics=tuple(rows), gate=gate)


def _label(code: Code, calibration: Calibration, sensitive: float, specific: float) -> Label:
    return Label(
        name=code.meaning,
        code=code,
        scale=round(calibration.scale, 6),
        shift=round(calibration.shift, 6),
        sensitive_threshold=round(sensitive, 4),
        specific_threshold=round(max(specific, sensitive), 4),
    )


def _letterboxed(film_shape: tuple[int, int], row: float, column: float) -> tuple[float, float]:
    """A place in the square (0..1) as fractions of the film itself."""
    scale = 1.0 / max(film_shape)
    rows, columns = film_shape[0] * scale, film_shape[1] * scale
    return (row - (1 - rows) / 2) / rows, (column - (1 - columns) / 2) / columns


def _hit(box: Box, row: float, column: float) -> bool:
    return box.row <= row <= box.row + box.rows and box.column <= column <= box.column + box.columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointing:
    """How often the hottest cell is inside a radiologist's box, beside its rivals."""

    model: Estimate
    usual: Estimate
    """Pointing always to the hottest cell of the mean heatmap of all other films."""
    advantage: Estimate
    """Model minus usual, film by film."""
    chance: float
    """The boxes' share of the film."""
    cells: int
    """Of the heatmap, along each side."""
    size_px: int
    """Of the square that the network sees."""

    def gate(self) -> dict[str, object]:
        """For gate.json."""
        return {
            "cell_px": self.size_px // self.cells,
            "model": as_gate(self.model),
            "always_the_usual_place": as_gate(self.usual),
            "model_minus_usual_place": as_gate(self.advantage),
            "chance": round(self.chance, 4),
        }

    def metrics(self, meaning: str, dataset: str) -> list[Metric]:
        """For the card."""
        return [
            metric(f"{meaning}: hottest heatmap cell inside a drawn box", dataset, self.model),
            metric(f"{meaning}: the same, minus always pointing to the usual place", dataset, self.advantage),
        ]


def pointing_game(
    heat: NDArray[np.float32],
    boxes: list[tuple[Box, ...]],
    shapes: list[tuple[int, int]],
    groups: list[str],
    *,
    size_px: int = SIZE_PX,
) -> Pointing:
    """How often the hottest cell is inside a radiologist's box.

    Beside chance (the boxes' share of the film) stands a stronger rival: the hottest cell of the mean
    heatmap of all other films, that is, always pointing to the usual place without looking.
    """
    cells = heat.shape[-1]

    def hits(peaks: NDArray[np.int64]) -> Truth:
        found = []
        for peak, own, shape in zip(peaks, boxes, shapes, strict=True):
            row, column = _letterboxed(shape, (peak // cells + 0.5) / cells, (peak % cells + 0.5) / cells)
            found.append(any(_hit(box, row, column) for box in own))
        return np.array(found, bool)

    flat = heat.reshape(len(heat), -1)
    others = (flat.sum(axis=0) - flat) / max(len(flat) - 1, 1)
    model, usual = hits(flat.argmax(axis=1)), hits(others.argmax(axis=1))
    chance = np.array([min(1.0, sum(box.rows * box.columns for box in own)) for own in boxes])
    return Pointing(
        model=share_estimate(model, groups),
        usual=share_estimate(usual, groups),
        advantage=bootstrap(lambda rows: float(model[rows].mean() - usual[rows].mean()), groups),
        chance=float(chance.mean()),
        cells=cells,
        size_px=size_px,
    )
