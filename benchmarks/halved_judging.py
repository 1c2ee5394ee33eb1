# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a network may be asked about halved frames: decisions and AUC change no more than a gate allows.

The limits are those of a variant in another precision (`export.gate_report.Limits`); and the 95 % interval of
the change of every AUC has to hold 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from appliance.domain.card import ModelCard
from appliance.domain.image import PixelImage
from appliance.engines.base import Engine
from calibration.dataset import prepared
from calibration.statistics import auc, bootstrap, share
from export.gate_report import Limits
from export.reference.films import Film
from export.side_by_side import card_outputs, scores

HEATMAP: Final = "heatmap"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answer:
    """Of one film to one picture of it."""

    probability: NDArray[np.float64]
    tensor: NDArray[np.float32]
    heat: NDArray[np.float32] | None
    """[labels, rows, columns]; None: the network draws none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Whether a network may look at halved frames: the rule, and what broke it."""

    smallest_halved_px: int
    """Longer side of the halved frames that were looked at."""
    accepted: bool
    reasons: tuple[str, ...]


def answer(engine: Engine, card: ModelCard, image: PixelImage) -> Answer:
    """What the network says, calibrated."""
    tensors = prepared(image, card)
    outputs = card_outputs(card, engine.infer(tensors))
    logits = scores(card, outputs)
    probability = [
        label.probability_of(float(logit)) for label, logit in zip(card.labels, logits, strict=True)
    ]
    heat = outputs[HEATMAP][0] if HEATMAP in outputs else None
    return Answer(probability=np.array(probability), tensor=tensors[card.inputs[0].name][0, 0], heat=heat)


def judge(
    card: ModelCard,
    films: Sequence[Film],
    truths: Sequence[dict[str, str]],
    answers: list[list[Answer]],
    at: int,
) -> dict[str, Any]:
    """One number of halvings, `at` in `HALVINGS`, against the whole frames; with the reasons against it."""
    whole, halved = [row[0] for row in answers], [row[1 + at] for row in answers]
    first = np.stack([one.probability for one in whole])
    second = np.stack([one.probability for one in halved])
    limits, reasons, labels = Limits(), [], []
    groups = [film.group for film in films]
    for index, label in enumerate(card.labels):
        told = np.array([truth[label.name] for truth in truths])
        known = told != ""
        truth, kept = told[known] == "1", [group for group, keep in zip(groups, known, strict=True) if keep]
        before, after = first[known, index], second[known, index]

        def change(
            rows: NDArray[np.int64], before: Any = before, after: Any = after, truth: Any = truth
        ) -> float:
            return auc(after[rows], truth[rows]) - auc(before[rows], truth[rows])

        moved = bootstrap(change, kept)
        if not (moved.low <= 0.0 <= moved.high and abs(moved.value) <= limits.auc_change):
            reasons.append(f"{label.name}: AUC {moved.value:+.4f} ({moved.low:+.4f} to {moved.high:+.4f})")
        flips = {}
        for point, threshold in (
            ("sensitive", label.sensitive_threshold),
            ("specific", label.specific_threshold),
        ):
            flipped = share((first[:, index] >= threshold) != (second[:, index] >= threshold))
            flips[point] = asdict(flipped)
            if not flipped.value <= limits.flipped_share:
                reasons.append(f"{label.name}: {100 * flipped.value:.2f} % flipped at the {point} point")
        labels.append(
            {
                "name": label.name,
                "auc_whole": auc(before, truth),
                "auc_halved": auc(after, truth),
                "auc_change": asdict(moved),
                "flipped": flips,
                "probability_difference": spread(np.abs(second[:, index] - first[:, index])),
                "hottest_place_moved_px": _moves(card, whole, halved, index, first[:, index]),
            }
        )
    side = max(whole[0].tensor.shape)
    rms = [
        float(np.sqrt(np.mean((one.tensor - other.tensor) ** 2)) / other.tensor.std())
        for one, other in zip(halved, whole, strict=True)
    ]
    return {
        "network_side_px": side,
        "input_rms_difference_of_sd": spread(np.array(rms)),
        "labels": labels,
        "reasons": reasons,
    }


def _moves(
    card: ModelCard, whole: list[Answer], halved: list[Answer], index: int, probability: NDArray[np.float64]
) -> dict[str, float] | None:
    """How far the hottest cell of flagged films moves, in pixels of the network's input."""
    moves = []
    for one, other, said in zip(whole, halved, probability, strict=True):
        if one.heat is None or other.heat is None or said < card.labels[index].sensitive_threshold:
            continue
        places = [
            np.unravel_index(int(answer.heat[index].argmax()), answer.heat[index].shape)
            for answer in (one, other)
            if answer.heat is not None
        ]
        cell = max(one.tensor.shape) / one.heat.shape[-1]
        moves.append(cell * float(np.hypot(*np.subtract(places[0], places[1]))))
    return spread(np.array(moves)) if moves else None


def spread(values: NDArray[Any]) -> dict[str, float]:
    """Mean, 95th percentile and maximum."""
    return {
        "mean": float(values.mean()),
        "p95": float(np.percentile(values, 95)),
        "max": float(values.max()),
        "n": len(values),
    }


def judge_real(card: ModelCard, answers: list[Answer]) -> dict[str, Any]:
    """One frame, whole first: the largest difference of any label, and how many decisions changed."""
    points = np.array([(label.sensitive_threshold, label.specific_threshold) for label in card.labels])
    calls = [one.probability[:, None] >= points for one in answers]
    return {
        "probability_difference": [
            float(np.abs(one.probability - answers[0].probability).max()) for one in answers[1:]
        ],
        "flipped": [int((one != calls[0]).sum()) for one in calls[1:]],
    }
