# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Over which sides of the exposed field a limb leaves the picture.

A hand or a foot may leave on one side, a part in the middle of a limb on two. Which joints must be in the
picture is not judged.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import cv2
import numpy as np

from appliance.domain.acquisition import Instance
from appliance.domain.quality import Mark, QualityCheck
from appliance.tasks.radiograph_measures.body_parts import ENDS, TRUNK_BOUND, UNSPECIFIC, words_of
from appliance.tasks.radiograph_measures.exposed_field import ExposedField, Mask
from appliance.tasks.radiograph_measures.overview import Overview
from appliance.tasks.radiograph_measures.verdicts import at_most, line_mark, not_checked

MOST_CONTACT_MM: Final = 5.0
"""Length of one more side than allowed that the limb may touch: half the width of a finger."""
MOST_CONTACT_PERCENT: Final = 2.5
"""The same for a picture without pixel spacing, in % of that side."""
_SIDES: Final = ("upper", "right", "lower", "left")
_INSET_PX: Final = 2.5
"""Overview pixels inside the edge at which contact is looked for: off the penumbra."""
_WHOLE_SIDE: Final = 0.7
"""Part of a side from which on what touches it is no limb in air: white unexposed borders do."""
_SEPARABLE: Final = 0.70
"""Least part of the variance that the split into limb and air explains (Otsu's criterion, IEEE Trans. SMC 9
(1979) 62): 0.75 and more on limbs in air, less where the limb fills the field."""
_LIMB_PART: Final = (0.03, 0.85)
"""Part of the field that the limb covers; otherwise there is no air, or no limb, to tell apart."""
_SMALLEST_PIECE: Final = 0.015
"""Part of the field: lead letters and clamps are smaller."""


def outline_limb(overview: Overview, field: ExposedField) -> Mask | None:
    """1 where the limb is; None when limb and air cannot be told apart."""
    level = np.sqrt(np.clip(overview.level, 0.0, 1.0))
    grey = np.round(cv2.GaussianBlur(level, (0, 0), 1.0) * 255.0).astype(np.uint8)
    inside = grey[field.mask > 0]
    split, _ = cv2.threshold(inside.reshape(1, -1), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    above = inside > split
    share = float(above.mean())
    if not _LIMB_PART[0] <= share <= _LIMB_PART[1]:
        return None
    between = share * (1 - share) * (float(inside[above].mean()) - float(inside[~above].mean())) ** 2
    if between < _SEPARABLE * max(float(inside.var()), 1e-6):
        return None
    bright = ((grey > split) & (field.mask > 0)).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(bright, connectivity=8)
    least = _SMALLEST_PIECE * float(field.mask.sum())
    keep = [label for label in range(1, count) if stats[label, cv2.CC_STAT_AREA] >= least]
    if not keep:
        return None
    limb: Mask = np.isin(labels, keep).astype(np.uint8)
    return limb


def limb_coverage_check(
    first: Instance, overview: Overview, field: ExposedField, limb: Mask | None
) -> QualityCheck:
    """Contact with the sides of the field beyond those that this part may leave by."""
    part = words_of(first)
    if part in TRUNK_BOUND:
        return not_checked(
            "field_of_view",
            f"Coverage of a {part.lower()} beside the trunk is not judged by this device yet; look.",
        )
    if part in UNSPECIFIC:
        return not_checked(
            "field_of_view",
            f"The header says only {part}: on how many sides it may leave is not known; look.",
        )
    if limb is None:
        return not_checked(
            "field_of_view", "Limb and air could not be told apart. Check by eye that nothing is cut off."
        )
    allowed = 1 if part in ENDS else 2
    in_mm = overview.pixel_mm is not None
    contacts = [_contact(limb, field, index, overview) for index in range(4)]
    contacts.sort(key=lambda contact: contact[0], reverse=True)
    if max(contact[3] for contact in contacts) > _WHOLE_SIDE:
        return not_checked(
            "field_of_view",
            "A whole side of the picture is bright, so limb and unexposed border cannot be told apart; look.",
        )
    excess, side, ends, _ = contacts[allowed]
    limit = MOST_CONTACT_MM if in_mm else MOST_CONTACT_PERCENT
    unit = "mm" if in_mm else "%"
    ways = "one side" if allowed == 1 else "two sides"
    marks: tuple[Mark, ...] = ()
    if ends is not None:
        marks = (line_mark("cut off", *ends),)
    return at_most(
        "field_of_view",
        excess,
        unit,
        limit,
        good=f"The limb leaves the field on no more than {ways}.",
        bad=f"The limb also leaves the field on the {_SIDES[side]} side, over {excess:.0f} {unit}: "
        f"{part.lower()} pictures may leave it on {ways} only. Move the part or open the field there.",
        marks=marks,
    )


_Ends: TypeAlias = tuple[tuple[float, float], tuple[float, float]]


def _contact(
    limb: Mask, field: ExposedField, index: int, overview: Overview
) -> tuple[float, int, _Ends | None, float]:
    """Length of contact in mm (or % of the side), the side, where it is, and which part of the side."""
    start, end = field.corners[index], field.corners[(index + 1) % 4]
    inward = field.corners.mean(axis=0) - (start + end) / 2
    inward = inward / max(float(np.hypot(*inward)), 1e-6) * np.float32(_INSET_PX)
    samples = max(8, int(np.hypot(*(end - start))))
    points = start + (end - start) * np.linspace(0.0, 1.0, samples, dtype=np.float32)[:, None] + inward
    rows, columns = limb.shape
    place = np.clip(points, 0, (rows - 1, columns - 1)).round().astype(int)
    touched = np.flatnonzero(limb[place[:, 0], place[:, 1]])
    if touched.size == 0:
        return 0.0, index, None, 0.0
    along = (end - start) / samples
    if overview.pixel_mm is None:
        length = 100.0 * touched.size / samples
    else:
        length = touched.size * float(
            np.hypot(along[0] * overview.pixel_mm[0], along[1] * overview.pixel_mm[1])
        )
    first, last = (start + (end - start) * float(at) / (samples - 1) for at in (touched[0], touched[-1]))
    ends = (
        overview.to_source(float(first[0]), float(first[1])),
        overview.to_source(float(last[0]), float(last[1])),
    )
    return length, index, ends, float(touched.size / samples)
