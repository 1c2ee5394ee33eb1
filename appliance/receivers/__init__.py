# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Who receives what leaves the device: the `[sender]` part of the settings, one list for each way out.

A receiver takes files by the end of their names: `takes` says which. The way out named `kind` is the file
`appliance/outputs/<kind>_send.py`, imported when a receiver of that kind is in the settings.
"""

from __future__ import annotations

from pydantic import Field, model_validator
from typing_extensions import Self

from appliance.receivers.archives import PeerSettings, StowSettings
from appliance.receivers.files import CourierSettings, FolderSettings
from appliance.receivers.messages import (
    EmailSettings,
    FhirSettings,
    HttpSettings,
    MllpSettings,
    NoticeSettings,
    PrinterSettings,
    WebhookSettings,
)
from appliance.receivers.receiver import DICOM, FHIR, HL7, NAMED_NOTICE, NOTICE, SLIP, ReceiverSettings
from appliance.section import Section

__all__ = [
    "DICOM",
    "FHIR",
    "HL7",
    "NAMED_NOTICE",
    "NOTICE",
    "SLIP",
    "CourierSettings",
    "EmailSettings",
    "FhirSettings",
    "FolderSettings",
    "HttpSettings",
    "MllpSettings",
    "NoticeSettings",
    "PeerSettings",
    "PrinterSettings",
    "ReceiverSettings",
    "SenderSettings",
    "StowSettings",
    "WebhookSettings",
]


class SenderSettings(Section):
    """Where results go. They always also lie under `results` in the data folder."""

    peers: tuple[PeerSettings, ...] = ()
    stow: tuple[StowSettings, ...] = ()
    folders: tuple[FolderSettings, ...] = ()
    rejection_notes: bool = True
    """Tell receivers of DICOM when a person at the scanner rejects an image: many archives then hide it."""
    fhir: tuple[FhirSettings, ...] = ()
    mllp: tuple[MllpSettings, ...] = ()
    webhooks: tuple[WebhookSettings, ...] = ()
    emails: tuple[EmailSettings, ...] = ()
    printers: tuple[PrinterSettings, ...] = ()
    retry_first_s: float = Field(default=2.0, gt=0)
    retry_longest_s: float = Field(default=300.0, gt=0)

    @property
    def receivers(self) -> tuple[ReceiverSettings, ...]:
        """Everybody, of every kind."""
        return (
            *self.peers,
            *self.stow,
            *self.folders,
            *self.fhir,
            *self.mllp,
            *self.webhooks,
            *self.emails,
            *self.printers,
        )

    @model_validator(mode="after")
    def _every_name_once(self) -> Self:
        names = [receiver.name for receiver in self.receivers]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two receivers are called {twice[0]!r}: give each a name of its own")
        return self
