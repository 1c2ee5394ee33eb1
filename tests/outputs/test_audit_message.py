# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Audit messages keep to the schema of PS3.15 A.5.1: elements, their order, attributes, and whose codes."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from pydicom.sr._concepts_dict import concepts

from appliance.domain.audit import AuditEvent, AuditKind, AuditOutcome, AuditRow
from appliance.outputs.audit_message import OWN_CODES, as_text, message_of

ORDER = {
    "AuditMessage": (
        "EventIdentification",
        "ActiveParticipant",
        "AuditSourceIdentification",
        "ParticipantObjectIdentification",
    ),
    "EventIdentification": ("EventID", "EventTypeCode"),
    "ActiveParticipant": ("RoleIDCode",),
    "AuditSourceIdentification": ("AuditSourceTypeCode",),
    "ParticipantObjectIdentification": (
        "ParticipantObjectIDTypeCode",
        "ParticipantObjectName",
        "ParticipantObjectDetail",
    ),
}
CODED = {"EventID", "EventTypeCode", "ParticipantObjectIDTypeCode", "AuditSourceTypeCode"}
REQUIRED = {
    "EventIdentification": {"EventActionCode", "EventDateTime", "EventOutcomeIndicator"},
    "ActiveParticipant": {"UserID", "UserIsRequestor"},
    "AuditSourceIdentification": {"AuditSourceID"},
    "ParticipantObjectIdentification": {"ParticipantObjectID"},
    "ParticipantObjectDetail": {"type", "value"},
}


DICOMS_OWN: Any = concepts["DCM"]
MEANINGS = {value: text for entry in DICOMS_OWN.values() for value, (text, _) in entry.items()}


def row(kind: AuditKind, *, who: str = "watcher") -> AuditRow:
    event = AuditEvent(
        kind=kind,
        who=who,
        exam="abc",
        study="f00",
        about=(("file", "spool/<a&b>"),),
        outcome=AuditOutcome.MINOR_FAILURE,
    )
    return AuditRow(number=7, at_utc="2026-01-02T03:04:05.678901+00:00", event=event)


@pytest.mark.parametrize("kind", AuditKind)
def test_every_kind_is_a_valid_message(kind: AuditKind) -> None:
    message = ET.fromstring(as_text(message_of(row(kind), source="SITE <1>")))
    assert message.tag == "AuditMessage"
    for element in message.iter():
        children = [child.tag for child in element]
        allowed = ORDER.get(element.tag, ())
        assert sorted(children, key=allowed.index) == children, element.tag
        assert set(element.keys()) >= REQUIRED.get(element.tag, set())
        if element.tag in CODED:
            assert set(element.keys()) >= {"csd-code", "codeSystemName", "originalText"}
    event_id = message.find("EventIdentification/EventID")
    assert event_id is not None
    codes = [event_id, *message.findall("EventIdentification/EventTypeCode")]
    for code in codes:
        if code.get("codeSystemName") != OWN_CODES:
            assert MEANINGS[code.get("csd-code") or ""] == code.get("originalText")
    if event_id.get("csd-code") in {"110100", "110113", "110114"}:  # these must say which
        assert codes[1].get("codeSystemName") == "DCM"
    assert datetime.fromisoformat(message[0].get("EventDateTime") or "").tzinfo is not None
    assert message[0].get("EventOutcomeIndicator") == "4"
    assert message[0].get("EventActionCode") in set("CRUDE")


def test_details_are_base64_and_whole() -> None:
    message = message_of(row(AuditKind.TRANSFERRED), source="S")
    details = {d.get("type"): d.get("value") or "" for d in message.iter("ParticipantObjectDetail")}
    assert base64.b64decode(details["file"] or "") == b"spool/<a&b>"
    assert base64.b64decode(details["row"] or "") == b"7"


@pytest.mark.parametrize(
    ("who", "participants"), [("watcher", 1), ("user anna", 2), ("person at the screen", 2)]
)
def test_who_asked_is_the_requestor(who: str, participants: int) -> None:
    message = message_of(row(AuditKind.DECIDED, who=who), source="S")
    found = message.findall("ActiveParticipant")
    assert [one.get("UserIsRequestor") for one in found] == ["true", "false"][:participants]
    assert found[0].get("UserID") == who
