# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The same exams and the same readings under each order, several times over, and what came of each group."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from appliance.domain.fair_order import FIRST_COME_S, NO_CEILING_S
from appliance.simulation.arrivals import S_PER_MIN, Arrivals, Flags, Seconds
from appliance.simulation.queueing import Order, waits_s
from appliance.simulation.readers import Readers

FIRST_COME: Final = Order(name="first come", ceiling_s=FIRST_COME_S)
BY_SCORE: Final = Order(name="by score", ceiling_s=NO_CEILING_S)
EVERYBODY: Final = "everybody"
FLAGGED: Final = "flagged by the AI"
NOT_FLAGGED: Final = "not flagged"
MISSED: Final = "missed by the AI"
P95: Final = 95.0
RESAMPLES: Final = 2000
"""Of the runs, for the intervals."""
STILL_WAITING: Final = np.logspace(0, -4, 81)
"""Shares of exams at which the curves of the page are read: all of them down to one in ten thousand."""

Draw = Callable[[np.random.Generator], Arrivals]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A mean over runs with its 95 % bootstrap interval; without one after a single run."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupWaits:
    """How long one group waited under one order, minutes until its reading began."""

    group: str
    is_looked_for: bool | None
    """Of a finding: does the AI look for it? None: the group is no finding."""
    exams: int
    """In all runs."""
    mean_min: Estimate
    p95_min: Estimate
    worst_min: Estimate
    """The worst of a run, averaged over the runs: it grows with the length of a run."""
    longest_min: float
    """The worst of all runs."""
    curve_min: tuple[float, ...]
    """The waits that `STILL_WAITING` of the group exceed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderWaits:
    """One order."""

    order: Order
    groups: tuple[GroupWaits, ...]

    def group(self, name: str) -> GroupWaits:
        """The group of that name."""
        return next(group for group in self.groups if group.group == name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Everything that was simulated."""

    source: str
    """Where the exams come from, in words."""
    readers: Readers
    runs: int
    seed: int
    exams: int
    """In all runs."""
    days: float
    """From the first to the last arrival, averaged over the runs."""
    orders: tuple[OrderWaits, ...]


def fair(ceiling_min: float) -> Order:
    """The fair order with this ceiling."""
    return Order(name=f"fair, {ceiling_min:g} min", ceiling_s=ceiling_min * S_PER_MIN)


def compare(
    draw: Draw, *, source: str, readers: Readers, orders: Sequence[Order], runs: int, seed: int
) -> Comparison:
    """Each run draws its exams and its readings once; all orders get the same. One seed gives one answer."""
    waits: dict[tuple[str, str], list[Seconds]] = {}
    looked_for: dict[str, bool | None] = {}
    exams = 0
    days: list[float] = []
    for run in range(runs):
        random = np.random.default_rng([seed, run])
        arrivals = draw(random)
        reading_s = readers.reading_s(len(arrivals), random)
        exams += len(arrivals)
        days.append(float(arrivals.arrived_s[-1] - arrivals.arrived_s[0]) / 86400.0 if len(arrivals) else 0.0)
        groups = _groups(arrivals)
        looked_for |= {name: is_looked_for for name, _, is_looked_for in groups}
        for order in orders:
            waited_min = waits_s(arrivals, order, readers, reading_s) / S_PER_MIN
            for name, members, _ in groups:
                waits.setdefault((order.name, name), []).append(waited_min[members])
    return Comparison(
        source=source,
        readers=readers,
        runs=runs,
        seed=seed,
        exams=exams,
        days=float(np.mean(days)),
        orders=tuple(
            OrderWaits(
                order=order,
                groups=tuple(
                    _group(name, waits[order.name, name], is_looked_for=known, seed=seed)
                    for name, known in looked_for.items()
                    if any(len(of_run) for of_run in waits[order.name, name])
                ),
            )
            for order in orders
        ),
    )


def _groups(arrivals: Arrivals) -> list[tuple[str, Flags, bool | None]]:
    """Names, members, and whether the AI looks for it. An exam may be in several."""
    flagged = arrivals.is_flagged
    findings = [
        (name, arrivals.present[:, column], is_looked_for)
        for column, (name, is_looked_for) in enumerate(
            zip(arrivals.findings, arrivals.looked_for, strict=True)
        )
    ]
    shown = np.zeros(len(arrivals), dtype=np.bool_)
    for _, there, is_looked_for in findings:
        if is_looked_for:
            shown |= there
    everybody = np.ones(len(arrivals), dtype=np.bool_)
    return [
        *findings,
        (MISSED, shown & ~flagged, None),
        (FLAGGED, flagged, None),
        (NOT_FLAGGED, ~flagged, None),
        (EVERYBODY, everybody, None),
    ]


def _group(name: str, waits_min: list[Seconds], *, is_looked_for: bool | None, seed: int) -> GroupWaits:
    of_runs = [of_run for of_run in waits_min if len(of_run)]
    pooled = np.concatenate(of_runs)
    return GroupWaits(
        group=name,
        is_looked_for=is_looked_for,
        exams=len(pooled),
        mean_min=_estimate([float(np.mean(of_run)) for of_run in of_runs], seed),
        p95_min=_estimate([float(np.percentile(of_run, P95)) for of_run in of_runs], seed),
        worst_min=_estimate([float(np.max(of_run)) for of_run in of_runs], seed),
        longest_min=float(np.max(pooled)),
        curve_min=tuple(np.quantile(pooled, 1 - STILL_WAITING).tolist()),
    )


def _estimate(values: list[float], seed: int) -> Estimate:
    value = float(np.mean(values))
    if len(values) == 1:
        return Estimate(value=value, low=None, high=None)
    random = np.random.default_rng(seed)
    chosen: NDArray[np.int64] = random.integers(0, len(values), (RESAMPLES, len(values)))
    low, high = np.percentile(np.array(values)[chosen].mean(axis=1), (2.5, 97.5))
    return Estimate(value=value, low=float(low), high=float(high))
