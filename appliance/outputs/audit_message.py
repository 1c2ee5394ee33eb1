# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Rows of the audit trail as DICOM audit messages (PS3.15 A.5, the form that IHE ATNA names).

The codes are those of DICOM's controlled terminology, by pydicom's tables; the elements and their order are
those of the schema in PS3.15 A.5.1. Nothing in a row names a patient, so no message does.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree as ET

from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from appliance.domain.audit import AuditKind, AuditRow

PERSONS: Final = frozenset({"person at the screen", "service at the screen", "lead at the screen"})
OWN_CODES: Final = "99SCANSIDE"
"""Coding scheme of what DICOM has no code for; private schemes begin with 99 (PS3.16, 8.2)."""
EXAM: Final = "exam"
DCM: Final = codes.DCM


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """How a kind of row is said."""

    event: Code
    action: str
    """C create, R read, U update, D delete, E execute."""
    event_type: Code | None = None


FORMS: Final = {
    AuditKind.STARTED: _Form(event=DCM.ApplicationActivity, event_type=DCM.ApplicationStart, action="E"),
    AuditKind.STOPPED: _Form(event=DCM.ApplicationActivity, event_type=DCM.ApplicationStop, action="E"),
    AuditKind.SETTINGS: _Form(event=DCM.SecurityAlert, event_type=DCM.NetworkConfiguration, action="E"),
    AuditKind.SOFTWARE: _Form(event=DCM.SecurityAlert, event_type=DCM.SoftwareConfiguration, action="E"),
    AuditKind.LANDED: _Form(event=DCM.Import, action="C"),
    AuditKind.ANSWERED: _Form(event=DCM.DICOMInstancesAccessed, action="C"),
    AuditKind.TRANSFERRED: _Form(event=DCM.DICOMInstancesTransferred, action="R"),
    AuditKind.EXPORTED: _Form(event=DCM.Export, action="R"),
    AuditKind.TAKEN_IN: _Form(event=DCM.Import, action="C"),
    AuditKind.DECIDED: _Form(event=DCM.ProcedureRecord, action="U"),
    AuditKind.SEEN: _Form(event=DCM.DICOMInstancesAccessed, action="R"),
    AuditKind.PIN_ACCEPTED: _Form(event=DCM.UserAuthentication, event_type=DCM.Login, action="E"),
    AuditKind.PIN_REFUSED: _Form(event=DCM.UserAuthentication, event_type=DCM.Login, action="E"),
    AuditKind.PIN_LOCKED: _Form(event=DCM.UserAuthentication, event_type=DCM.Login, action="E"),
    AuditKind.PIN_SET: _Form(
        event=DCM.SecurityAlert, event_type=DCM.UserSecurityAttributesChanged, action="E"
    ),
    AuditKind.MODEL: _Form(event=DCM.SecurityAlert, event_type=DCM.SoftwareConfiguration, action="E"),
    AuditKind.TRUST: _Form(event=DCM.SecurityAlert, event_type=DCM.SecurityConfiguration, action="E"),
    AuditKind.CLOCK: _Form(event=DCM.SecurityAlert, event_type=DCM.HardwareConfiguration, action="E"),
    AuditKind.REMOVED: _Form(event=DCM.DICOMInstancesAccessed, action="D"),
    AuditKind.DAMAGED: _Form(
        event=DCM.SecurityAlert, event_type=DCM.ObjectSecurityAttributesChanged, action="E"
    ),
    AuditKind.RESTORED: _Form(event=DCM.Import, action="C"),
    AuditKind.UPDATE: _Form(event=DCM.SecurityAlert, event_type=DCM.SoftwareConfiguration, action="E"),
    AuditKind.STORE_REBUILT: _Form(event=DCM.SecurityAlert, event_type=DCM.SoftwareConfiguration, action="E"),
    AuditKind.STORE_RESTORED: _Form(
        event=DCM.SecurityAlert, event_type=DCM.SoftwareConfiguration, action="E"
    ),
    AuditKind.TRAIL_READ: _Form(event=DCM.AuditLogUsed, action="R"),
}


def message_of(row: AuditRow, *, source: str) -> ET.Element:
    """The row as an AuditMessage; `source` is the name of this device."""
    event, form = row.event, FORMS[row.event.kind]
    message = ET.Element("AuditMessage")
    identification = ET.SubElement(
        message,
        "EventIdentification",
        EventActionCode=form.action,
        EventDateTime=row.at_utc,
        EventOutcomeIndicator=str(event.outcome.value),
    )
    _coded(identification, "EventID", form.event)
    if form.event_type is not None:
        _coded(identification, "EventTypeCode", form.event_type)
    _own(identification, "EventTypeCode", event.kind.value)
    person = event.who in PERSONS or event.who.startswith("user ")
    ET.SubElement(message, "ActiveParticipant", UserID=event.who, UserIsRequestor="true")
    if person:  # the device that they used
        ET.SubElement(message, "ActiveParticipant", UserID=source, UserIsRequestor="false")
    origin = ET.SubElement(message, "AuditSourceIdentification", AuditSourceID=source)
    ET.SubElement(  # 2: data acquisition device or instrument
        origin, "AuditSourceTypeCode", {"csd-code": "2", "codeSystemName": "DCM", "originalText": "Device"}
    )
    _objects(message, row)
    return message


def _objects(message: ET.Element, row: AuditRow) -> None:
    """The exam, and what else the row was about: as details of a system object."""
    event = row.event
    thing = ET.SubElement(
        message,
        "ParticipantObjectIdentification",
        ParticipantObjectID=event.exam or f"row {row.number}",
        ParticipantObjectTypeCode="2",  # a system object
        ParticipantObjectTypeCodeRole="3" if event.exam else "13",  # a report, or a security resource
    )
    _own(thing, "ParticipantObjectIDTypeCode", EXAM if event.exam else "row of the audit trail")
    ET.SubElement(thing, "ParticipantObjectName").text = event.kind.value
    details = (("row", str(row.number)), *((("study", event.study),) if event.study else ()), *event.about)
    for name, value in details:
        ET.SubElement(
            thing,
            "ParticipantObjectDetail",
            type=name,
            value=base64_of(value),
        )


def _coded(parent: ET.Element, name: str, code: Code) -> None:
    ET.SubElement(
        parent,
        name,
        {"csd-code": code.value, "codeSystemName": code.scheme_designator, "originalText": code.meaning},
    )


def _own(parent: ET.Element, name: str, word: str) -> None:
    ET.SubElement(parent, name, {"csd-code": word, "codeSystemName": OWN_CODES, "originalText": word})


def base64_of(value: str) -> str:
    """The schema has values of details in base64 (xsd:base64Binary)."""
    return base64.b64encode(value.encode()).decode("ascii")


def as_text(message: ET.Element) -> str:
    """One line of XML."""
    return ET.tostring(message, encoding="unicode")
