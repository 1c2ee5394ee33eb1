# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""One connection to the DICOM door: how long it may take for what it is doing, and how much it may announce.

The library below reads a packet in one blocking call, whatever it announces and however slowly it comes. So
the bytes are counted as they leave the socket, and each part of a conversation has a deadline.
"""

from __future__ import annotations

import socket
import ssl
from typing import Any, Final

from appliance.clock import NS_PER_S, Clock
from appliance.config import ListenerSettings
from appliance.domain.turned_away import Bar

PDU_HEADER_BYTES: Final = 6
"""PS3.8 section 9.3.1: type, reserved, four bytes of length."""
ASSOCIATE_RQ: Final = 0x01
P_DATA_TF: Final = 0x04
KNOWN_PDUS: Final = range(0x01, 0x08)
LARGEST_REQUEST_BYTES: Final = 262144
"""128 presentation contexts with 20 transfer syntaxes each, and room to spare."""
LARGEST_OTHER_BYTES: Final = 65536
PDU_SLACK_BYTES: Final = 1024
"""Some senders count the headers of a packet's items beside its maximum length."""
POLITE_S: Final = 2.0
"""An idle association is aborted by the library in words of DICOM; only then is its connection cut."""


class TooLargeError(OSError):
    """More was announced than we will read. An OSError, because that is what a reader of sockets expects."""


class Visit:
    """What the doorkeeper knows of one connection. Times are monotonic nanoseconds."""

    def __init__(
        self, host: str, connection: socket.socket, settings: ListenerSettings, clock: Clock
    ) -> None:
        self.host = host
        self.ae_title = ""
        self.association: Any = None
        """The library's thread, once it has started."""
        self.is_associated = False
        self.is_cut = False
        self.is_ending = False
        self.announced_too_much = False
        self.is_not_dicom = False
        self.is_told = False
        """What it did that it may not has been counted."""
        self._settings = settings
        self._clock = clock
        self._handle = connection.dup()
        """Of the same connection: shut down from outside, it ends the read that hangs."""
        self._opened_ns = clock.monotonic_ns()
        self._waits_since_ns: int | None = self._opened_ns
        """None: it is our turn to speak."""
        self._image_since_ns: int | None = None
        self._header = bytearray()
        self._left_bytes = 0

    def took(self, data: bytes) -> None:
        """Bytes that were read. Raises TooLargeError at a packet that is announced too large."""
        view = memoryview(data)
        while view:
            if self._left_bytes == 0:
                missing = PDU_HEADER_BYTES - len(self._header)
                self._header += view[:missing]
                view = view[missing:]
                if len(self._header) < PDU_HEADER_BYTES:
                    return
                self._announced(self._header[0], int.from_bytes(self._header[2:], "big"))
                self._header.clear()
            taken = min(self._left_bytes, len(view))
            self._left_bytes -= taken
            view = view[taken:]
            if self._left_bytes == 0 and self._waits_since_ns is not None and self.is_associated:
                self._waits_since_ns = self._clock.monotonic_ns()

    def _announced(self, kind: int, length_bytes: int) -> None:
        if kind not in KNOWN_PDUS:
            self.is_not_dicom = True  # the library answers with an abort
            return
        largest = LARGEST_OTHER_BYTES
        if kind == ASSOCIATE_RQ:
            largest = LARGEST_REQUEST_BYTES
        elif kind == P_DATA_TF:
            largest = self._settings.max_pdu_bytes + PDU_SLACK_BYTES
            if self._image_since_ns is None:
                self._image_since_ns = self._clock.monotonic_ns()
        if length_bytes > largest:
            self.announced_too_much = True
            self.cut()
            raise TooLargeError
        self._left_bytes = length_bytes

    def associated(self) -> None:
        """It has been let in."""
        self.is_associated = True
        self._waits_since_ns = self._clock.monotonic_ns()

    def message_is_whole(self) -> None:
        """A command with its data set has come."""
        self._image_since_ns = None

    def our_turn(self, *, ours: bool) -> None:
        """It waits for our answer, or we for its next word."""
        self._waits_since_ns = None if ours else self._clock.monotonic_ns()

    def overdue(self) -> bool:
        """Has it let us wait for longer than it may?"""
        now_ns = self._clock.monotonic_ns()
        settings = self._settings
        if not self.is_associated:
            return _is_past(now_ns, self._opened_ns, settings.request_timeout_s)
        return _is_past(now_ns, self._waits_since_ns, settings.network_timeout_s + POLITE_S) or _is_past(
            now_ns, self._image_since_ns, settings.image_timeout_s
        )

    def is_old(self) -> bool:
        """Is it over the age of an association, with no image under way?"""
        now_ns = self._clock.monotonic_ns()
        idle = self._image_since_ns is None and self._waits_since_ns is not None
        return (
            self.is_associated
            and idle
            and _is_past(now_ns, self._opened_ns, self._settings.association_limit_s)
        )

    def bar(self) -> Bar | None:
        """What it did that it may not; None: nothing."""
        if self.announced_too_much:
            return Bar.TOO_LARGE
        return Bar.NOT_DICOM if self.is_not_dicom else None

    def cut(self) -> None:
        """End the connection; whoever reads or writes it finds it closed."""
        self.is_cut = True
        try:
            self._handle.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it has ended by itself

    def has_gone_unasked(self) -> bool:
        """Its connection is closed and it has never asked for an association."""
        return not self.is_associated and (self.is_cut or self.association.dul.socket.socket is None)

    def wake(self) -> None:
        """The library's thread waits for a request that will not come: tell it so."""
        self.association.dul.to_user_queue.put(None)

    def forget(self) -> None:
        """Nobody uses it any more."""
        self._handle.close()


def _is_past(now_ns: int, since_ns: int | None, limit_s: float) -> bool:
    return since_ns is not None and now_ns - since_ns > limit_s * NS_PER_S


class MeteredSocket(socket.socket):
    """A socket that tells its visit what was read."""

    visit: Visit

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """As any socket's. Raises TooLargeError."""
        data = super().recv(bufsize, flags)
        self.visit.took(data)
        return data


class MeteredTlsSocket(ssl.SSLSocket):
    """The same behind TLS; made by a context whose `sslsocket_class` it is."""

    visit: Visit

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """As any socket's. Raises TooLargeError."""
        data = super().recv(buflen, flags)
        self.visit.took(data)
        return data
