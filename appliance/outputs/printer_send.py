# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Printing slips, once for each exam, as far as a printer lets one know.

Two marks lie beside the slip, for each printer: one is durable before the first byte leaves, one after the
last (with `confirms`: after the printer has answered that it printed). With both, nothing is printed again.
With the first only, nobody can know what is on paper: it is printed again under the same number, as a copy.
"""

from __future__ import annotations

import hashlib
import os
import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from appliance.config import Settings
from appliance.durable import write_durably
from appliance.errors import DeliveryError
from appliance.outputs.extras import require_extra
from appliance.outputs.over_http import content_of
from appliance.receivers import PrinterSettings

CONNECT_TIMEOUT_S: Final = 10.0
PRINT_TIMEOUT_S: Final = 60.0
"""For a printer that waits for paper to say so, or to give up."""
LAST_BYTES_S: Final = 2.0
"""How long a printer on the network may take to close its side."""
ASK_PAPER: Final = b"\x10\x04\x04"
"""DLE EOT 4: what does the paper sensor say, now?"""
NO_PAPER: Final = 0x60
"""Bits of the answer that are set when the roll has ended."""
ASK_WHEN_DONE: Final = b"\x1dr\x01"
"""GS r 1: answered when everything before it has been worked off."""
COPY: Final = "COPY"
COPY_WORDS: Final = "Printed again after a break. If there is another slip with this number, tear it up."


class Line(Protocol):
    """The way to a printer, open."""

    def write(self, content: bytes) -> None:
        """All of it. Raises OSError, TimeoutError among them."""

    def read(self) -> bytes:
        """One byte; none when it does not come in time."""


@dataclass(slots=True)
class NetworkLine:
    """Port 9100."""

    connection: socket.socket

    def write(self, content: bytes) -> None:
        """See `Line.write`."""
        self.connection.sendall(content)

    def read(self) -> bytes:
        """See `Line.read`."""
        return self.connection.recv(1)


@dataclass(slots=True)
class FileLine:
    """A device file; never waits longer than it may, whatever the driver does."""

    handle: int
    timeout_s: float

    def write(self, content: bytes) -> None:
        """See `Line.write`."""
        left = memoryview(content)
        while left:
            if not select.select([], [self.handle], [], self.timeout_s)[1]:
                raise TimeoutError
            left = left[os.write(self.handle, left) :]

    def read(self) -> bytes:
        """See `Line.read`."""
        ready = select.select([self.handle], [], [], self.timeout_s)[0]
        return os.read(self.handle, 1) if ready else b""


@dataclass(slots=True)
class SerialLine:
    """A serial line, by pyserial."""

    port: Any

    def write(self, content: bytes) -> None:
        """See `Line.write`."""
        self.port.write(content)
        self.port.flush()

    def read(self) -> bytes:
        """See `Line.read`."""
        return bytes(self.port.read(1))


class SlipPrinter:
    """A `Destination`."""

    def __init__(self, receiver: PrinterSettings, *, timeout_s: float = PRINT_TIMEOUT_S) -> None:
        self.name = receiver.name
        self._receiver = receiver
        self._timeout_s = timeout_s

    @property
    def _words(self) -> str:
        receiver = self._receiver
        return f"{self.name} ({receiver.device or f'{receiver.host}:{receiver.port}'})"

    def deliver(self, path: Path) -> None:
        """Print one slip, unless it has been. Raises DeliveryError."""
        content = content_of(path)
        started, printed = (self._mark(path, word) for word in ("started", "printed"))
        if printed.exists():
            return
        again = started.exists()
        try:
            with self._line() as line:
                if self._receiver.confirms:
                    self._require_paper(line)
                write_durably(started, b"")
                line.write((copy_header() if again else b"") + content)
                if self._receiver.confirms:
                    self._wait_until_printed(line)
        except TimeoutError as error:
            raise self._error(f"{self._words} takes nothing: out of paper, or open.") from error
        except OSError as error:
            raise self._error(f"{self._words} cannot be reached.") from error
        write_durably(printed, b"")

    def _mark(self, path: Path, word: str) -> Path:
        mine = hashlib.sha256(self.name.encode("utf-8")).hexdigest()[:8]
        return path.with_name(f"{path.name}.{mine}.{word}")

    def _require_paper(self, line: Line) -> None:
        line.write(ASK_PAPER)
        answer = line.read()
        if answer and answer[0] & NO_PAPER:
            raise self._error(f"{self._words} has no paper.", remedy="Put in a new roll; it is tried again.")
        if not answer:
            raise self._error(
                f"{self._words} does not say whether it has paper.",
                remedy="Switch it on and off. If it never answers, set confirms = false.",
            )

    def _wait_until_printed(self, line: Line) -> None:
        line.write(ASK_WHEN_DONE)
        if not line.read():
            raise self._error(f"{self._words} has not said that it printed: paper jam, or out of paper.")

    @contextmanager
    def _line(self) -> Iterator[Line]:
        receiver = self._receiver
        if receiver.host:
            with socket.create_connection((receiver.host, receiver.port), CONNECT_TIMEOUT_S) as connection:
                connection.settimeout(self._timeout_s)
                yield NetworkLine(connection)
                connection.settimeout(LAST_BYTES_S)
                with suppress(OSError):  # most printers close; one that does not has all bytes, too
                    connection.shutdown(socket.SHUT_WR)
                    connection.recv(1)
        elif Path(receiver.device).name.startswith("tty"):
            import serial  # noqa: PLC0415  (an extra)

            limits = {"timeout": self._timeout_s, "write_timeout": self._timeout_s}
            try:
                with serial.Serial(receiver.device, receiver.baud, **limits) as port:
                    yield SerialLine(port)
            except serial.SerialTimeoutException as error:
                raise TimeoutError from error
        else:
            handle = os.open(receiver.device, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY)
            try:
                yield FileLine(handle, self._timeout_s)
            finally:
                os.close(handle)

    @staticmethod
    def _error(
        what: str, *, remedy: str = "Look at cable, power and paper of the printer; it is tried again."
    ) -> DeliveryError:
        return DeliveryError(what, remedy=remedy, permanent=False)


def copy_header() -> bytes:
    """What stands over a slip that may be a second one."""
    from escpos.printer import Dummy  # noqa: PLC0415  (an extra)

    paper = Dummy()
    paper.hw("INIT")
    paper.set(align="center", bold=True, double_width=True, double_height=True)
    paper.textln(COPY)
    paper.set(align="left", bold=False, normal_textsize=True)
    paper.textln(COPY_WORDS)
    return bytes(paper.output)


def destination(receiver: PrinterSettings, settings: Settings) -> SlipPrinter:
    """The way out to this receiver. Raises ConfigError when the extra is not installed."""
    del settings
    require_extra("slip", "escpos")
    if Path(receiver.device).name.startswith("tty"):
        require_extra("light", "serial")
    return SlipPrinter(receiver)
