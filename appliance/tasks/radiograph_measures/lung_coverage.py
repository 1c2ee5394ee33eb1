# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Whether both lungs lie inside the exposed field of a frontal chest radiograph."""

from __future__ import annotations

from typing import Final

import numpy as np

from appliance.domain.acquisition import Instance
from appliance.domain.quality import Mark, QualityCheck, Verdict
from appliance.tasks.radiograph_measures.exposed_field import ExposedField
from appliance.tasks.radiograph_measures.header_checks import FRONTAL_VIEWS
from appliance.tasks.radiograph_measures.lung_outlines import Contact, Edge, Lung
from appliance.tasks.radiograph_measures.overview import Overview
from appliance.tasks.radiograph_measures.verdicts import line_mark, not_checked

LEAST_BASE_MARGIN_MM: Final = 8.0
"""Between a lung and the lower edge of the field. The outline ends up to 20 mm above the tip of the
costophrenic angle (phantom chest), so a lung this near to the lower edge is cut off there, or nearly. All
edges together flag 6 % of 1,241 adult chests, many of them rightly to the eye, none as a repeat."""
LEAST_BASE_MARGIN_PERCENT: Final = 2.0
"""The same for a picture without pixel spacing, in % of the field's side (8 of 420 mm)."""
LEAST_MARGIN_MM: Final = 1.0
LEAST_MARGIN_PERCENT: Final = 0.25
"""Between a lung and the other edges: there the outline ends at the lung, so only touching counts."""
GROSS_MM: Final = 70.0
"""Length of contact with the lower edge from which on half of a lung's base is missing (a base is 110 to
140 mm wide)."""
GROSS_PERCENT: Final = 20.0
"""The same in % of the field's width (70 of 350 mm)."""

_CUT: Final = {
    Edge.TOP: ("apex", "upper", "Raise the detector and the beam."),
    Edge.BOTTOM: ("base", "lower", "Lower the detector and the beam."),
    Edge.LEFT: ("outer edge", "left", "Centre the patient on the detector."),
    Edge.RIGHT: ("outer edge", "right", "Centre the patient on the detector."),
}


def lung_coverage_check(
    first: Instance, overview: Overview, field: ExposedField, lungs: tuple[Lung, ...]
) -> QualityCheck:
    """The lung that comes nearest to an edge decides."""
    view = (first.view_position or "").strip().upper()
    if view and view not in FRONTAL_VIEWS:
        return not_checked("field_of_view", f"Lung coverage is judged on PA and AP views; this is {view}.")
    if not lungs:
        return not_checked(
            "field_of_view",
            "No lung could be outlined. Check by eye that apices and bases are in the picture.",
        )
    in_mm = overview.pixel_mm is not None
    nearest = [
        (_scaled(contact.margin_px, contact.edge, overview, field), lung, contact)
        for lung in lungs
        for contact in lung.contacts
        if not _is_inner(lung, contact.edge)
    ]
    margin, lung, contact = min(
        nearest, key=lambda found: (found[0] - _limit(found[2].edge, in_mm=in_mm), -found[2].length_px)
    )
    limit = _limit(contact.edge, in_mm=in_mm)
    unit = "mm" if in_mm else "%"
    if margin >= limit:
        if len(lungs) < 2:
            return not_checked(
                "field_of_view",
                "Only one lung could be outlined. Check by eye that both are whole.",
            )
        return QualityCheck(
            criterion="field_of_view",
            verdict=Verdict.OK,
            value=round(margin, 1),
            unit=unit,
            limit=limit,
            advice=f"Both lungs are inside the field; the nearest edge is {margin:.0f} {unit} away.",
        )
    verdict, advice = _worded(first, lung, contact, overview, field, both=len(lungs) == 2)
    return QualityCheck(
        criterion="field_of_view",
        verdict=verdict,
        value=round(margin, 1),
        unit=unit,
        limit=limit,
        advice=advice,
        marks=(_mark(contact, overview, field),),
    )


def _limit(edge: Edge, *, in_mm: bool) -> float:
    if edge is Edge.BOTTOM:
        return LEAST_BASE_MARGIN_MM if in_mm else LEAST_BASE_MARGIN_PERCENT
    return LEAST_MARGIN_MM if in_mm else LEAST_MARGIN_PERCENT


def _is_inner(lung: Lung, edge: Edge) -> bool:
    """The far side of the field, across the spine."""
    return edge is (Edge.RIGHT if lung.on_left_of_picture else Edge.LEFT)


def _worded(
    first: Instance, lung: Lung, contact: Contact, overview: Overview, field: ExposedField, *, both: bool
) -> tuple[Verdict, str]:
    what, edge, remedy = _CUT[contact.edge]
    unit = "mm" if overview.pixel_mm is not None else "% of the field"
    whose = _side_words(first, on_left_of_picture=lung.on_left_of_picture)
    if contact.margin_px > 0:
        away = _scaled(contact.margin_px, contact.edge, overview, field)
        return Verdict.CHECK, (
            f"{whose} lung comes within {away:.0f} {unit} of the {edge} edge: "
            f"its {what} may be cut off. {remedy}"
        )
    along = _along(contact, overview, field)
    gross = GROSS_MM if overview.pixel_mm is not None else GROSS_PERCENT
    repeat = contact.edge is Edge.BOTTOM and along >= gross and both
    advice = f"{whose} {what} cut off: the lung runs out of the {edge} edge over {along:.0f} {unit}. {remedy}"
    return (Verdict.REPEAT if repeat else Verdict.CHECK), advice


def _side_words(first: Instance, *, on_left_of_picture: bool) -> str:
    """The patient's side where the header gives directions, else the side of the picture."""
    orientation = first.geometry.patient_orientation
    along_row = orientation[0][:1].upper() if orientation and orientation[0] else ""
    if along_row in {"L", "R"}:
        return "Right" if on_left_of_picture == (along_row == "L") else "Left"
    return "On the left of the picture:" if on_left_of_picture else "On the right of the picture:"


def _scaled(pixels: float, edge: Edge, overview: Overview, field: ExposedField) -> float:
    """Overview pixels across an edge in mm, else in % of the field's side."""
    vertical = edge in (Edge.TOP, Edge.BOTTOM)
    if overview.pixel_mm is not None:
        return pixels * overview.pixel_mm[0 if vertical else 1]
    return 100.0 * pixels / float(field.mask.any(axis=1 if vertical else 0).sum())


def _along(contact: Contact, overview: Overview, field: ExposedField) -> float:
    vertical = contact.edge in (Edge.TOP, Edge.BOTTOM)
    if overview.pixel_mm is not None:
        return contact.length_px * overview.pixel_mm[1 if vertical else 0]
    return 100.0 * contact.length_px / float(field.mask.any(axis=0 if vertical else 1).sum())


def _mark(contact: Contact, overview: Overview, field: ExposedField) -> Mark:
    rows, columns = np.flatnonzero(field.mask.any(axis=1)), np.flatnonzero(field.mask.any(axis=0))
    fixed = {
        Edge.TOP: float(rows[0]),
        Edge.BOTTOM: float(rows[-1]),
        Edge.LEFT: float(columns[0]),
        Edge.RIGHT: float(columns[-1]),
    }[contact.edge]
    first, last = contact.span_px
    if contact.edge in (Edge.TOP, Edge.BOTTOM):
        ends = (overview.to_source(fixed, first), overview.to_source(fixed, last))
    else:
        ends = (overview.to_source(first, fixed), overview.to_source(last, fixed))
    return line_mark("cut off" if contact.margin_px == 0 else "close to the edge", *ends)
