# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Audit messages keep to the schema of PS3.15 A.5.1: elements, their order, attributes, and whose codes."""

from __future__ import annotations

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
