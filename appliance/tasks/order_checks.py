# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Is this what was ordered? The header of an image against the order that it belongs to. Pure.

No sentence here holds a name, an ID, a date or any other text of the order: the person at the console has
both in front of them. A disagreement is CHECK, never REPEAT: the order may be what is wrong.
"""

from __future__ import annotations

from typing import Final

from appliance.domain.acquisition import Acquisition, Instance, Kind
from appliance.domain.expected import (
    EarlierView,
    Expectation,
    ExpectedStep,
    ListState,
    folded,
    same_person_name,
)
from appliance.domain.quality import QualityCheck, Verdict
from appliance.domain.views import direction_of, same_part
from appliance.tasks.radiograph_measures.verdicts import not_checked, said

_SIDES: Final = {"R": "right", "L": "left", "B": "both sides"}


def order_checks(acquisition: Acquisition, expected: Expectation) -> tuple[QualityCheck, ...]:
    """Patient, part, side and view. Where there is no list to compare with, that is said once."""
    first = acquisition.first
    why = _why_not(expected)
    if why is not None:
        return (not_checked("expected_patient", why),)
    if expected.step is None:
        return (_nobody_expected(expected, first),)
    patient = _patient(first, expected.step)
    if acquisition.kind is not Kind.PROJECTION:
        return (patient, _part(first, expected.step))
    checks = (_part(first, expected.step), _side(first, expected.step), _view(first, expected))
    return (patient, *(check for check in checks if check is not None))


def _why_not(expected: Expectation) -> str | None:
    reason: str | None = None
    if expected.state is ListState.NONE:
        reason = "No worklist is set up here: compare patient, part and side with the request yourself."
    elif expected.state is ListState.UNHEARD:
        reason = "The worklist has not answered since the start: compare with the request yourself."
    elif expected.step is not None:
        reason = None  # an old list still knows its own orders
    elif expected.state is ListState.OLD:
        reason = "The last worklist is too old to know this patient: compare with the request yourself."
    elif not expected.covers:
        reason = "The worklist was not asked about this day or kind of examination."
    elif not expected.whole and not expected.patient_is_listed:
        reason = "The worklist is longer than what is read of it, so this patient may be on it."
    return reason


def _nobody_expected(expected: Expectation, first: Instance) -> QualityCheck:
    if not folded(first.patient.patient_id):
        return not_checked("expected_patient", "Without a patient ID it cannot be looked up on the worklist.")
    if expected.patient_is_listed:
        return said(
            "expected_patient",
            Verdict.CHECK,
            "This patient is expected for another examination or at another time. Look at the request.",
        )
    return said(
        "expected_patient",
        Verdict.CHECK,
        "Nobody with this patient ID is expected. Unless this was not planned, check who was chosen at the"
        " console.",
    )


def _patient(first: Instance, step: ExpectedStep) -> QualityCheck:
    """The order was found by its number, or by the patient's ID: do the others agree?"""
    patient = first.patient
    differs = []
    if step.patient_id and patient.patient_id and folded(step.patient_id) != folded(patient.patient_id):
        differs.append("patient ID")
    if same_person_name(step.patient_name, patient.patient_name) is False:
        differs.append("name")
    birth_dates = {folded(step.patient_birth_date), folded(patient.patient_birth_date)}
    if "" not in birth_dates and len(birth_dates) > 1:
        differs.append("birth date")
    sexes = {step.patient_sex, patient.patient_sex}
    if sexes == {"F", "M"}:
        differs.append("sex")
    if differs:
        return said(
            "expected_patient",
            Verdict.CHECK,
            f"Not as on the order: {', '.join(differs)}. Ask the patient who they are before they leave.",
        )
    return said(
        "expected_patient",
        Verdict.OK,
        "The patient is the one on the order; compare with the person before you.",
    )


def _part(first: Instance, step: ExpectedStep) -> QualityCheck:
    if step.body_part is None:
        return not_checked(
            "expected_part", "The order's name is in no table here, so its part, side and views are unknown."
        )
    agrees = same_part(step.body_part, first.body_part)
    ordered = step.body_part.lower()
    if agrees is None:
        return not_checked("expected_part", f"Ordered: {ordered}. The header does not say that clearly.")
    if agrees:
        return said("expected_part", Verdict.OK, f"Ordered: {ordered}, as the header says.")
    return said(
        "expected_part",
        Verdict.CHECK,
        f"Ordered: {ordered}; the header says: {(first.body_part or '').lower()}. Check the request.",
    )


def _side(first: Instance, step: ExpectedStep) -> QualityCheck | None:
    """None: the order names no side."""
    if step.laterality is None:
        return None
    ordered = _SIDES[step.laterality]
    given = _SIDES.get(first.laterality or "")
    if given is None:
        return not_checked(
            "expected_side", f"Ordered: {ordered}. The header gives no side; look at the marker."
        )
    if step.laterality in ("B", first.laterality):
        return said("expected_side", Verdict.OK, f"Ordered: {ordered}; look that the marker agrees.")
    return said(
        "expected_side",
        Verdict.CHECK,
        f"WRONG SIDE? Ordered: {ordered}; the header says: {given}. Check request, marker and patient.",
    )


def _view(first: Instance, expected: Expectation) -> QualityCheck | None:
    """None: nothing is known of the views."""
    step = expected.step
    view = direction_of(first.view_position)
    if step is None or step.body_part is None or not view:
        return None
    twins = [each for each in expected.earlier if _is_twin(each, first)]
    wanted = [each for each in step.views if direction_of(each) == view]
    if twins and len(twins) >= max(1, len(wanted)):
        return said(
            "expected_view",
            Verdict.CHECK,
            "This view of this order is here already. If it was repeated, mark the first one for repeat.",
        )
    if not step.views or not step.views_sure:
        return None
    if wanted:
        return said("expected_view", Verdict.OK, "This view belongs to the order.")
    return said(
        "expected_view",
        Verdict.CHECK,
        f"Ordered: {', '.join(step.views)}. This view is not among them; keep it if it was meant.",
    )


def _is_twin(earlier: EarlierView, first: Instance) -> bool:
    return (
        direction_of(earlier.view_position) == direction_of(first.view_position)
        and same_part(earlier.body_part, first.body_part) is not False
        and earlier.laterality == first.laterality
    )
