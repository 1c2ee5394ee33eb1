# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The question to a modality worklist, and its answers as ExpectedSteps. What is unclear stays unknown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime, time
from typing import Final

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from appliance.domain.expected import X_RAY, ExpectedStep
from appliance.intake.header_values import LONGEST_NAME, day, item, raw_value, text, uid, word
from appliance.intake.protocol_words import meaning_of
from appliance.worklist import ProtocolSettings, WorklistSettings

_STEP: Final = "ScheduledProcedureStepSequence"
_RETURNED: Final = (
    "AccessionNumber",
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyInstanceUID",
    "RequestedProcedureID",
    "RequestedProcedureDescription",
    "RequestedProcedurePriority",
)
_RETURNED_OF_STEP: Final = (
    "ScheduledProcedureStepID",
    "ScheduledProcedureStepDescription",
    "ScheduledProcedureStepStartTime",
    "ScheduledStationName",
    "ScheduledProcedureStepLocation",
)
"""PS3.4 table K.6-1: what is asked for, left empty."""
_TEXT_VRS: Final = frozenset({"PN", "LO", "SH", "LT", "ST", "UT"})
_MOST_ITEMS: Final = 8
"""Codes looked at in one sequence."""


def question(settings: WorklistSettings, *, first: date, last: date) -> Dataset:
    """The identifier of the C-FIND: steps of this window of days, of this station and modality if set."""
    asked, step = Dataset(), Dataset()
    asked.SpecificCharacterSet = "ISO_IR 192"
    for keyword in _RETURNED:
        setattr(asked, keyword, "")
    for keyword in _RETURNED_OF_STEP:
        setattr(step, keyword, "")
    step.ScheduledStationAETitle = settings.station_ae_title
    step.Modality = settings.modality
    span = f"{first:%Y%m%d}" if first == last else f"{first:%Y%m%d}-{last:%Y%m%d}"
    step.ScheduledProcedureStepStartDate = span
    step.ScheduledProtocolCodeSequence = Sequence([_any_code()])
    asked.RequestedProcedureCodeSequence = Sequence([_any_code()])
    asked.ScheduledProcedureStepSequence = Sequence([step])
    return asked


def _any_code() -> Dataset:
    code = Dataset()
    code.CodeValue = code.CodingSchemeDesignator = code.CodeMeaning = ""
    return code


def read_step(answer: Dataset, protocols: tuple[ProtocolSettings, ...]) -> ExpectedStep | None:
    """One answer; None where it does not say who or what is meant."""
    if "SpecificCharacterSet" not in answer:
        answer.walk(_as_asked)
    step = item(answer, _STEP)
    if step is None:
        step = Dataset()
    patient_id, accession = text(answer, "PatientID"), text(answer, "AccessionNumber")
    study = uid(answer, "StudyInstanceUID")
    if not any((patient_id, accession, study)):
        return None
    protocol, requested = (
        tuple(_codes(step, "ScheduledProtocolCodeSequence")),
        tuple(_codes(answer, "RequestedProcedureCodeSequence")),
    )
    descriptions = (
        text(step, "ScheduledProcedureStepDescription"),
        text(answer, "RequestedProcedureDescription"),
        *(meaning for _, meaning in (*protocol, *requested)),
        *_said_of_sides(step),
    )
    codes = [value for value, _ in (*protocol, *requested) if value]
    means = meaning_of(codes=codes, descriptions=[each for each in descriptions if each], protocols=protocols)
    modality = word(step, "Modality")
    is_x_ray = modality is None or modality in X_RAY  # a CT of the chest has no PA view
    return ExpectedStep(
        study_instance_uid=study,
        accession_number=accession,
        patient_id=patient_id,
        patient_name=text(answer, "PatientName", LONGEST_NAME),
        patient_birth_date=text(answer, "PatientBirthDate"),
        patient_sex=word(answer, "PatientSex"),
        requested_procedure_id=text(answer, "RequestedProcedureID"),
        requested_procedure_description=text(answer, "RequestedProcedureDescription"),
        scheduled_procedure_step_id=text(step, "ScheduledProcedureStepID"),
        scheduled_procedure_step_description=text(step, "ScheduledProcedureStepDescription"),
        protocol_code=codes[0] if codes else None,
        modality=modality,
        scheduled_station_ae_title=text(step, "ScheduledStationAETitle"),
        scheduled_station_name=text(step, "ScheduledStationName")
        or text(step, "ScheduledProcedureStepLocation"),
        scheduled_at=_scheduled_at(step),
        body_part=means.body_part,
        laterality=means.laterality,
        views=means.views if is_x_ray else (),
        view_count=means.view_count if is_x_ray else None,
        views_sure=means.sure,
    )


def _as_asked(holder: Dataset, element: DataElement) -> None:
    """A text of a server that does not say in what it writes: we asked in UTF-8, and some just copy that.

    (DCMTK's does, as shipped.) A text that is no UTF-8 stays as it was read.
    """
    if element.VR in _TEXT_VRS and element.value and element.VM == 1:
        with suppress(UnicodeError):
            element.value = str(element.value).encode("latin-1").decode("utf-8")
    del holder


def _codes(holder: Dataset, sequence: str) -> Iterator[tuple[str | None, str | None]]:
    for index in range(min(len(raw_value(holder, sequence) or ()), _MOST_ITEMS)):
        code = item(holder, sequence, index)
        if code is not None:
            yield text(code, "CodeValue"), text(code, "CodeMeaning")


def _said_of_sides(step: Dataset) -> Iterator[str | None]:
    """Values of the protocol's context: where an order names the side in a code (PS3.16 TID 15100)."""
    protocol = item(step, "ScheduledProtocolCodeSequence")
    if protocol is None:
        return
    for index in range(min(len(raw_value(protocol, "ProtocolContextSequence") or ()), _MOST_ITEMS)):
        context = item(protocol, "ProtocolContextSequence", index)
        if context is not None:
            yield text(context, "TextValue")
            yield from (meaning for _, meaning in _codes(context, "ConceptCodeSequence"))


def _scheduled_at(step: Dataset) -> datetime | None:
    on = day(step, "ScheduledProcedureStepStartDate")
    if on is None:
        return None
    digits = "".join(
        sign for sign in (text(step, "ScheduledProcedureStepStartTime") or "") if sign.isdecimal()
    )
    try:
        at = time(int(digits[:2]), int(digits[2:4] or 0)) if len(digits) >= len("HH") else time(12)
    except ValueError:
        at = time(12)
    return datetime.combine(on, at)
