# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What is expected: steps of a worklist, steps as a modality reports them, and which one an image belongs to.

Fields that mirror a DICOM attribute carry its keyword (PS3.4 annexes F and K).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from appliance.domain.acquisition import Instance
from appliance.domain.views import missing_views, same_part

X_RAY: Final = frozenset({"CR", "DX", "RG", "DR", "XR"})
"""A worklist often says CR where the detector says DX; DR and XR are no terms of the standard, and common."""
NEAR_H: Final = 18.0
"""A step of the same patient is taken to be meant when the image is no further from its time: a night's
emergency is booked on one day and taken on the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedStep:
    """One scheduled procedure step, as the worklist answered, and what its protocol says of views."""

    study_instance_uid: str | None
    accession_number: str | None
    patient_id: str | None
    patient_name: str | None
    patient_birth_date: str | None
    patient_sex: str | None
    requested_procedure_id: str | None
    requested_procedure_description: str | None
    scheduled_procedure_step_id: str | None
    scheduled_procedure_step_description: str | None
    protocol_code: str | None
    """CodeValue of the ScheduledProtocolCodeSequence, else of the RequestedProcedureCodeSequence."""
    modality: str | None
    scheduled_station_ae_title: str | None
    scheduled_station_name: str | None
    scheduled_at: datetime | None
    """As the worklist writes it: the clinic's own clock, without a time zone."""
    body_part: str | None
    laterality: str | None
    """R, L or B; None: the order does not say."""
    views: tuple[str, ...]
    """Which views belong to it; empty: not known which."""
    view_count: int | None
    """How many; None: not known."""
    views_sure: bool
    """False: the table calls this row a guess. It holds the study open, and alarms nobody."""

    @property
    def procedure(self) -> str:
        """What the order calls it, for people; "" when it has no name. Foreign text."""
        return self.scheduled_procedure_step_description or self.requested_procedure_description or ""


class ListState(str, Enum):
    """Whether the list may be believed."""

    NONE = "none"
    """No worklist is set up."""
    UNHEARD = "unheard"
    """It has not answered since this device was started."""
    OLD = "old"
    """Its last good answer is older than the setting allows."""
    CURRENT = "current"


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierView:
    """Another image of the same study."""

    view_position: str | None
    body_part: str | None
    laterality: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What was expected of one image: handed to the checks as a value."""

    state: ListState = ListState.NONE
    age_min: float | None = None
    """Of the last good answer."""
    covers: bool = True
    """False: the list cannot know this image (another day, or a modality that was not asked for)."""
    whole: bool = True
    """False: there were more answers than are taken, so not being listed means nothing."""
    step: ExpectedStep | None = None
    """The order that the image belongs to; None: to none."""
    patient_is_listed: bool = False
    """Its patient ID is expected, if for something else."""
    earlier: tuple[EarlierView, ...] = ()
    """Images of the same study that came before it and that nobody decided to repeat."""


class StepStatus(str, Enum):
    """PerformedProcedureStepStatus (PS3.3 C.4.14)."""

    IN_PROGRESS = "IN PROGRESS"
    COMPLETED = "COMPLETED"
    DISCONTINUED = "DISCONTINUED"


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformedImage:
    """An image that a performed step produced."""

    series_instance_uid: str
    sop_instance_uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformedStep:
    """What a modality reports about a step (MPPS)."""

    sop_instance_uid: str
    """Names the report itself, not an image."""
    status: StepStatus
    study_instance_uids: tuple[str, ...]
    """Of the ScheduledStepAttributesSequence: what it was done for."""
    accession_numbers: tuple[str, ...]
    images: tuple[PerformedImage, ...]

    @property
    def ended(self) -> bool:
        """Nothing more will come of it."""
        return self.status is not StepStatus.IN_PROGRESS


def same_modality(one: str | None, other: str | None) -> bool:
    """Whether both name the same kind of machine; an unknown one fits everything."""
    return not one or not other or one == other or {one, other} <= X_RAY


def step_of(first: Instance, listed: tuple[ExpectedStep, ...]) -> ExpectedStep | None:
    """The step that an image belongs to; None: none of them.

    By StudyInstanceUID, else by AccessionNumber: consoles copy both from the worklist. Else by patient
    ID, modality and time. Of several, the one that the image looks most like; then the nearest in time.
    """
    by_study = [each for each in listed if each.study_instance_uid == first.study_instance_uid]
    by_accession = [
        each for each in listed if first.accession_number and each.accession_number == first.accession_number
    ]
    by_patient = [
        each
        for each in listed
        if first.patient.patient_id
        and folded(each.patient_id) == folded(first.patient.patient_id)
        and same_modality(each.modality, first.modality)
        and _hours_apart(each, first) <= NEAR_H
    ]
    found = by_study or by_accession or by_patient
    return min(found, key=lambda each: (_unlikeness(each, first), _hours_apart(each, first)), default=None)


def _unlikeness(step: ExpectedStep, first: Instance) -> int:
    """How much speaks against it: the part more than the side, the side more than the view."""
    part = same_part(step.body_part, first.body_part) is False
    sides = {step.laterality, first.laterality}
    side = None not in sides and "B" not in sides and len(sides) > 1
    # the image's own direction is not among those of the step
    view = bool(step.views) and len(missing_views(step.views, (first.view_position,))) == len(step.views)
    return 4 * part + 2 * side + view


def _hours_apart(step: ExpectedStep, first: Instance) -> float:
    """Between the step's time and the image's. 0 where one is unknown: that speaks against nothing."""
    taken = taken_at(first)
    if step.scheduled_at is None or taken is None:
        return 0.0
    return abs(step.scheduled_at - taken) / timedelta(hours=1)


def taken_at(first: Instance) -> datetime | None:
    """When the image was taken, by the console's own clock; noon where only the day is given."""
    digits = "".join(sign for sign in (first.acquired_at or "").split(".")[0] if sign.isdecimal())
    try:
        if len(digits) >= len("YYYYMMDDHHMM"):
            return datetime.strptime(digits[:12], "%Y%m%d%H%M")  # noqa: DTZ007  (DICOM gives no zone)
        return datetime.strptime(digits[:8] + "12", "%Y%m%d%H")  # noqa: DTZ007
    except ValueError:
        return None


def folded(text: str | None) -> str:
    """Letters and digits as they compare: without case, accents, spaces and signs."""
    plain = unicodedata.normalize("NFKD", text or "").casefold()
    return "".join(sign for sign in plain if sign.isalnum())


def same_person_name(one: str | None, other: str | None) -> bool | None:
    """Whether two names (VR PN) may be the same person's; None where one is not given.

    Family name and first given name must agree; middle names, titles, accents and signs do not count, nor
    does whether the two stand in their own components: many consoles write all into the first.
    """
    a, b = _name_parts(one), _name_parts(other)
    if not a or not b:
        return None
    shorter, longer = sorted((a, b), key=len)
    return set(shorter) <= set(longer)


def _name_parts(name: str | None) -> tuple[str, ...]:
    """The words of the family and given names, of the alphabetic group."""
    family, _, given = (name or "").partition("=")[0].partition("^")
    words = f"{family} {given.partition('^')[0]}".replace(",", " ").replace("-", " ").split()
    return tuple(word for word in (folded(each) for each in words) if word)
