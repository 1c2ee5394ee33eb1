# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Drift without labels: are a scanner's newest exams still like those of its baseline?

Each feature is compared by the population stability index (PSI, over the baseline's tenths and "not given")
and, if it is a number, by the two-sample Kolmogorov-Smirnov distance (KS). What chance does is taken from the
baseline itself: exams are drawn from it with replacement, a baseline and a recent window at a time, whole
exams, so that features which move together stay together. The bounds are those that the worst of all features
crosses in FALSE_ALARMS of these draws (Westfall and Young's max-T): one rate for a scanner, however many
features it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from appliance.domain.drift import DriftExam, FeatureDrift

FALSE_ALARMS: Final = 0.005
"""Comparisons of an unchanged scanner that are called drift, at the bounds; tests/monitor/test_drift.py
allows twice as many, for what a baseline of 200 exams cannot know about a scanner."""
DRAWS: Final = 4000
LEAST_DISTANCE: Final = 0.1
"""Below it a distance is of no use to anybody, however sure it is: PSI's customary "no change", and a tenth
of the exams for KS. It also keeps one odd exam from being drift where all others are the same."""
PARTS: Final = 10
SMOOTHING: Final = 0.02
"""Share of all exams that is added to each part: an empty one has a logarithm, a rare one little weight."""
SEED: Final = 20260101
"""The same exams give the same bounds."""

Numbers = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Feature:
    """One feature of all exams, the baseline's first."""

    name: str
    parts: NDArray[np.int64]
    """Which part each exam falls into."""
    part_count: int
    values: Numbers | None
    """NaN: not given. None: the feature is a word."""


def compare(baseline: Sequence[DriftExam], recent: Sequence[DriftExam]) -> tuple[FeatureDrift, ...]:
    """Every feature by every measure, the furthest beyond its bound first."""
    size = len(baseline)
    features = _features((*baseline, *recent), size)
    rng = np.random.default_rng(SEED)
    even = np.full(size, 1.0 / size)
    drawn_base = rng.multinomial(size, even, size=DRAWS).astype(np.float32)
    drawn_recent = rng.multinomial(len(recent), even, size=DRAWS).astype(np.float32)
    own_base = np.concatenate((np.ones(size), np.zeros(len(recent))))[None, :]
    own_recent = 1.0 - own_base
    found: list[tuple[_Feature, str, float, Numbers]] = []
    for feature in features:
        base_only = _first(feature, size)
        found.append(
            (
                feature,
                "psi",
                float(_psi(feature, own_base, own_recent)[0]),
                _psi(base_only, drawn_base, drawn_recent),
            )
        )
        if feature.values is not None and np.isfinite(base_only.values).any():  # type: ignore[arg-type]
            found.append(
                (
                    feature,
                    "ks",
                    float(_ks(feature.values, own_base, own_recent)[0]),
                    _ks(feature.values[:size], drawn_base, drawn_recent),
                )
            )
    bounds = _bounds([by_chance for *_, by_chance in found])
    compared = [
        FeatureDrift(
            feature=feature.name,
            measure=measure,
            distance=distance,
            bound=bound,
            baseline_exams=size,
            recent_exams=len(recent),
            baseline_mean=_mean(feature, slice(0, size)),
            recent_mean=_mean(feature, slice(size, None)),
        )
        for (feature, measure, distance, _), bound in zip(found, bounds, strict=True)
    ]
    return tuple(sorted(compared, key=lambda one: one.distance / one.bound, reverse=True))


def _bounds(by_chance: Sequence[Numbers]) -> list[float]:
    """One for each measure, such that the worst of them crosses its own in FALSE_ALARMS of the draws."""
    drawn = np.stack(by_chance, axis=1)
    middle, spread = drawn.mean(axis=0), drawn.std(axis=0)
    moves = spread > 0
    worst = ((drawn - middle) / np.where(moves, spread, 1.0))[:, moves].max(axis=1, initial=0.0)
    reach = float(np.quantile(worst, 1.0 - FALSE_ALARMS))
    return [float(bound) for bound in np.maximum(LEAST_DISTANCE, middle + reach * spread)]


def _psi(feature: _Feature, base: Numbers, recent: Numbers) -> Numbers:
    """Of each row of weights (how often each exam is drawn)."""
    member = np.eye(feature.part_count, dtype=np.float32)[feature.parts]
    shares = []
    for weights in (base, recent):
        counts = weights @ member + SMOOTHING * weights.sum(axis=1, keepdims=True)
        shares.append(counts / counts.sum(axis=1, keepdims=True))
    distance: Numbers = ((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum(axis=1)
    return distance


def _ks(values: Numbers, base: Numbers, recent: Numbers) -> Numbers:
    """Of each row of weights; 0 where one of the two sides has no value."""
    given = np.flatnonzero(np.isfinite(values))
    order = given[np.argsort(values[given], kind="stable")]
    ordered = values[order]
    last_of_ties = np.append(ordered[1:] != ordered[:-1], True)
    sums = [np.cumsum(weights[:, order], axis=1) for weights in (base, recent)]
    whole = [total[:, -1:] for total in sums]
    shares = [total / np.maximum(end, 1.0) for total, end in zip(sums, whole, strict=True)]
    distance: Numbers = np.abs(shares[0] - shares[1])[:, last_of_ties].max(axis=1)
    return np.where((whole[0][:, 0] > 0) & (whole[1][:, 0] > 0), distance, 0.0)


def _features(exams: Sequence[DriftExam], size: int) -> list[_Feature]:
    """Those that the baseline knows. Parts are the baseline's: tenths of numbers, words, and "not given"."""
    numbers = sorted({name for exam in exams[:size] for name in exam.numbers})
    words = sorted({name for exam in exams[:size] for name in exam.words})
    found = []
    for name in numbers:
        values = np.array([exam.numbers.get(name, np.nan) for exam in exams])
        parts, count = _parts_of_numbers(values, size)
        found.append(_Feature(name=name, parts=parts, part_count=count, values=values))
    for name in words:
        said = [exam.words.get(name, "") for exam in exams]
        known = {word: number for number, word in enumerate(sorted(set(said[:size]) | {""}))}
        parts = np.array([known.get(word, len(known)) for word in said])
        found.append(_Feature(name=name, parts=parts, part_count=len(known) + 1, values=None))
    return found


def _parts_of_numbers(values: Numbers, size: int) -> tuple[NDArray[np.int64], int]:
    base = values[:size]
    given = base[np.isfinite(base)]
    single = np.unique(given)
    if (
        len(single) <= PARTS
    ):  # a few fixed values (rows, kVp steps): each is a part, and so is all between them
        parts = 2 * np.searchsorted(single, values) + ~np.isin(values, single)
        missing = 2 * len(single) + 2
    else:
        inner = np.unique(np.quantile(given, np.linspace(0, 1, PARTS + 1)[1:-1]))
        parts = np.searchsorted(inner, values, side="right")
        missing = len(inner) + 1
    return np.where(np.isfinite(values), parts, missing).astype(np.int64), missing + 1


def _first(feature: _Feature, size: int) -> _Feature:
    return _Feature(
        name=feature.name,
        parts=feature.parts[:size],
        part_count=feature.part_count,
        values=None if feature.values is None else feature.values[:size],
    )


def _mean(feature: _Feature, which: slice) -> float | None:
    if feature.values is None:
        return None
    given = feature.values[which][np.isfinite(feature.values[which])]
    return float(given.mean()) if len(given) else None
