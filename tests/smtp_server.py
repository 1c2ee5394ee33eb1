# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A real, small mail server on this machine (RFC 5321, STARTTLS of RFC 3207, AUTH PLAIN of RFC 4954)."""

from __future__ import annotations

import base64
import socket
import ssl
from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class MailServer:
    """One conversation at a time; `replies` says what is answered instead of "fine"."""

    context: ssl.SSLContext | None = None
    offers: tuple[str, ...] = ("STARTTLS", "AUTH PLAIN")
    replies: dict[str, bytes] = field(default_factory=dict)
    encrypted_at_once: bool = False
    logins: list[tuple[str, str]] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)
    in_the_clear: list[bytes] = field(default_factory=list)
    """Everything that came before encryption."""

    def __call__(self, connection: socket.socket) -> None:
        encrypted = self.encrypted_at_once
        if encrypted:
            assert self.context is not None
            connection = self.context.wrap_socket(connection, server_side=True)
        try:
            connection.sendall(b"220 mail CANARY\r\n")
            lines = _Lines(connection)
            while True:
                line = lines.next()
                verb = line.split(b" ")[0].upper().decode("ascii", "replace")
                if not encrypted:
                    self.in_the_clear.append(line)
                if not line or verb == "QUIT":
                    return
                address = line.partition(b"<")[2].partition(b">")[0].decode()
                reply = self.replies.get(address) or self.replies.get(verb)
                if reply is not None:
                    connection.sendall(reply)
                elif verb == "EHLO":
                    offered = [offer for offer in self.offers if not (encrypted and offer == "STARTTLS")]
                    connection.sendall(
                        b"".join(b"250-%s\r\n" % line.encode() for line in ("mail", *offered)) + b"250 ok\r\n"
                    )
                elif verb == "STARTTLS":
                    assert self.context is not None
                    connection.sendall(b"220 go\r\n")
                    connection = self.context.wrap_socket(connection, server_side=True)
                    lines, encrypted = _Lines(connection), True
                elif verb == "AUTH":
                    _, user, password = base64.b64decode(line.split()[2]).decode().split("\0")
                    self.logins.append((user, password))
                    connection.sendall(b"235 ok\r\n")
                elif verb == "DATA":
                    connection.sendall(b"354 go\r\n")
                    self.mails.append(lines.until_dot())
                    connection.sendall(b"250 taken\r\n")
                else:
                    if verb == "RCPT":
                        self.recipients.append(address)
                    connection.sendall(b"250 ok\r\n")
        finally:
            connection.close()


class _Lines:
    """What comes, line by line."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._kept = b""

    def next(self) -> bytes:
        while b"\r\n" not in self._kept:
            chunk = self._connection.recv(4096)
            if not chunk:
                return b""
            self._kept += chunk
        line, _, self._kept = self._kept.partition(b"\r\n")
        return line

    def until_dot(self) -> bytes:
        lines = []
        while (line := self.next()) != b".":
            lines.append(line)
        return b"\r\n".join(lines)
