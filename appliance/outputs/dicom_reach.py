# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Why an association did not come about, in words: the name, the cable, the port, TLS, or another program.

The DICOM library says only that it failed. After a failure the way is gone once more by hand, step by step.
"""

from __future__ import annotations

import socket
import ssl
from typing import Final

from appliance.errors import DeliveryError
from appliance.outputs.dicom_address import DicomAddress

LOOK_TIMEOUT_S: Final = 5.0
ALERT_WAIT_S: Final = 1.0
"""TLS 1.3 refuses a client's certificate after the handshake: so long is listened for that."""
TRIED_AGAIN: Final = "it is tried again."


def why_not(address: DicomAddress) -> DeliveryError:
    """Look, and say what is in the way. Takes some seconds at most."""
    try:
        socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return _error(
            address,
            f"has a name that cannot be resolved: {address.host} ({_said(error)})",
            "Correct host in the settings, or mend the DNS of this network",
        )
    try:
        with socket.create_connection((address.host, address.port), timeout=LOOK_TIMEOUT_S) as connection:
            context = address.tls_context()
            if context is None:
                return _silent(address)
            return _tls_trouble(address, context, connection) or _silent(address)
    except TimeoutError:
        return _error(
            address,
            "does not answer: nobody is at that address, or a firewall drops what is sent",
            "Look at the network cable, the address and the firewall",
        )
    except ConnectionRefusedError:
        return _error(
            address,
            "does not answer: the machine is there, but nothing listens at that port",
            "Start the receiver, or correct port in the settings",
        )
    except OSError as error:
        return _error(
            address,
            f"does not answer ({_said(error)})",
            "Look at the network cable and whether the receiver runs",
        )


def _tls_trouble(
    address: DicomAddress, context: ssl.SSLContext, connection: socket.socket
) -> DeliveryError | None:
    try:
        with context.wrap_socket(connection, server_hostname=address.server_name) as secured:
            secured.settimeout(ALERT_WAIT_S)
            secured.recv(1)
    except ssl.SSLCertVerificationError as error:
        return _error(
            address,
            f"shows a certificate that is not trusted: {error.verify_message}",
            "Set ca_file to the authority that signed it, server_name to the name in it, or have "
            f"{address.name} show the right one",
            permanent=True,
        )
    except ssl.SSLError as error:
        if "ALERT" in (error.reason or ""):
            what = f"refuses our TLS certificate ({_reason(error)})"
            remedy = f"Set certificate_file and key_file to what {address.name} trusts, or have it trust ours"
        else:
            what = f"does not speak TLS as we do ({_reason(error)})"
            remedy = f"Switch TLS on at {address.name}, or set tls = false in the settings"
        return _error(address, what, remedy, permanent=True)
    except TimeoutError:
        return None  # the handshake is done and it waits for us: TLS is not the trouble
    except OSError:
        return None
    return None


def _silent(address: DicomAddress) -> DeliveryError:
    if address.tls is None:
        hint = "that is no DICOM program, or it wants TLS"
        remedy = f"Look at the log of {address.name}; set tls = true if it speaks TLS"
    else:
        hint = "that is no DICOM program, or it wants another certificate from us"
        remedy = f"Look at the log of {address.name}"
    return _error(address, f"takes the connection but does not answer in DICOM: {hint}", remedy)


def _error(address: DicomAddress, what: str, remedy: str, *, permanent: bool = False) -> DeliveryError:
    return DeliveryError(f"{address.words} {what}.", remedy=f"{remedy}; {TRIED_AGAIN}", permanent=permanent)


def _said(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _reason(error: ssl.SSLError) -> str:
    return (error.reason or str(error)).replace("_", " ").lower()
