# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Where a DICOM receiver is and how we call it: names, address, TLS with the certificates of the settings."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Final

from appliance.errors import ConfigError, DeliveryError
from appliance.receivers import PeerSettings
from appliance.tls import client_context

ANSWER_TIMEOUT_S: Final = 60.0
"""For a slow archive to file a large image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """The PEM files of one receiver. Read at every new connection: they may be renewed while we run."""

    ca_file: str = ""
    """Empty: the authorities that this machine trusts."""
    certificate_file: str = ""
    """Empty: we show no certificate."""
    key_file: str = ""
    server_name: str = ""
    """Name in the receiver's certificate. Empty: its host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DicomAddress:
    """One receiver."""

    name: str
    host: str
    port: int
    ae_title: str
    own_ae_title: str
    tls: TlsFiles | None = None
    answer_timeout_s: float = ANSWER_TIMEOUT_S

    @property
    def words(self) -> str:
        """For people."""
        return f"{self.name} ({self.ae_title} at {self.host}:{self.port})"

    @property
    def server_name(self) -> str:
        """What its certificate has to be made out to."""
        return (self.tls.server_name if self.tls else "") or self.host

    def tls_context(self) -> ssl.SSLContext | None:
        """How to speak TLS with it; None: in the clear. Raises DeliveryError when a file cannot be used."""
        if self.tls is None:
            return None
        files = self.tls
        try:
            return client_context(
                ca_file=files.ca_file, certificate_file=files.certificate_file, key_file=files.key_file
            )
        except ConfigError as error:
            raise DeliveryError(f"{self.words}: {error.what}", remedy=error.remedy, permanent=True) from error


def dicom_address(peer: PeerSettings, *, own_ae_title: str) -> DicomAddress:
    """What the settings say."""
    files = TlsFiles(
        ca_file=peer.ca_file,
        certificate_file=peer.certificate_file,
        key_file=peer.key_file,
        server_name=peer.server_name,
    )
    return DicomAddress(
        name=peer.name,
        host=peer.host,
        port=peer.port,
        ae_title=peer.ae_title,
        own_ae_title=own_ae_title,
        tls=files if peer.tls else None,
        answer_timeout_s=peer.answer_timeout_s,
    )
