# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""How a quality check is put into words."""

from __future__ import annotations

from appliance.domain.quality import Mark, MarkShape, QualityCheck, Verdict


def not_checked(criterion: str, why: str) -> QualityCheck:
    """What could not be judged, and why."""
    return QualityCheck(
        criterion=criterion, verdict=Verdict.NOT_CHECKED, value=None, unit=None, limit=None, advice=why
    )


def said(criterion: str, verdict: Verdict, advice: str, marks: tuple[Mark, ...] = ()) -> QualityCheck:
    """A check that has no number."""
    return QualityCheck(
        criterion=criterion, verdict=verdict, value=None, unit=None, limit=None, advice=advice, marks=marks
    )


def at_most(
    criterion: str,
    value: float,
    unit: str,
    limit: float,
    *,
    good: str,
    bad: str,
    marks: tuple[Mark, ...] = (),
) -> QualityCheck:
    """OK up to the limit, CHECK above it."""
    above = value > limit
    return QualityCheck(
        criterion=criterion,
        verdict=Verdict.CHECK if above else Verdict.OK,
        value=round(value, 3),
        unit=unit,
        limit=limit,
        advice=bad if above else good,
        marks=marks if above else (),
    )


def line_mark(label: str, start_px: tuple[float, float], end_px: tuple[float, float]) -> Mark:
    """A line in source pixels."""
    return Mark(label=label, shape=MarkShape.LINE, points_px=(start_px, end_px))
