# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What is worth a row in the audit trail: who did what when, and never about whom by name."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class AuditKind(str, Enum):
    """What happened."""

    STARTED = "started"
    STOPPED = "stopped"
    SETTINGS = "settings"
    """The device runs with other settings than at its last start."""
    SOFTWARE = "software"
    """The device runs another version than at its last start."""
    LANDED = "landed"
    ANSWERED = "answered"
    """A lane's result was committed."""
    TRANSFERRED = "transferred"
    """A receiver has a DICOM object."""
    EXPORTED = "exported"
    """Something else left the device."""
    TAKEN_IN = "taken-in"
    """A courier's bundle was opened here."""
    DECIDED = "decided"
    SEEN = "seen"
    """A person opened an exam, or did what follows from it."""
    PIN_ACCEPTED = "pin-accepted"
    PIN_REFUSED = "pin-refused"
    PIN_LOCKED = "pin-locked"
    PIN_SET = "pin-set"
    MODEL = "model"
    """Another model, and with it another threshold, answers or waits."""
    TRUST = "trust"
    """Bundles of another signer are taken, or of one no more."""
    CLOCK = "clock"
    """The clock on the wall was moved."""
    REMOVED = "removed"
    """Images were removed because the disk was filling up."""
    DAMAGED = "damaged"
    """The spool holds other bytes than were acknowledged."""
    RESTORED = "restored"
    """Images that were removed or damaged came again."""
    UPDATE = "update"
    """Other software was installed, chosen, proved, or left again."""
    STORE_REBUILT = "store-rebuilt"
    STORE_RESTORED = "store-restored"
    """A backup was put back."""
    TRAIL_READ = "trail-read"


class AuditOutcome(int, Enum):
    """The values of DICOM's EventOutcomeIndicator."""

    SUCCESS = 0
    MINOR_FAILURE = 4
    SERIOUS_FAILURE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One thing that happened, before it has a place in the trail."""

    kind: AuditKind
    who: str
    """A process of the appliance, a role at the screen, or a user of the machine."""
    about: tuple[tuple[str, str], ...] = ()
    """What it was about: our own numbers, hashes and names of receivers. No patient, no header, no path."""
    exam: str | None = None
    """The acquisition; its number is made by hashing and says nothing."""
    study: str | None = None
    """The study as only this device can name it (device_key.link_of)."""
    outcome: AuditOutcome = AuditOutcome.SUCCESS


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """A row of the trail."""

    number: int
    """1, 2, 3 ... without a gap."""
    at_utc: str
    event: AuditEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditHead:
    """Where the trail ends."""

    count: int
    hash: str
    """SHA-256, hexadecimal; of an empty trail 64 zeros."""
    at_utc: str
