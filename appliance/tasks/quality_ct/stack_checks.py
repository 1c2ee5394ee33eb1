# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Whether the slices of a series make a gapless stack: from positions, counts and equal pixels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from appliance.domain.acquisition import Acquisition, Completeness
from appliance.domain.quality import Mark, MarkShape, QualityCheck, Verdict
from appliance.tasks.radiograph_measures.verdicts import not_checked, said

_SAME_MM: Final = 0.01
"""Positions this close are the same place: headers round to a micrometre or a hundredth of a millimetre."""
_GAP: Final = 1.5
"""Steps larger than this many times the usual step leave out at least one slice."""
_SPACING_TOLERANCE: Final = 0.02
"""Part by which the measured step may differ from the header's (rounding, table feed)."""
MOST_GAP_MM: Final = 0.0
"""Anatomy that was not scanned between two slices: none."""


def completeness_check(acquisition: Acquisition) -> QualityCheck:
    """What the intake knows about the series being whole."""
    evidence = acquisition.evidence.rstrip(". ")
    if acquisition.completeness is Completeness.COMPLETE:
        return said("completeness", Verdict.OK, f"The series is complete: {evidence}.")
    if acquisition.completeness is Completeness.INCOMPLETE:
        return said("completeness", Verdict.CHECK, f"Slices are missing: {evidence}. Send the series again.")
    if acquisition.completeness is Completeness.CONFLICT:
        return said(
            "completeness",
            Verdict.CHECK,
            f"One slice came in two versions: {evidence}. Find out at the console which is right.",
        )
    if acquisition.completeness is Completeness.QUIET:
        return not_checked(
            "completeness",
            f"Nothing more came, but nothing says how many there are: {evidence}. Count the slices.",
        )
    return not_checked("completeness", "Slices are still coming in.")


def slice_stack_check(acquisition: Acquisition, digests: Mapping[int, int]) -> QualityCheck:
    """Missing slices (larger steps) and doubled ones (same place, or the same pixels).

    `digests`: place in the stack to digest of the pixels; damaged slices have none.
    """
    positions = [entry.position_mm for entry in acquisition.slices]
    known = [position for position in positions if position is not None]
    copies = _copies(digests)
    if len(known) < len(positions) or len(known) < 3:
        if copies:
            return _doubled_check(copies, len(positions))
        return not_checked(
            "slice_stack",
            "The header gives too few slice positions to look for gaps. Count the slices yourself.",
        )
    steps = np.abs(np.diff(np.array(known)))
    repeats = Counter(round(position / _SAME_MM) for position in known)
    passes = min(repeats.values())
    apart = steps[steps > _SAME_MM]
    if apart.size == 0:
        return said(
            "slice_stack", Verdict.CHECK, "All slices are at the same place. Check the reconstruction."
        )
    usual = float(np.median(apart))
    gaps = [index for index, step in enumerate(steps) if step > _GAP * usual]
    if gaps:
        return _gap_check(known, gaps, steps, usual)
    if passes == 1:
        copies |= {index + 1 for index, step in enumerate(steps) if step <= _SAME_MM}
    if copies:
        return _doubled_check(copies, len(positions))
    twice = f", each place {passes} times" if passes > 1 else ""
    return QualityCheck(
        criterion="slice_stack",
        verdict=Verdict.OK,
        value=0.0,
        unit="mm",
        limit=MOST_GAP_MM,
        advice=f"{len(known)} slices without a gap, {usual:g} mm apart{twice}.",
    )


def _copies(digests: Mapping[int, int]) -> set[int]:
    return {index for index, digest in digests.items() if digest == digests.get(index - 1)}


def _gap_check(
    known: Sequence[float], gaps: Sequence[int], steps: Sequence[float] | np.ndarray, usual: float
) -> QualityCheck:
    missing = sum(round(float(steps[index]) / usual) - 1 for index in gaps)
    widest = max(float(steps[index]) for index in gaps)
    places = ", ".join(f"{known[index]:g} and {known[index + 1]:g} mm" for index in gaps[:3])
    plural = "s are" if missing > 1 else " is"
    return QualityCheck(
        criterion="slice_stack",
        verdict=Verdict.CHECK,
        value=round(widest - usual, 2),
        unit="mm",
        limit=MOST_GAP_MM,
        advice=f"{missing} slice{plural} missing between {places}. Send the series again from the console; "
        "scan again only if they were never reconstructed.",
        marks=tuple(_slices("gap", index, index + 1) for index in gaps[:16]),
    )


def _doubled_check(copies: set[int], count: int) -> QualityCheck:
    first = min(copies)
    plural = "slices are" if len(copies) > 1 else "slice is"
    return QualityCheck(
        criterion="slice_stack",
        verdict=Verdict.CHECK,
        value=float(len(copies)),
        unit="1",
        limit=0.0,
        advice=f"{len(copies)} of {count} {plural} there twice, first slice {first + 1}. "
        "Look whether the series was sent or reconstructed twice.",
        marks=tuple(_slices("doubled", index - 1, index) for index in sorted(copies)[:16]),
    )


def slice_spacing_check(acquisition: Acquisition) -> QualityCheck:
    """The step between positions against SpacingBetweenSlices, and against SliceThickness for gaps."""
    known = [entry.position_mm for entry in acquisition.slices if entry.position_mm is not None]
    geometry = acquisition.first.geometry
    steps = np.abs(np.diff(np.array(known))) if len(known) > 1 else np.array([])
    steps = steps[steps > _SAME_MM]
    if steps.size == 0:
        return not_checked(
            "slice_spacing", "The header gives too few slice positions to measure their distance."
        )
    usual = float(np.median(steps))
    claimed, thickness = geometry.spacing_between_slices_mm, geometry.slice_thickness_mm
    if claimed is not None and abs(usual - abs(claimed)) > _SPACING_TOLERANCE * usual:
        return QualityCheck(
            criterion="slice_spacing",
            verdict=Verdict.CHECK,
            value=round(usual, 3),
            unit="mm",
            limit=abs(claimed),
            advice=f"Slices are {usual:g} mm apart, but the header says {abs(claimed):g} mm: lengths "
            "measured along the patient would be wrong. Check the reconstruction and count the slices.",
        )
    if thickness is not None and usual > thickness * (1.0 + _SPACING_TOLERANCE):
        return QualityCheck(
            criterion="slice_spacing",
            verdict=Verdict.CHECK,
            value=round(usual, 3),
            unit="mm",
            limit=thickness,
            advice=f"Slices are {thickness:g} mm thick but {usual:g} mm apart: what lies between is not "
            "shown. Check that this was meant.",
        )
    if claimed is None and thickness is None:
        return not_checked(
            "slice_spacing", f"Slices are {usual:g} mm apart; the header has nothing to compare."
        )
    return QualityCheck(
        criterion="slice_spacing",
        verdict=Verdict.OK,
        value=round(usual, 3),
        unit="mm",
        limit=abs(claimed) if claimed is not None else thickness,
        advice=f"Slices are {usual:g} mm apart, as the header says."
        if claimed is not None
        else f"Slices are {usual:g} mm apart and {thickness:g} mm thick: no gaps between them.",
    )


def _slices(label: str, first: int, last: int) -> Mark:
    return Mark(label=label, shape=MarkShape.SLICES, points_px=((float(first), float(last)),))
