# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Who receives what leaves the device: the `[sender]` part of the settings, one list for each way out.

A receiver takes files by the end of their names: `takes` says which. The way out named `kind` is the file
`appliance/outputs/<kind>_send.py`, imported when a receiver of that kind is in the settings.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Final

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

    @property
    def wants_originals(self) -> bool:
        """As the setting says."""
        return self.originals


Recipient = Annotated[str, Field(pattern=r"^(age1[0-9a-z]{50,90}|ssh-(ed25519|rsa) [A-Za-z0-9+/=]+( .*)?)$")]
"""Whom age encrypts for: an X25519 recipient, or an ssh public key."""


class CourierSettings(ReceiverSettings):
    """A driver with a USB stick. Nobody is handed anything before `recipients` names who may read it."""

    kind: ClassVar[str] = "courier"
    takes: ClassVar[frozenset[str]] = frozenset({DICOM})

    name: str = Field(default="courier", min_length=1, max_length=64)
    recipients: tuple[Recipient, ...] = ()
    partner_keys: Path = Path("/etc/scanside/courier-keys")
    """Folder of the public keys of the other ends: whose receipts count, whose bundles are opened."""
    instead_of: tuple[str, ...] = ()
    """Names of receivers that get the same things over the network. What one of them has, nobody carries;
    what a receipt names, is not sent to them any more."""
    folder: str = ""
    """Where the stick is mounted."""
    max_bundle_bytes: int = Field(default=4_000_000_000, ge=1_000_000)
    """FAT32 ends at 4 GiB less one byte."""
    receipt_after_days: float = Field(default=14.0, gt=0)
    originals: bool = True

    @property
    def wants_originals(self) -> bool:
        """As the setting says."""
        return self.originals

    @property
    def enabled(self) -> bool:
        """Is there somebody to carry to?"""
        return bool(self.recipients)


class SenderSettings(Section):
    """Where results go. They always also lie under `results` in the data folder."""

    peers: tuple[PeerSettings, ...] = ()
    rejection_notes: bool = True
    """Tell receivers of DICOM when a person at the scanner rejects an image: many archives then hide it."""
    retry_first_s: float = Field(default=2.0, gt=0)
    retry_longest_s: float = Field(default=300.0, gt=0)

    @property
    def receivers(self) -> tuple[ReceiverSettings, ...]:
        """Everybody, of every kind."""
        return (*self.peers,)

    @model_validator(mode="after")
    def _every_name_once(self) -> Self:
        names = [receiver.name for receiver in self.receivers]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two receivers are called {twice[0]!r}: give each a name of its own")
        return self
