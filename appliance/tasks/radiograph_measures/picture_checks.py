# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What is judged on the pixels of any radiograph, whatever the body part.

Limits were chosen on the phantoms (`appliance.selftest`) and on real films: 1,241 adult chests (NIH), 600
children's chests (Kermany), 877 upper limbs (BFY8) and 8 CR and DX files of five makers. The share of them
that each limit flags stands beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from appliance.domain.acquisition import Acquisition
from appliance.domain.image import PixelImage
from appliance.domain.quality import Mark, MarkShape, QualityCheck, Verdict
from appliance.tasks.radiograph_measures.detector_lines import SMALLEST_DETECTOR_PX, DefectLine, defect_lines
from appliance.tasks.radiograph_measures.exposed_field import ExposedField, Mask, find_exposed_field
from appliance.tasks.radiograph_measures.fine_detail import blur_effect, noise_percent
from appliance.tasks.radiograph_measures.header_checks import exposure_check, identity_check
from appliance.tasks.radiograph_measures.overview import Overview, overview_of
from appliance.tasks.radiograph_measures.signal_range import Clipped, clipped_parts, structure_percent
from appliance.tasks.radiograph_measures.verdicts import at_most, line_mark, not_checked

LEAST_STRUCTURE_PERCENT: Final = 0.5
"""Below it the exposure is blank. Blank phantoms: 0.04 and less; the emptiest real picture: 1.1, chests
5.6 and more. None of 2,726 real pictures is flagged."""
MOST_NOISE_PERCENT: Final = 0.6
"""Of the grey range, on a 1-megapixel view. Phantom chest at target exposure 0.2, at a tenth of it 0.55, at
a thirtieth 1.0. Flags no chest and 1 % of the upper limbs."""
MOST_BLUR: Final = 0.70
"""Blur effect at the strongest edges. Motion over 1.2 % of the picture's longer side (5 mm on a chest) passes
it in 8 of 10 chests, over 1.6 % in all of 80; on limbs over 2 % in 8 of 10; 0.8 % hardly shows. Flags 0.2 %
of the chests and of the limbs as they are."""
MOST_BURNT_PERCENT: Final = 3.0
"""Black plateaus inside a chest. Flags none of 1,241 adult chests (largest 2.7) and 0.2 % of the
children's."""
MOST_WHITE_PERCENT: Final = 1.0
"""White plateaus inside the field. Flags no chest and 0.1 % of the upper limbs."""
MOST_EXCESS_PERCENT: Final = 50.0
"""Exposed field outside the box around the anatomy. A well collimated phantom chest has 10 %."""
_NOTHING_THERE: Final = "There is nothing in the picture to judge this on."


@dataclass(frozen=True, kw_only=True, eq=False)
class MeasuredRadiograph:
    """A frame with everything that more than one check needs, measured once and only when asked for."""

    acquisition: Acquisition
    image: PixelImage

    @cached_property
    def overview(self) -> Overview:
        """The small copy."""
        return overview_of(self.image)

    @cached_property
    def field(self) -> ExposedField:
        """The collimated field."""
        return find_exposed_field(self.overview)

    @cached_property
    def blank(self) -> bool:
        """Whether nothing but the beam itself was recorded."""
        return self.structure_percent < LEAST_STRUCTURE_PERCENT

    @cached_property
    def structure_percent(self) -> float:
        """See `signal_range.structure_percent`."""
        return structure_percent(self.image, self.overview, self.field)

    @cached_property
    def noise_percent(self) -> float | None:
        """See `fine_detail.noise_percent`."""
        return noise_percent(self.overview, self.field)


def general_checks(measured: MeasuredRadiograph, *, burnt_counts: bool) -> tuple[QualityCheck, ...]:
    """Everything that needs no knowledge of the body part.

    `burnt_counts`: black inside the outline is a fault (a lung), and not air between fingers.
    """
    first = measured.acquisition.first
    noise = None if measured.blank else measured.noise_percent
    return (
        identity_check(first),
        _blank_check(measured),
        exposure_check(first, None if noise is None else noise > MOST_NOISE_PERCENT),
        _saturation_check(measured, burnt_counts=burnt_counts),
        _noise_check(measured, noise),
        _sharpness_check(measured),
        _lines_check(measured),
    )


def _blank_check(measured: MeasuredRadiograph) -> QualityCheck:
    return QualityCheck(
        criterion="blank_exposure",
        verdict=Verdict.REPEAT if measured.blank else Verdict.OK,
        value=round(measured.structure_percent, 3),
        unit="%",
        limit=LEAST_STRUCTURE_PERCENT,
        advice="Blank: no anatomy was recorded. Check tube, detector and positioning, then repeat."
        if measured.blank
        else "Something was in the beam; what it is, is for the other checks.",
    )


def _saturation_check(measured: MeasuredRadiograph, *, burnt_counts: bool) -> QualityCheck:
    if measured.blank:
        return not_checked("saturation", _NOTHING_THERE)
    clipped: Clipped = clipped_parts(measured.image, measured.overview, measured.field)
    if burnt_counts and clipped.burnt_percent > MOST_BURNT_PERCENT:
        return at_most(
            "saturation",
            clipped.burnt_percent,
            "%",
            MOST_BURNT_PERCENT,
            good="",
            bad=f"{clipped.burnt_percent:.0f} % of the field is burnt out to black inside the patient. "
            "Look whether detail is lost there; lower the exposure or change the processing.",
        )
    return at_most(
        "saturation",
        clipped.white_percent,
        "%",
        MOST_WHITE_PERCENT,
        good="No part inside the field is clipped to white"
        + (" or burnt out to black." if burnt_counts else "; black was not judged, it may be air."),
        bad=f"{clipped.white_percent:.1f} % of the field is clipped to white. "
        "Look whether detail is lost in the dense parts.",
    )


def _noise_check(measured: MeasuredRadiograph, noise: float | None) -> QualityCheck:
    if measured.blank:
        return not_checked("noise", _NOTHING_THERE)
    if noise is None:
        return not_checked("noise", "The grey levels of this picture are too coarse to show noise.")
    return at_most(
        "noise",
        noise,
        "%",
        MOST_NOISE_PERCENT,
        good="Noise is low against the grey range.",
        bad=f"Noisy: {noise:.1f} % of the grey range. Look whether fine detail is still seen; "
        "check the exposure settings.",
    )


def _sharpness_check(measured: MeasuredRadiograph) -> QualityCheck:
    blur = None if measured.blank else blur_effect(measured.overview)
    if blur is None:
        return not_checked("sharpness", _NOTHING_THERE)
    return at_most(
        "sharpness",
        blur,
        "1",
        MOST_BLUR,
        good="No large blur; small motion cannot be told from soft anatomy by this device.",
        bad="Edges are blurred, as when the patient moved. Look at fine bone or vessel edges; "
        "repeat with a shorter exposure time if they are lost.",
    )


def _lines_check(measured: MeasuredRadiograph) -> QualityCheck:
    rows, columns = measured.image.shape
    if max(rows, columns) < SMALLEST_DETECTOR_PX:
        return not_checked(
            "detector_lines",
            f"With {rows} x {columns} pixels the picture was reduced; single lines are gone.",
        )
    lines = defect_lines(measured.image)
    words = ", ".join(f"{'row' if line.is_row else 'column'} {line.index + 1}" for line in lines[:4])
    return at_most(
        "detector_lines",
        float(len(lines)),
        "1",
        0.0,
        good="No row or column stands out.",
        bad=f"The detector shows {len(lines)} defective line{'s' if len(lines) > 1 else ''} ({words}). "
        "Look whether anatomy is hidden; recalibrate the detector and tell service.",
        marks=tuple(_line(line, rows, columns) for line in lines[:16]),
    )


def _line(line: DefectLine, rows: int, columns: int) -> Mark:
    place = float(line.index)
    if line.is_row:
        return line_mark("defective row", (place, 0.0), (place, columns - 1.0))
    return line_mark("defective column", (0.0, place), (rows - 1.0, place))


def collimation_check(measured: MeasuredRadiograph, anatomy: Mask | None, *, margin: float) -> QualityCheck:
    """How much of the exposed field lies outside the anatomy's enclosing box, grown by `margin` of the field.

    `anatomy`: 1 where it is, in overview pixels; None when it was not outlined.
    """
    field = measured.field
    if measured.blank:
        return not_checked("collimation", _NOTHING_THERE)
    if not field.found:
        return not_checked(
            "collimation",
            "No edge of the collimator is seen in the picture. Check by eye that it was closed in.",
        )
    part = 100.0 * field.part_of_picture
    if anatomy is None:
        return not_checked(
            "collimation",
            f"The field covers {part:.0f} % of the picture; the anatomy was not outlined in it.",
        )
    excess = 100.0 * (1.0 - _boxed_part(anatomy, field, margin))
    corners = [measured.overview.to_source(float(row), float(column)) for row, column in field.corners]
    return at_most(
        "collimation",
        excess,
        "%",
        MOST_EXCESS_PERCENT,
        good=f"{excess:.0f} % of the exposed field lies outside the anatomy and its margin.",
        bad=f"{excess:.0f} % of the exposed field shows nothing that is needed. Do not repeat for this; "
        "close the collimator further next time.",
        marks=(Mark(label="exposed field", shape=MarkShape.POLYGON, points_px=tuple(corners)),),
    )


def _boxed_part(anatomy: Mask, field: ExposedField, margin: float) -> float:
    rows, columns = np.flatnonzero(anatomy.any(axis=1)), np.flatnonzero(anatomy.any(axis=0))
    reach = margin * float(np.sqrt(np.count_nonzero(field.mask)))
    top, bottom = max(0, int(rows[0] - reach)), int(rows[-1] + reach) + 1
    left, right = max(0, int(columns[0] - reach)), int(columns[-1] + reach) + 1
    return float(np.count_nonzero(field.mask[top:bottom, left:right]) / np.count_nonzero(field.mask))
