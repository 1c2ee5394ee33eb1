# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""DICOM's upper layer byte by byte, for callers that do what no library would do (PS3.8 section 9.3)."""

from __future__ import annotations

import socket
import struct

APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"
CT_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
IMPLICIT_LITTLE = "1.2.840.10008.1.2"
ACCEPTED, REJECTED, P_DATA, ABORTED = 0x02, 0x03, 0x04, 0x07


def pdu(kind: int, content: bytes) -> bytes:
    return struct.pack(">BBL", kind, 0, len(content)) + content


def item(kind: int, content: bytes) -> bytes:
    return struct.pack(">BBH", kind, 0, len(content)) + content


def associate_rq(*, called: str = "SCANSIDE", calling: str = "CT1") -> bytes:
    context = (
        bytes([1, 0, 0, 0]) + item(0x30, CT_IMAGE_STORAGE.encode()) + item(0x40, IMPLICIT_LITTLE.encode())
    )
    user = item(0x51, struct.pack(">L", 16384)) + item(0x52, b"1.2.3.4")
    return pdu(
        0x01,
        struct.pack(">HH16s16s32x", 1, 0, called.ljust(16).encode(), calling.ljust(16).encode())
        + item(0x10, APPLICATION_CONTEXT.encode())
        + item(0x20, context)
        + item(0x50, user),
    )


def p_data(content: bytes, *, is_command: bool, is_last: bool) -> bytes:
    control = (1 if is_command else 0) | (2 if is_last else 0)
    return pdu(0x04, struct.pack(">LBB", len(content) + 2, 1, control) + content)


def _element(group: int, element: int, value: bytes) -> bytes:
    value += b"\0" * (len(value) % 2)
    return struct.pack("<HHL", group, element, len(value)) + value


def store_rq(instance: str = "1.2.3.4.5") -> bytes:
    """The command of a C-STORE whose data set follows."""
    rest = (
        _element(0, 0x0002, CT_IMAGE_STORAGE.encode())
        + _element(0, 0x0100, struct.pack("<H", 0x0001))
        + _element(0, 0x0110, struct.pack("<H", 1))
        + _element(0, 0x0700, struct.pack("<H", 0))
        + _element(0, 0x0800, struct.pack("<H", 0x0000))
        + _element(0, 0x1000, instance.encode())
    )
    return _element(0, 0, struct.pack("<L", len(rest))) + rest


def read_pdu(connection: socket.socket) -> tuple[int, bytes]:
    """Its type and content. EOFError: closed before."""
    header = _read(connection, 6)
    kind, _, length = struct.unpack(">BBL", header)
    return kind, _read(connection, length)


def _read(connection: socket.socket, count: int) -> bytes:
    content = b""
    while len(content) < count:
        try:
            more = connection.recv(count - len(content))
        except ConnectionResetError:
            more = b""
        if not more:
            raise EOFError
        content += more
    return content


def is_closed(connection: socket.socket, *, within_s: float) -> bool:
    """Does the other side end it by then? What it says before is read over."""
    connection.settimeout(within_s)
    try:
        while connection.recv(4096):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True
