# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""TLS as DICOM wants it: the one place that says which versions and ciphers we speak, on either side.

The profile is that of DICOM PS3.15 B.12 (BCP 195: RFC 8996 and RFC 9325): TLS 1.2 and 1.3, nothing older,
and of TLS 1.2 only its four suites with forward secrecy and authenticated encryption, which are also among
those that the stricter profile of B.13 permits.
"""

from __future__ import annotations

import ssl
from typing import Final

from appliance.errors import ConfigError

SUITES: Final = (
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"
)
"""RFC 9325 section 4.2. The suites of TLS 1.3 are all of this kind, and the library chooses among them."""


def server_context(*, certificate_file: str, key_file: str, client_ca_file: str) -> ssl.SSLContext:
    """For who calls us. With `client_ca_file` a caller must show a certificate of that authority.

    Files are PEM. Raises ConfigError where one cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate_file, key_file or None, password=_no_password)
        if client_ca_file:
            context.load_verify_locations(cafile=client_ca_file)
            context.verify_mode = ssl.CERT_REQUIRED
    except OSError as error:  # SSLError is its child
        raise _unusable(error, certificate_file, key_file, client_ca_file) from error
    return _hardened(context)


def client_context(*, ca_file: str = "", certificate_file: str = "", key_file: str = "") -> ssl.SSLContext:
    """For whom we call: they must show a certificate of `ca_file` (empty: of those this machine trusts).

    Files are PEM. Raises ConfigError where one cannot be used.
    """
    try:
        context = ssl.create_default_context(cafile=ca_file or None)
        if certificate_file:
            context.load_cert_chain(certificate_file, key_file or None, password=_no_password)
    except OSError as error:
        raise _unusable(error, ca_file, certificate_file, key_file) from error
    return _hardened(context)


def _hardened(context: ssl.SSLContext) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(SUITES)
    # RFC 9325 sections 3.3 and 3.4: no compression, no renegotiation, and no session tickets whose one
    # long-lived key would undo forward secrecy.
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    return context


def _no_password() -> str:
    """Nobody is there to type one: a key that wants one cannot be used."""
    return ""


def _unusable(error: OSError, *files: str) -> ConfigError:
    named = ", ".join(file for file in files if file) or "none named"
    reason = getattr(error, "reason", None) or error.strerror or type(error).__name__
    return ConfigError(
        f"The TLS files ({named}) cannot be used: {reason}.",
        remedy="Name PEM files that the appliance's user can read: a certificate, its key without a password,"
        " and the certificate of the authority.",
    )
