# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Quality control: one criterion, what was measured, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Verdict(str, Enum):
    """What a check says. There is no fifth state."""

    OK = "OK"
    CHECK = "CHECK"
    """A person should look before the patient leaves."""
    REPEAT = "REPEAT"
    """As it is, the image will probably not answer the question."""
    NOT_CHECKED = "NOT_CHECKED"
    """This device cannot judge it here; the advice says why. Never shown as good."""


class MarkShape(str, Enum):
    """How to draw a mark."""

    LINE = "line"
    BOX = "box"
    POLYGON = "polygon"
    SLICES = "slices"
    """Points are (first slice, last slice); nothing to draw on one frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A place on the image, in source pixels (row, column), or a range of slices."""

    label: str
    shape: MarkShape
    points_px: tuple[tuple[float, float], ...]
    slice_index: int | None = None
    """Which slice of the stack it lies on; None for a projection or for the whole stack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityCheck:
    """One criterion of one acquisition."""

    criterion: str
    """snake_case name, stable: field_of_view, exposure, sharpness, ..."""
    verdict: Verdict
    value: float | None
    """What was measured; None when nothing could be."""
    unit: str | None
    """UCUM: mm, %, HU, 1, ..."""
    limit: float | None
    """The bound that the verdict was taken at, in the same unit."""
    advice: str
    """One sentence that a technologist can act on; for NOT_CHECKED, why."""
    marks: tuple[Mark, ...] = ()


def worst(checks: tuple[QualityCheck, ...]) -> Verdict:
    """The verdict for the whole: the worst one that was reached.

    NOT_CHECKED outranks OK: an image nobody judged, or judged only in part where the part matters, is
    summed up by its checked criteria only when at least one of them was checked; with none, the whole
    is NOT_CHECKED.
    """
    reached = {check.verdict for check in checks}
    for verdict in (Verdict.REPEAT, Verdict.CHECK, Verdict.OK):
        if verdict in reached:
            return verdict
    return Verdict.NOT_CHECKED
