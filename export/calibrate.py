# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The float32 graph's scores turned into probabilities and operating points, on images that trained nothing.

What is measured here goes on the card: every number comes from images that did not choose it (folds by
group), with its interval and the hash of the set that it stands for.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from appliance.domain.card import Label, Metric, ModelCard
from appliance.domain.record import to_plain
from appliance.engines.catalogue import engine_version, load_engine
from appliance.errors import InputError
from calibration.coverage import strata_of
from calibration.dataset import CalibrationSet, prepared
from calibration.probability import Calibration, Truth
from calibration.reliability import quality
from calibration.statistics import Estimate, delong
from calibration.threshold import LEAST_PER_CLASS, ON_A_CARD, CalibratedLabel, calibrated_label
from export.gate_report import FINEST, STRATA
from export.side_by_side import FLOAT32_ENGINE, Progress, card_outputs, scores
from export.work import WorkFolder

FOLDS: Final = 5
"""Five or ten, as Hastie, Tibshirani and Friedman advise (2009, section 7.10); five leave more in each."""
FEWEST_FOLDS: Final = 2
SEED: Final = 1
"""Of the division into folds: the same set gives the same card."""
BEFORE: Final = "before"
"""How the calibration that the card had is called beside the new one."""
METHODS: Final = tuple(ON_A_CARD)


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibratedCard:
    """A card whose labels say what their numbers mean, and how that was found."""

    card: ModelCard
    labels: tuple[CalibratedLabel, ...]
    metrics: tuple[Metric, ...]
    """Measured here; all of them are on the card, too."""


def calibrate(
    card: ModelCard,
    model: Path,
    labelled: CalibrationSet,
    *,
    folds: int = FOLDS,
    method: str = METHODS[0],
    threads: int = 1,
) -> CalibratedCard:
    """Ask the float32 graph about every image, and fit each label of the card on what is known of them.

    Raises EngineError when the graph does not run, InputError where a label cannot be calibrated.
    """
    logits = logits_of(card, model, labelled, threads=threads)
    return card_from_logits(card, logits, labelled, folds=folds, method=method)


def logits_of(
    card: ModelCard, model: Path, labelled: CalibrationSet, *, threads: int, progress: Progress | None = None
) -> NDArray[Any]:
    """Float64 [images, labels]: the graph's scores in the order of the set and of the card."""
    rows = []
    with load_engine(FLOAT32_ENGINE, model, threads=threads) as engine:
        for done, entry in enumerate(labelled.entries, start=1):
            outputs = engine.infer(prepared(labelled.image(entry), card))
            rows.append(scores(card, card_outputs(card, outputs)))
            if progress is not None:
                progress(done, len(labelled.entries))
    return np.stack(rows)


def card_from_logits(
    card: ModelCard,
    logits: NDArray[Any],
    labelled: CalibrationSet,
    *,
    folds: int = FOLDS,
    method: str = METHODS[0],
) -> CalibratedCard:
    """The card with new scales, shifts, thresholds and their numbers; older ones of the same name go.

    Raises InputError for a card without labels, a label with too few images of a class or too few groups,
    and a score that falls where it should rise.
    """
    if not card.labels:
        raise InputError(
            f"The card of {card.identity} has no label: there is no probability to calibrate.",
            remedy="This step is for classifiers; leave it out.",
        )
    found = [
        _label(label, logits[:, index], labelled, folds=folds, method=method)
        for index, label in enumerate(card.labels)
    ]
    metrics = tuple(metric for _, rows in found for metric in rows)
    new = {metric.name for metric in metrics}
    return CalibratedCard(
        card=dataclasses.replace(
            card,
            labels=tuple(item.label for item, _ in found),
            metrics=(*(metric for metric in card.metrics if metric.name not in new), *metrics),
        ),
        labels=tuple(item for item, _ in found),
        metrics=metrics,
    )


def calibrate_in(
    work: WorkFolder, model: Path, card: ModelCard, labelled: CalibrationSet, *, threads: int
) -> CalibratedCard:
    """Step "scores": the graph is asked once per set; the fit, which takes seconds, is done again."""
    given = {
        "model": model,
        "labelled": labelled.manifest_sha256,
        "preprocessing": to_plain(card)["preprocessing"],
        "engine": f"{FLOAT32_ENGINE} {engine_version(FLOAT32_ENGINE)}",
    }

    def ask() -> dict[str, Any]:
        logits = logits_of(
            card,
            model,
            labelled,
            threads=threads,
            progress=lambda done, count: work.progress("scores", done, count),
        )
        return {"logits": logits.tolist()}

    kept = work.step("scores", given=given, makes=[], do=ask)
    return card_from_logits(card, np.array(kept["logits"], np.float64), labelled)


def _label(
    label: Label, logit: NDArray[Any], labelled: CalibrationSet, *, folds: int, method: str
) -> tuple[CalibratedLabel, tuple[Metric, ...]]:
    positive, known = labelled.truth(label.name)
    truth, score = positive[known], logit[known]
    groups = [group for group, keep in zip(labelled.groups, known, strict=True) if keep]
    fold = folds_by_group(label.name, truth, groups, folds)
    found = calibrated_label(
        label.code,
        score,
        truth,
        fold,
        groups=groups,
        strata=dict(_strata(labelled, known)),
        method=method,
    )
    if found.label.scale <= 0:
        raise InputError(
            f"{label.name}: the score is lower with the finding than without it"
            f" (AUC {delong(score, truth).value:.3f}).",
            remedy="Compare the order of the card's labels with the outputs of the network, and the truth.",
        )
    old = Calibration(scale=label.scale, shift=label.shift).probability(score)
    found = dataclasses.replace(
        found,
        label=dataclasses.replace(found.label, name=label.name),
        before=quality(BEFORE, old, truth, groups),
    )
    dataset = (
        f"{len(truth)} images, {len(set(groups))} groups (manifest {labelled.manifest_sha256[:12]}),"
        f" {folds} folds by group"
    )
    return found, tuple(_metrics(found, delong(score, truth), dataset))


def folds_by_group(name: str, truth: Truth, groups: list[str], folds: int) -> NDArray[np.int64]:
    """The fold of each image: no group in two, each with its share of the finding."""
    fewest = min(int(truth.sum()), int((~truth).sum()))
    if fewest < LEAST_PER_CLASS:
        raise InputError(
            f"{name}: {int(truth.sum())} images are known to have it and {int((~truth).sum())} not to;"
            f" {LEAST_PER_CLASS} of each are needed: a tenth of fewer is less than two images.",
            remedy=f"Add images to the set (column label:{name}), or leave the label out of the card.",
        )
    apart = min(
        len({group for group, has in zip(groups, truth, strict=True) if has is wanted})
        for wanted in (np.True_, np.False_)
    )
    if not FEWEST_FOLDS <= folds <= apart:
        raise InputError(
            f"{name}: {folds} folds cannot be made of {apart} groups with (or without) it.",
            remedy=f"Give --folds a number from {FEWEST_FOLDS} to {apart}, or add patients to the set.",
        )
    number = np.zeros(len(truth), np.int64)
    divide = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=SEED)
    for index, (_, here) in enumerate(divide.split(truth, truth, groups)):
        number[here] = index
    return number


def _strata(labelled: CalibrationSet, known: Truth) -> Iterator[tuple[str, Truth]]:
    """Parts of the set that the manifest tells apart."""
    kinds = [strata_of(entry) for entry, keep in zip(labelled.entries, known, strict=True) if keep]
    for kind in STRATA:
        for value in sorted({row[kind] for row in kinds}):
            inside = np.array([row[kind] == value for row in kinds])
            if not inside.all():
                yield f"{kind} {value}", inside


def _metrics(found: CalibratedLabel, auc: Estimate, dataset: str) -> Iterator[Metric]:
    rows: list[tuple[str, Estimate]] = [("AUC", auc)]
    for point in found.points:
        rows.append((f"sensitivity at the {point.name} point", point.sensitivity))
        rows.append((f"specificity at the {point.name} point", point.specificity))
    if found.before is not None:
        rows.append(("expected calibration error before", found.before.error))
    rows += [
        ("expected calibration error", quality.error)
        for quality in found.methods
        if quality.method == found.method
    ]
    for what, estimate in rows:
        yield Metric(
            name=f"{found.label.name}: {what}",
            value=round(estimate.value, FINEST),
            ci_low=None if math.isnan(estimate.low) else round(estimate.low, FINEST),
            ci_high=None if math.isnan(estimate.high) else round(estimate.high, FINEST),
            dataset=dataset,
            n=estimate.n,
        )
