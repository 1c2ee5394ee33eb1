# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The two operating points of a label, chosen on images that did not train it.

Calibration and thresholds leave here as one card label: a threshold without the calibration that it was
chosen with is a number without meaning.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from appliance.domain.card import Label
from appliance.domain.finding import Code
from appliance.errors import InputError
from calibration.probability import Calibration, Scores, Truth, platt, temperature
from calibration.reliability import MethodQuality, compare_methods
from calibration.statistics import Estimate, share

TARGET: Final = 0.9
"""Sensitivity of the sensitive and specificity of the specific operating point."""
LEAST_PER_CLASS: Final = 20
"""A stratum with fewer images of a class is not reported for it: its number would say nothing."""
_DIGITS: Final = 4
"""Of a threshold on a card: a ten-thousandth of probability is below what any calibration can tell."""
ON_A_CARD: Final = MappingProxyType({"platt": platt, "temperature": temperature})
"""Calibrations that a card can carry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PointStratum:
    """An operating point in a part of the images. None: too few of the class there."""

    words: str
    positives: int
    negatives: int
    sensitivity: Estimate | None
    specificity: Estimate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingPoint:
    """Sensitivity and specificity with Wilson's intervals, each fold with a threshold chosen without it."""

    name: str
    threshold: float
    sensitivity: Estimate
    specificity: Estimate
    strata: tuple[PointStratum, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibratedLabel:
    """What goes on the card, and what was measured about it."""

    label: Label
    method: str
    points: tuple[OperatingPoint, ...]
    methods: tuple[MethodQuality, ...]
    before: MethodQuality | None = None
    """The calibration that was there before; None: none was given."""


def operating_points(probability: Scores, truth: Truth) -> tuple[float, float]:
    """(sensitive, specific) thresholds, to be compared with `>=`; sensitive <= specific."""
    sensitive = float(np.quantile(probability[truth], 1 - TARGET, method="lower"))
    specific = float(np.nextafter(np.quantile(probability[~truth], TARGET, method="higher"), 1.0))
    return min(sensitive, specific), specific


def cross_fitted_calls(probability: Scores, truth: Truth, fold: NDArray[np.int64]) -> tuple[Truth, Truth]:
    """Calls at the two points, each fold with thresholds chosen on the other folds only."""
    sensitive, specific = np.zeros(len(truth), bool), np.zeros(len(truth), bool)
    for number in np.unique(fold):
        here = fold == number
        low, high = operating_points(probability[~here], truth[~here])
        sensitive[here], specific[here] = probability[here] >= low, probability[here] >= high
    return sensitive, specific


def calibrated_label(
    code: Code,
    logit: Scores,
    truth: Truth,
    fold: NDArray[np.int64],
    *,
    groups: Sequence[str],
    weight: Scores | None = None,
    strata: Mapping[str, Truth] | None = None,
    method: str = "platt",
) -> CalibratedLabel:
    """Calibrate a label, choose its operating points, and measure both on images that did not choose them.

    `logit`: one per image, from a model that did not see its group; `fold`: the part of the cross-validation
    that the image was judged in; `strata`: named masks of images. Raises InputError where a fold leaves no
    image of a class to choose by, or the method does not fit on a card.
    """
    if method not in ON_A_CARD:
        raise InputError(
            f"The calibration {method!r} does not fit on a card.",
            remedy=f"Choose from {', '.join(ON_A_CARD)}.",
        )
    if any(len(set(truth[fold != number].tolist())) < 2 for number in np.unique(fold)):
        raise InputError(
            f"{code.meaning}: outside one of the folds all images are of one class.",
            remedy="Use fewer folds, more images, or leave the label out.",
        )
    weights = np.ones(len(truth)) if weight is None else weight
    calibration = ON_A_CARD[method](logit, truth, weights)
    probability = calibration.probability(logit)
    sensitive, specific = operating_points(probability, truth)
    label = card_label(code, calibration, sensitive, specific)
    calls = cross_fitted_calls(probability, truth, fold)
    names = (("sensitive", label.sensitive_threshold), ("specific", label.specific_threshold))
    return CalibratedLabel(
        label=label,
        method=method,
        points=tuple(
            OperatingPoint(
                name=name,
                threshold=threshold,
                sensitivity=share(called[truth]),
                specificity=share(~called[~truth]),
                strata=tuple(_stratum(words, mask, called, truth) for words, mask in (strata or {}).items()),
            )
            for (name, threshold), called in zip(names, calls, strict=True)
        ),
        methods=compare_methods(logit, truth, weights, groups, fold),
    )


def _stratum(words: str, mask: Truth, called: Truth, truth: Truth) -> PointStratum:
    positives, negatives = int((mask & truth).sum()), int((mask & ~truth).sum())
    return PointStratum(
        words=words,
        positives=positives,
        negatives=negatives,
        sensitivity=share(called[mask & truth]) if positives >= LEAST_PER_CLASS else None,
        specificity=share(~called[mask & ~truth]) if negatives >= LEAST_PER_CLASS else None,
    )


def card_label(code: Code, calibration: Calibration, sensitive: float, specific: float) -> Label:
    """A card's label; rounding takes the sensitive point down and the specific one up."""
    step = 10.0**_DIGITS
    low = max(0.0, math.floor(sensitive * step) / step)
    return Label(
        name=code.meaning,
        code=code,
        scale=round(calibration.scale, 6),
        shift=round(calibration.shift, 6),
        sensitive_threshold=low,
        specific_threshold=max(low, min(1.0, math.ceil(specific * step) / step)),
    )
