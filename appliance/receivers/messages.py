# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Receivers of what is no DICOM object: hospital systems, people who are told, a printer."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, ClassVar, Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator
from typing_extensions import Self

from appliance.receivers.receiver import FHIR, HL7, NAMED_NOTICE, NOTICE, SLIP, ReceiverSettings

ADDRESS: Final = r"^[^@\s<>,;]+@[^@\s<>,;]+$"
"""Of a mailbox; no line can be smuggled into a header with it."""


class HttpSettings(ReceiverSettings):
    """What receivers that are web servers have."""

    url: str = Field(pattern=r"^https?://[^\s@]+$")
    ca_file: str = ""
    """PEM file of the authority that signed its certificate. Empty: the public authorities."""
    clear_text: bool = False
    """Send to another machine without encryption."""

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        if self.url.startswith("http://") and not (
            self.clear_text or is_this_machine(urlsplit(self.url).hostname or "")
        ):
            raise ValueError("it would cross the network unencrypted: use https, or set clear_text = true")
        return self


def is_this_machine(host: str) -> bool:
    """Whether a name or an address leads nowhere else."""
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
