# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What the measures of all slices say about a CT series.

Limits were chosen on the phantom series (`appliance.selftest.phantom_ct`) and on 14 real series of five
scanners, four of them at a quarter of the dose. A person decides: none of these asks for a repeat.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from appliance.domain.acquisition import Acquisition
from appliance.domain.quality import Mark, MarkShape, QualityCheck, Verdict
from appliance.tasks.quality_ct.slice_measures import METAL_HU, SliceMeasure
from appliance.tasks.radiograph_measures.verdicts import at_most, not_checked

MOST_NOISE_HU: Final = 30.0
"""At 5 mm thickness. Real series at routine dose, brought to 5 mm: 4 to 29 (the highest with the fairly sharp
D45f); at a quarter of it 22 (B30f) to 65 (D45f)."""
_REFERENCE_THICKNESS_MM: Final = 5.0
"""Noise goes with one over the square root of the thickness; all series are compared at this one."""
_SHARP_NAMES: Final = frozenset(
    {"LUNG", "BONE", "BONEPLUS", "EDGE", "DETAIL", "L", "YA", "YB", "YC", "YD", "D", "E"}
)
"""GE and Philips kernels for lung and bone, whose noise is meant to be high."""
_SHARP_NUMBER: Final = 50
"""Siemens kernels carry their sharpness as a number: B30f is smooth, B60f and above show lung and bone."""
LEAST_STREAK_HU: Final = 10.0
"""Streaks weaker than this do not disturb soft tissue."""
MOST_STREAK_RATIO: Final = 0.8
"""Of streaks to noise. Phantom slices with streaks reach 1.1 to 2; no real series passes both
limits, and neither do the faint streaks from the arms in two of them (0.4): only strong streaks are found."""
MOST_JUMP: Final = 6.0
"""Change from one slice to the next, times the usual one of the series. Ordinary series stay below 4."""
LEAST_NEIGHBOURS: Final = 5
"""Fewer changes from slice to slice than this have no usual one."""
MOST_LUNG_PERCENT: Final = 2.0
"""Of the edge of the reconstructed circle: 7 degrees, 2 cm on a field of 35 cm. Skin and arms outside the
field are usual in chests (nine of 14 real series); lung is not."""
AIR_HU: Final = -1000.0
MOST_AIR_ERROR_HU: Final = 150.0
"""Air between blankets and a tight field has been seen up to 110 HU too high in good series; a missing or
wrong rescale is off by about 1000."""
DARKEST_POSSIBLE_HU: Final = -50.0
"""Every slice through a body has fat (-100 HU), if not air."""
MOST_METAL_PERCENT: Final = 0.02
"""Of the body: a screw of 4 mm in a trunk. Dental fillings and pacemakers have more."""
_UNSUITABLE: Final = "No slice has enough soft tissue to measure this on."


def noise_check(acquisition: Acquisition, measures: Sequence[SliceMeasure]) -> QualityCheck:
    """Median over slices of the noise in soft tissue."""
    values = [measure.noise_hu for measure in measures if measure.noise_hu is not None]
    if not values:
        return not_checked("noise", _UNSUITABLE)
    noise = float(np.median(values))
    first = acquisition.first
    kernel = (first.equipment.convolution_kernel or "").strip()
    if _is_sharp(kernel):
        why = f"Noise is {noise:.0f} HU; the kernel {kernel} is made for lung or bone and meant to be noisy."
        return QualityCheck(
            criterion="noise",
            verdict=Verdict.NOT_CHECKED,
            value=noise,
            unit="[hnsf'U]",
            limit=None,
            advice=why,
        )
    thickness = first.geometry.slice_thickness_mm
    limit = MOST_NOISE_HU
    if thickness is not None and thickness > 0:
        limit *= float(np.sqrt(_REFERENCE_THICKNESS_MM / thickness))
    return at_most(
        "noise",
        noise,
        "[hnsf'U]",
        round(limit, 1),
        good=f"Noise in soft tissue is {noise:.0f} HU (median of {len(values)} slices).",
        bad=f"Noise in soft tissue is {noise:.0f} HU (median of {len(values)} slices): low contrast may be "
        "lost. Look at the liver or the muscles; check dose and kernel of the protocol.",
    )


def _is_sharp(kernel: str) -> bool:
    name = kernel.upper()
    if name in _SHARP_NAMES:
        return True
    digits = "".join(letter for letter in name if letter.isdigit())
    return len(digits) == 2 and name[:1] in {"B", "D", "H", "I"} and int(digits) >= _SHARP_NUMBER


def motion_check(measures: Sequence[SliceMeasure]) -> QualityCheck:
    """Slices with streaks, and jumps from one slice to the next."""
    ratios = [_streak_ratio(measure) for measure in measures]
    known = [ratio for ratio in ratios if ratio is not None]
    jumps = _jumps(measures)
    if not known and not jumps:
        return not_checked("motion", _UNSUITABLE)
    streaked = [
        measure.index
        for measure, ratio in zip(measures, ratios, strict=True)
        if ratio is not None and ratio > MOST_STREAK_RATIO
    ]
    jumped = [index for index, jump in jumps.items() if jump > MOST_JUMP]
    marks = tuple(
        Mark(label=label, shape=MarkShape.SLICES, points_px=((float(first), float(last)),))
        for label, found in (("streaks", _ranges(streaked)), ("jump", [(at, at + 1) for at in jumped]))
        for first, last in found[:16]
    )
    worst = max(known, default=0.0)
    words = []
    if streaked:
        words.append(f"streaks in {_slices_words(streaked)}")
    if jumped:
        words.append(f"a jump between slices {jumped[0] + 1} and {jumped[0] + 2}")
    return QualityCheck(
        criterion="motion",
        verdict=Verdict.CHECK if words else Verdict.OK,
        value=round(worst, 2),
        unit="1",
        limit=MOST_STREAK_RATIO,
        advice=f"There are {' and '.join(words)}: motion, arms in the scan, or metal. "
        "Look whether the organs asked about are affected; scan that part again only if they are."
        if words
        else "No strong streaks across soft tissue and no jumps between slices.",
        marks=marks,
    )


def _streak_ratio(measure: SliceMeasure) -> float | None:
    if measure.streak_hu is None or not measure.noise_hu:
        return None
    return measure.streak_hu / measure.noise_hu if measure.streak_hu >= LEAST_STREAK_HU else 0.0


def _jumps(measures: Sequence[SliceMeasure]) -> dict[int, float]:
    """Change from each slice to its neighbour over the median change; empty for fewer than six slices.

    Slices beside a damaged one are no neighbours: what lies between them is unknown.
    """
    change = {
        a.index: float(np.abs(b.signature - a.signature).mean())
        for a, b in pairwise(measures)
        if b.index == a.index + 1
    }
    if len(change) < LEAST_NEIGHBOURS:
        return {}
    usual = float(np.median(list(change.values())))
    return {index: value / usual for index, value in change.items()} if usual > 0 else {}


def field_check(measures: Sequence[SliceMeasure]) -> QualityCheck:
    """Lung at the edge of the reconstructed field, in the worst slice; skin and arms there are only told."""
    known = [measure for measure in measures if measure.field_contact_percent is not None]
    if not known:
        return not_checked("field_of_view", "No body was found in these slices.")
    body = max(measure.field_contact_percent or 0.0 for measure in known)
    lung = max(measure.lung_contact_percent for measure in measures)
    cut = [measure.index for measure in measures if measure.lung_contact_percent > MOST_LUNG_PERCENT]
    told = f"skin or arms reach its edge over {body:.0f} % of it" if body > 0 else "so does all of the body"
    return at_most(
        "field_of_view",
        lung,
        "%",
        MOST_LUNG_PERCENT,
        good=f"Aerated lung lies inside the reconstructed field; {told}. Other organs are not judged.",
        bad=f"The field cuts off lung in {_slices_words(cut)}. Reconstruct with a larger one.",
        marks=tuple(
            Mark(label="cut off", shape=MarkShape.SLICES, points_px=((float(first), float(last)),))
            for first, last in _ranges(cut)[:16]
        ),
    )


def metal_check(measures: Sequence[SliceMeasure]) -> QualityCheck:
    """Voxels denser than bone, in the worst slice."""
    found = [measure.index for measure in measures if measure.metal_percent > MOST_METAL_PERCENT]
    worst = max((measure.metal_percent for measure in measures), default=0.0)
    return at_most(
        "metal",
        worst,
        "%",
        MOST_METAL_PERCENT,
        good=f"Nothing denser than {METAL_HU:.0f} HU.",
        bad=f"Metal in {_slices_words(found)}. Look whether its streaks hide the organs asked about; "
        "reconstruct with metal artefact reduction if the scanner has it.",
        marks=tuple(
            Mark(label="metal", shape=MarkShape.SLICES, points_px=((float(first), float(last)),))
            for first, last in _ranges(found)[:16]
        ),
    )


def scaling_check(measures: Sequence[SliceMeasure]) -> QualityCheck:
    """Air around the patient must be near -1000 HU, or no number in the series means anything."""
    levels = [measure.air_hu for measure in measures if measure.air_hu is not None]
    darkest = [measure.darkest_hu for measure in measures if measure.darkest_hu is not None]
    if not levels and darkest and min(darkest) > DARKEST_POSSIBLE_HU:
        return QualityCheck(
            criterion="scaling",
            verdict=Verdict.CHECK,
            value=round(min(darkest), 1),
            unit="[hnsf'U]",
            limit=DARKEST_POSSIBLE_HU,
            advice=f"Nothing in this series is darker than {min(darkest):.0f} HU, not even fat. "
            "Do not trust its numbers; check rescale and calibration.",
        )
    if not levels:
        return not_checked("scaling", "There is too little air around the patient to check the HU scale.")
    air = float(np.median(levels))
    wrong = abs(air - AIR_HU) > MOST_AIR_ERROR_HU
    return QualityCheck(
        criterion="scaling",
        verdict=Verdict.CHECK if wrong else Verdict.OK,
        value=round(air, 1),
        unit="[hnsf'U]",
        limit=AIR_HU,
        advice=f"Air around the patient reads {air:.0f} HU instead of -1000: numbers in this series cannot "
        "be trusted. Check rescale and calibration."
        if wrong
        else f"Air around the patient reads {air:.0f} HU.",
    )


def _ranges(indices: Sequence[int]) -> list[tuple[int, int]]:
    """Runs of neighbouring numbers as (first, last)."""
    runs: list[tuple[int, int]] = []
    for index in indices:
        if runs and index == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], index)
        else:
            runs.append((index, index))
    return runs


def _slices_words(indices: Sequence[int]) -> str:
    runs = _ranges(indices)
    places = [f"{first + 1}" if first == last else f"{first + 1} to {last + 1}" for first, last in runs[:3]]
    more = f" and {len(runs) - 3} more places" if len(runs) > 3 else ""
    return f"slice{'s' if len(indices) > 1 else ''} {', '.join(places)}{more}"
