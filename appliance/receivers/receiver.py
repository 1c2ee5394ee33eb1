# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What every receiver has, and how the names of what it is handed end."""

from __future__ import annotations

from typing import ClassVar, Final

from pydantic import Field

from appliance.section import Section

DICOM: Final = ".dcm"
"""How the names of DICOM objects end, originals' too."""
FHIR: Final = ".fhir.json"
HL7: Final = ".hl7"
NOTICE: Final = ".notice.json"
"""Something to tell somebody; says nothing of the patient."""
NAMED_NOTICE: Final = ".notice-named.json"
"""The same with the patient's name and number."""
SLIP: Final = ".slip"
"""Bytes for a receipt printer."""


class ReceiverSettings(Section):
    """What every receiver has."""

    kind: ClassVar[str]
    takes: ClassVar[frozenset[str]]
    """Ends of the names of the files that it is handed."""

    name: str = Field(min_length=1, max_length=64)
    """Ours for it: on the screen, in the log and in the outbox. No two receivers share one."""
    results: bool = True
    """Send what this device found."""

    @property
    def wants_originals(self) -> bool:
        """Are the images themselves passed on to it, untouched and before any result?"""
        return False

    @property
    def wanted(self) -> frozenset[str]:
        """Of what it `takes`, what it is given by its settings."""
        return self.takes
