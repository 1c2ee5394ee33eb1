# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Why an image was taken again: the classes in which repeats are counted, and their DICOM codes.

AAPM report 305 (2023) asks for one vendor-neutral set of reasons; the codes are those of DICOM PS3.16,
CID 7011 "Rejected for Quality Reasons". What a ledger of before says is never rewritten: `reason_of` puts
it into its class when it is counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum
from typing import Final

from appliance.domain.finding import Code
from appliance.domain.quality import QualityCheck, Verdict


class RejectReason(str, Enum):
    """A class of reasons; the value is what the screen writes into the ledger."""

    POSITIONING = "Positioning"
    CUT_OFF = "Anatomy cut off"
    MOTION = "Patient moved"
    EXPOSURE = "Exposure"
    ARTEFACT = "Artefact or object"
    EQUIPMENT = "Equipment failure"
    WRONG_EXAM = "Wrong patient, part or view"
    OTHER = "Other reason"
    NOT_GIVEN = "no reason given"


CODES: Final = {
    RejectReason.POSITIONING: Code(value="111209", scheme="DCM", meaning="Positioning"),
    RejectReason.CUT_OFF: Code(value="111209", scheme="DCM", meaning="Positioning"),
    RejectReason.MOTION: Code(value="111210", scheme="DCM", meaning="Motion blur"),
    RejectReason.ARTEFACT: Code(value="111207", scheme="DCM", meaning="Image artifact(s)"),
    RejectReason.EQUIPMENT: Code(value="111220", scheme="DCM", meaning="Other failure"),
}
"""CID 7011. It tells under from over exposed (111211, 111212), which a tap on "Exposure" does not say, and
has no code for a wrong examination: those stay without one."""

_OF_CRITERION: Final = {
    "rotation": RejectReason.POSITIONING,
    "inspiration": RejectReason.POSITIONING,
    "orientation": RejectReason.POSITIONING,
    "field_of_view": RejectReason.CUT_OFF,
    "collimation": RejectReason.CUT_OFF,
    "motion": RejectReason.MOTION,
    "sharpness": RejectReason.MOTION,
    "exposure": RejectReason.EXPOSURE,
    "noise": RejectReason.EXPOSURE,
    "saturation": RejectReason.EXPOSURE,
    "blank_exposure": RejectReason.EQUIPMENT,
    "detector_lines": RejectReason.ARTEFACT,
    "body_part_agrees": RejectReason.WRONG_EXAM,
    "view_tags": RejectReason.WRONG_EXAM,
    "identity": RejectReason.WRONG_EXAM,
}
"""Whose class a repeat is that a check advised. A blank image has no exposure to be wrong: the tube or the
detector failed."""
_FIRST_CLAUSE: Final = re.compile(r"[^.,;:(]*")
"""A check's advice begins with what is wrong; sizes and directions come after: "Left base cut off, 9 mm"."""


def reason_of(written: str | None, checks: Iterable[QualityCheck]) -> RejectReason:
    """The class of what stands in the ledger: a reason of the screen, or the sentence of one of `checks`."""
    if not written:
        return RejectReason.NOT_GIVEN
    if written in {reason.value for reason in RejectReason}:
        return RejectReason(written)
    said = _first_clause(written)
    for check in checks:
        if check.verdict in {Verdict.REPEAT, Verdict.CHECK} and said == _first_clause(check.advice):
            return _OF_CRITERION.get(check.criterion, RejectReason.OTHER)
    return RejectReason.OTHER


def _first_clause(sentence: str) -> str:
    clause = _FIRST_CLAUSE.match(sentence)
    return clause.group().strip().lower() if clause else ""
