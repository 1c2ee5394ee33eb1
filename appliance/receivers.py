# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Who receives what leaves the device: the `[sender]` part of the settings, one list for each way out.

A receiver takes files by the end of their names: `takes` says which. The way out named `kind` is the file
`appliance/outputs/<kind>_send.py`, imported when a receiver of that kind is in the settings.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Final

from pydantic import Field, model_validator
from typing_extensions import Self

from appliance.section import AeTitle, Section

DICOM: Final = ".dcm"
"""How the names of DICOM objects end, originals' too."""


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


class FolderSettings(ReceiverSettings):
    """A folder, of this machine or of a share."""

    kind: ClassVar[str] = "folder"
    takes: ClassVar[frozenset[str]] = frozenset({DICOM})

    folder: Path
    mount_point: Path | None = None
    """Where the share is mounted: while nothing is, nothing is written to the disk below it."""
    originals: bool = True

    @property
    def wants_originals(self) -> bool:
        """As the setting says."""
        return self.originals


class SenderSettings(Section):
    """Where results go. They always also lie under `results` in the data folder."""

    peers: tuple[PeerSettings, ...] = ()
    stow: tuple[StowSettings, ...] = ()
    folders: tuple[FolderSettings, ...] = ()
    retry_first_s: float = Field(default=2.0, gt=0)
    retry_longest_s: float = Field(default=300.0, gt=0)

    @property
    def receivers(self) -> tuple[ReceiverSettings, ...]:
        """Everybody, of every kind."""
        return (*self.peers, *self.stow, *self.folders)

    @model_validator(mode="after")
    def _every_name_once(self) -> Self:
        names = [receiver.name for receiver in self.receivers]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two receivers are called {twice[0]!r}: give each a name of its own")
        return self
