# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Sending HL7 v2 messages over MLLP: one message, then its acknowledgement, on a connection of its own.

A message counts as sent only when an acknowledgement with its own control id accepts it. What the receiver
writes beside its codes is never repeated: it may quote the patient.
"""

from __future__ import annotations

import re
import socket
import ssl
from pathlib import Path
from typing import Final

from appliance.config import Settings
from appliance.errors import DeliveryError
from appliance.outputs.extras import require_extra
from appliance.outputs.over_http import content_of
from appliance.receivers import MllpSettings

START: Final = b"\x0b"
END: Final = b"\x1c\x0d"
"""HL7 Minimal Lower Layer Protocol, release 1: what frames a message."""
CONNECT_TIMEOUT_S: Final = 10.0
ANSWER_TIMEOUT_S: Final = 60.0
MAX_ANSWER_BYTES: Final = 1024**2
CHUNK_BYTES: Final = 4096
ACCEPTED: Final = frozenset({"AA", "CA"})
"""HL7 table 0008: application or commit accept."""
FAULTY: Final = frozenset({"AE", "CE"})
"""This message has a fault."""
REJECTED: Final = frozenset({"AR", "CR"})
"""Not for this receiver: type, version or processing id; or it cannot work now."""
ERROR_CODE: Final = re.compile(r"[0-9]{1,4}")
"""HL7 table 0357, such as 204 "Unknown key identifier"."""


class MllpReceiver:
    """A `Destination`."""

    def __init__(self, receiver: MllpSettings, *, answer_timeout_s: float = ANSWER_TIMEOUT_S) -> None:
        self.name = receiver.name
        self._receiver = receiver
        self._answer_timeout_s = answer_timeout_s

    @property
    def _words(self) -> str:
        return f"{self.name} ({self._receiver.host}:{self._receiver.port})"

    def deliver(self, path: Path) -> None:
        """Send one message and wait for its acknowledgement. Raises DeliveryError."""
        message = content_of(path)
        try:
            with self._connected() as connection:
                connection.sendall(START + message + END)
                answer = self._answer(connection)
        except ssl.SSLError as error:
            raise self._error(
                f"{self._words} and this device do not agree on encryption ({error.reason or 'TLS'}).",
                remedy="Check its settings tls and ca_file, and the receiver's certificate.",
                permanent=True,
            ) from error
        except TimeoutError as error:
            raise self._error(f"{self._words} does not answer in time.") from error
        except OSError as error:
            raise self._error(f"{self._words} does not answer.") from error
        self._judge(answer, control_id=_field(message.decode("utf-8"), "MSH", 10))

    def _connected(self) -> socket.socket:
        receiver = self._receiver
        context = None
        if receiver.tls:
            if receiver.ca_file and not Path(receiver.ca_file).is_file():
                raise self._error(
                    f"{receiver.ca_file} cannot be read.",
                    remedy="Correct the setting ca_file.",
                    permanent=True,
                )
            context = ssl.create_default_context(cafile=receiver.ca_file or None)
        connection = socket.create_connection((receiver.host, receiver.port), timeout=CONNECT_TIMEOUT_S)
        connection.settimeout(self._answer_timeout_s)
        if context is None:
            return connection
        try:
            return context.wrap_socket(connection, server_hostname=receiver.host)
        except OSError:
            connection.close()
            raise

    def _answer(self, connection: socket.socket) -> str:
        """What stands in the frame that comes back."""
        received = bytearray()
        while END not in received:
            chunk = connection.recv(CHUNK_BYTES)
            received += chunk
            if not chunk or len(received) > MAX_ANSWER_BYTES:
                raise self._error(f"{self._words} took the message and broke off without an acknowledgement.")
        return bytes(received).partition(START)[2].partition(END)[0].decode("utf-8", "replace")

    def _judge(self, answer: str, *, control_id: str) -> None:
        code, about = _field(answer, "MSA", 1), _field(answer, "MSA", 2)
        if code in ACCEPTED | FAULTY | REJECTED and about != control_id:
            raise self._error(f"{self._words} acknowledged another message than ours.")
        if code in ACCEPTED:
            return
        why = _field(answer, "ERR", 3)
        why = f"{code}, HL7 error {why}" if ERROR_CODE.fullmatch(why) else code
        if code in FAULTY:
            raise self._error(
                f"{self._words} finds a fault in this message ({why}).",
                remedy="Look at the receiver's log: it says which field.",
                permanent=True,
                this_file_only=True,
            )
        if code in REJECTED:
            raise self._error(
                f"{self._words} rejects such messages ({why}).",
                remedy="Let the receiver take ORU^R01 of HL7 2.5.1 from SCANSIDE.",
                permanent=True,
            )
        raise self._error(f"{self._words} answered with something that is no acknowledgement.")

    @staticmethod
    def _error(
        what: str,
        *,
        remedy: str = "Look at the network and at the receiver's log; it is tried again.",
        permanent: bool = False,
        this_file_only: bool = False,
    ) -> DeliveryError:
        return DeliveryError(what, remedy=remedy, permanent=permanent, this_file_only=this_file_only)


def _field(text: str, segment: str, number: int) -> str:
    """First component of one field of a message, as hl7apy reads it; empty where there is none."""
    from hl7apy.exceptions import HL7apyException  # noqa: PLC0415  (an extra)
    from hl7apy.parser import parse_message  # noqa: PLC0415

    try:
        message = parse_message(text, find_groups=False)
        (found,) = message.children.get(segment)
        value = getattr(found, f"{segment.lower()}_{number}").to_er7()
    except (HL7apyException, ValueError, IndexError, AttributeError, TypeError, KeyError):
        return ""
    return str(value).partition("^")[0]


def destination(receiver: MllpSettings, settings: Settings) -> MllpReceiver:
    """The way out to this receiver. Raises ConfigError when the extra is not installed."""
    del settings
    require_extra("hl7", "hl7apy")
    return MllpReceiver(receiver)
