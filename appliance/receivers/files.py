# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Receivers of files: a folder, and a stick that somebody carries."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from appliance.receivers.receiver import DICOM, ReceiverSettings


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
