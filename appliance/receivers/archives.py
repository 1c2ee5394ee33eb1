# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Receivers of images: archives, workstations and routers, over DICOM and over the web."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from appliance.receivers.receiver import DICOM, ReceiverSettings
from appliance.section import AeTitle


class PeerSettings(ReceiverSettings):
    """A PACS, workstation or router that speaks DICOM."""

    kind: ClassVar[str] = "dicom"
    takes: ClassVar[frozenset[str]] = frozenset({DICOM})

    host: str
    port: int = Field(ge=1, le=65535)
    ae_title: AeTitle
    originals: bool = True
    commitment: bool = False
    """Ask for storage commitment: a file counts as sent only when the peer said that it keeps it."""
    commitment_wait_min: float = Field(default=60.0, gt=0)
    """Files whose commitment has not come after this are sent again."""
    answer_timeout_s: float = Field(default=60.0, gt=0)
    """A peer that is silent for this long in the middle of its work is given up for now."""
    tls: bool = False
    ca_file: str = ""
    certificate_file: str = ""
    key_file: str = ""
    server_name: str = ""
    """Name in the peer's certificate, where that is not `host`."""

    @property
    def wants_originals(self) -> bool:
        """As the setting says."""
        return self.originals


class StowSettings(ReceiverSettings):
    """A PACS or cloud archive that speaks DICOMweb (STOW-RS)."""

    kind: ClassVar[str] = "stow"
    takes: ClassVar[frozenset[str]] = frozenset({DICOM})

    url: str = Field(pattern=r"^https?://[^\s]+$")
    originals: bool = True
    user: str = ""
    password_file: str = ""
    token_file: str = ""
    ca_file: str = ""
    certificate_file: str = ""
    key_file: str = ""
    answer_timeout_s: float = Field(default=60.0, gt=0)

    @property
    def wants_originals(self) -> bool:
        """As the setting says."""
        return self.originals
