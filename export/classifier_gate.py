# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The gate of a classifier: does the variant find what the float32 model finds, and decide the same?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_curve

from appliance.domain.card import Label
from appliance.domain.image import PixelImage
from appliance.tasks.letterbox import letterbox
from calibration.coverage import strata_of
from calibration.dataset import CalibrationSet
from calibration.probability import Calibration, Scores, Truth
from calibration.statistics import auc, bootstrap, delong, delong_difference, share
from export.gate_report import (
    LEAST_PER_STRATUM,
    STRATA,
    Discrimination,
    Flip,
    Flips,
    GateReport,
    LabelGate,
    Limits,
    PointMeasure,
    Stratum,
)
from export.side_by_side import SideBySide, scores

THUMBNAIL_PX: Final = 128
MOST_EXAMPLES: Final = 8
"""Flipped images shown per operating point."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Judged:
    """One label's numbers on all images."""

    label: Label
    fp32: Scores
    """Probabilities."""
    candidate: Scores
    positive: Truth
    known: Truth

    def calls(self, threshold: float) -> tuple[Truth, Truth]:
        return self.fp32 >= threshold, self.candidate >= threshold

    @property
    def points(self) -> tuple[tuple[str, float], ...]:
        return (
            ("sensitive", self.label.sensitive_threshold),
            ("specific", self.label.specific_threshold),
        )


def gate_classifier(both: SideBySide, limits: Limits) -> GateReport:
    """Run both graphs on every image of the set and compare them label by label.

    AUC, sensitivity and specificity are taken on the images whose label is known; decisions are compared on
    all of them. A label that the set does not know, or too small a set, is a reason not to pass: what was
    not checked is not in order. Raises EngineError when a graph does not run.
    """
    first, second = [], []
    for answer in both.answers():
        first.append(scores(both.card, answer.fp32))
        second.append(scores(both.card, answer.candidate))
    logits = np.stack(first), np.stack(second)
    judged = [_judged(label, index, logits, both.labelled) for index, label in enumerate(both.card.labels)]
    gates = tuple(_label_gate(item, both.labelled) for item in judged)
    return both.report(
        limits,
        reasons=_reasons(gates, len(both.labelled.entries), limits),
        notes=_notes(gates, limits),
        labels=gates,
    )


def _judged(
    label: Label, index: int, logits: tuple[NDArray[Any], NDArray[Any]], labelled: CalibrationSet
) -> _Judged:
    calibration = Calibration(scale=label.scale, shift=label.shift)
    positive, known = labelled.truth(label.name)
    return _Judged(
        label=label,
        fp32=calibration.probability(logits[0][:, index]),
        candidate=calibration.probability(logits[1][:, index]),
        positive=positive,
        known=known,
    )


def _label_gate(item: _Judged, labelled: CalibrationSet) -> LabelGate:
    known, truth = item.known, item.positive[item.known]
    first, second = item.fp32[known], item.candidate[known]
    groups = [group for group, keep in zip(labelled.groups, known, strict=True) if keep]

    def change(rows: NDArray[np.int64]) -> float:
        return auc(second[rows], truth[rows]) - auc(first[rows], truth[rows])

    nothing = delong_difference(first, second, truth)
    return LabelGate(
        name=item.label.name,
        positives=int(truth.sum()),
        negatives=int((~truth).sum()),
        unknown=int((~known).sum()),
        fp32=_discrimination(item, first, truth),
        candidate=_discrimination(item, second, truth),
        auc_change=bootstrap(change, groups) if groups else nothing,
        auc_change_delong=nothing,
        flips=tuple(_flips(item, point, threshold, labelled) for point, threshold in item.points),
        strata=tuple(_strata(item, labelled)),
    )


def _discrimination(item: _Judged, probability: Scores, truth: Truth) -> Discrimination:
    curve: tuple[tuple[float, float], ...] = ()
    if truth.any() and not truth.all():
        false_share, true_share, _ = roc_curve(truth, probability)
        curve = tuple(zip(false_share.tolist(), true_share.tolist(), strict=True))
    return Discrimination(
        auc=delong(probability, truth),
        roc=curve,
        points=tuple(
            PointMeasure(
                name=name,
                threshold=threshold,
                sensitivity=share(probability[truth] >= threshold),
                specificity=share(probability[~truth] < threshold),
            )
            for name, threshold in item.points
        ),
    )


def _flips(item: _Judged, point: str, threshold: float, labelled: CalibrationSet) -> Flips:
    before, after = item.calls(threshold)
    flipped = np.flatnonzero(before != after)
    moved = np.abs(item.candidate - item.fp32)
    shown = sorted(flipped, key=lambda row: -float(moved[row]))[:MOST_EXAMPLES]
    return Flips(
        point=point,
        share=share(before != after),
        to_positive=int((after & ~before).sum()),
        to_negative=int((before & ~after).sum()),
        examples=tuple(
            Flip(
                file=labelled.entries[row].file,
                to_positive=bool(after[row]),
                truth=bool(item.positive[row]) if item.known[row] else None,
                probability_fp32=float(item.fp32[row]),
                probability_candidate=float(item.candidate[row]),
                thumbnail_png=thumbnail(labelled.image(labelled.entries[row])),
            )
            for row in shown
        ),
    )


def thumbnail(image: PixelImage) -> bytes:
    """A small PNG for a person's eye."""
    small = letterbox(image, size_px=THUMBNAIL_PX, low_percentile=0.5, high_percentile=99.5)
    _, packed = cv2.imencode(".png", (small.tensor[0, 0] * 255).astype(np.uint8))
    return packed.tobytes()


def _strata(item: _Judged, labelled: CalibrationSet) -> Iterator[Stratum]:
    kinds = [strata_of(entry) for entry in labelled.entries]
    flipped = np.zeros(len(kinds), bool)
    for _, threshold in item.points:
        before, after = item.calls(threshold)
        flipped |= before != after
    for kind in STRATA:
        for value in sorted({row[kind] for row in kinds}):
            inside = np.array([row[kind] == value for row in kinds])
            if inside.all():
                continue  # no part, but the whole set; or the manifest says nothing about it
            yield _stratum(kind, value, inside, flipped, item)


def _stratum(kind: str, value: str, inside: Truth, flipped: Truth, item: _Judged) -> Stratum:
    judged = inside & item.known
    truth = item.positive[judged]
    enough = int(inside.sum()) >= LEAST_PER_STRATUM
    both_classes = enough and truth.any() and not truth.all()
    return Stratum(
        kind=kind,
        value=value,
        n=int(inside.sum()),
        positives=int(truth.sum()),
        auc_fp32=delong(item.fp32[judged], truth) if both_classes else None,
        auc_candidate=delong(item.candidate[judged], truth) if both_classes else None,
        flipped=share(flipped[inside]) if enough else None,
    )


def _reasons(gates: Sequence[LabelGate], images: int, limits: Limits) -> Iterator[str]:
    if not gates:
        yield "The card has no label, so there is no decision to compare."
    if images < limits.least_images:
        yield f"The set has {images} images; {limits.least_images} are needed to see a change of 1 %."
    for label in gates:
        fewest = min(label.positives, label.negatives)
        if fewest < limits.least_per_class:
            yield (
                f"{label.name}: {label.positives} images with and {label.negatives} without it;"
                f" {limits.least_per_class} of each are needed, so its AUC was not checked."
            )
        elif not abs(label.auc_change.value) <= limits.auc_change:
            yield (
                f"{label.name}: the AUC changes by {label.auc_change.value:+.4f},"
                f" from {label.fp32.auc.value:.4f} to {label.candidate.auc.value:.4f};"
                f" {limits.auc_change:g} is allowed."
            )
        for flips in label.flips:
            if not flips.share.value <= limits.flipped_share:
                yield (
                    f"{label.name}: {flips.count} of {flips.share.n} decisions"
                    f" ({100 * flips.share.value:.1f} %) change at the {flips.point} point,"
                    f" {flips.to_positive} to positive and {flips.to_negative} to negative;"
                    f" {100 * limits.flipped_share:g} % is allowed."
                )


def _notes(gates: Sequence[LabelGate], limits: Limits) -> Iterator[str]:
    for label in gates:
        for part in label.strata:
            if part.flipped is not None and part.flipped.low > limits.flipped_share:
                yield (
                    f"{label.name}, {part.words}: {100 * part.flipped.value:.1f} % of {part.n} images"
                    f" change a decision (at least {100 * part.flipped.low:.1f} % with 95 % confidence)."
                )
        change = label.auc_change
        if abs(change.value) <= limits.auc_change and change.low < -limits.auc_change:
            yield (
                f"{label.name}: the set is too small to rule out a loss of AUC of more than"
                f" {limits.auc_change:g} (95 % interval of the change:"
                f" {change.low:+.4f} to {change.high:+.4f})."
            )
