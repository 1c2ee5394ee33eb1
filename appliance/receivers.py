# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Who receives what leaves the device: the `[sender]` part of the settings, one list for each way out.

A receiver takes files by the end of their names: `takes` says which. The way out named `kind` is the file
`appliance/outputs/<kind>_send.py`, imported when a receiver of that kind is in the settings.
"""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator
from typing_extensions import Self

from appliance.section import AeTitle, Section

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
ADDRESS: Final = r"^[^@\s<>,;]+@[^@\s<>,;]+$"
"""Of a mailbox; no line can be smuggled into a header with it."""


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


class HttpSettings(ReceiverSettings):
    """What receivers that are web servers have."""

    url: str = Field(pattern=r"^https?://[^\s@]+$")
    ca_file: str = ""
    """PEM file of the authority that signed its certificate. Empty: the public authorities."""
    clear_text: bool = False
    """Send to another machine without encryption."""

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        if self.url.startswith("http://") and not (self.clear_text or _is_this_machine(self.url)):
            raise ValueError("it would cross the network unencrypted: use https, or set clear_text = true")
        return self


def _is_this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name
        return host == "localhost"


class FhirSettings(HttpSettings):
    """A FHIR R4 server; `url` is its base."""

    kind: ClassVar[str] = "fhir"
    takes: ClassVar[frozenset[str]] = frozenset({FHIR})

    bearer_file: str = ""
    """File with the token that it asks for; read anew each time."""


class MllpSettings(ReceiverSettings):
    """An interface engine or information system that takes HL7 v2 over MLLP."""

    kind: ClassVar[str] = "mllp"
    takes: ClassVar[frozenset[str]] = frozenset({HL7})

    host: str
    port: int = Field(ge=1, le=65535)
    tls: bool = False
    ca_file: str = ""


class NoticeSettings(ReceiverSettings):
    """What those have who are told that there is something to look at."""

    takes: ClassVar[frozenset[str]] = frozenset({NOTICE, NAMED_NOTICE})

    patient_data: bool = False
    """Also say the patient's name and number."""
    device_events: bool = True
    """Also say when the device needs somebody, and when it no longer does."""
    cooldown_s: float = Field(default=60.0, ge=0)
    template: str = ""
    """Jinja file for the text. Empty: our own words."""

    @property
    def wanted(self) -> frozenset[str]:
        """One of the two."""
        return frozenset({NAMED_NOTICE if self.patient_data else NOTICE})


class WebhookSettings(HttpSettings, NoticeSettings):
    """A web address that is told."""

    kind: ClassVar[str] = "webhook"

    secret_file: str = ""
    """File with the secret that our signature is made with. Empty: no signature."""


class EmailSettings(NoticeSettings):
    """A mail server, and who is to be told through it."""

    kind: ClassVar[str] = "email"

    host: str
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    ca_file: str = ""
    user: str = ""
    password_file: str = ""
    sender: str = Field(pattern=ADDRESS)
    to: tuple[Annotated[str, Field(pattern=ADDRESS)], ...] = Field(min_length=1)


class PrinterSettings(ReceiverSettings):
    """A 58 mm thermal printer that understands ESC/POS."""

    kind: ClassVar[str] = "printer"
    takes: ClassVar[frozenset[str]] = frozenset({SLIP})

    host: str = ""
    port: int = Field(default=9100, ge=1, le=65535)
    device: str = ""
    """Instead of `host`: the file of a printer at this machine, such as /dev/usb/lp0 or /dev/ttyUSB0."""
    baud: int = Field(default=9600, ge=1200, le=921600)
    """Of a serial line."""
    confirms: bool = False
    """The printer answers when it has printed."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if bool(self.host) == bool(self.device):
            raise ValueError("name either its host or its device")
        return self


class SenderSettings(Section):
    """Where results go. They always also lie under `results` in the data folder."""

    peers: tuple[PeerSettings, ...] = ()
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
