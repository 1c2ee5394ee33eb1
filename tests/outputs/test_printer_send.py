# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Printing once: real sockets, a real pseudo-terminal, printers that are out of paper, silent or cut off."""

from __future__ import annotations

import os
import pty
import socket
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from pydantic import ValidationError

from appliance.config import Settings
from appliance.errors import DeliveryError
from appliance.outputs.catalogue import destination
from appliance.outputs.printer_send import ASK_PAPER, ASK_WHEN_DONE, SlipPrinter, copy_header
from appliance.receivers import PrinterSettings
from tests.running import free_port
from tests.tcp_server import tcp_server

CONTENT = b"\x1b@slip" + bytes(range(256)) * 80


@pytest.fixture
def slip(tmp_path: Path) -> Path:
    path = tmp_path / "slip-v1.slip"
    path.write_bytes(CONTENT)
    return path


class Paper:
    """A printer on the network: what came out of it, one sheet for each connection."""

    def __init__(self, *, paper: bytes = b"\x12", done: bytes = b"\x00") -> None:
        self.sheets: list[bytes] = []
        self._paper, self._done = paper, done

    def __call__(self, connection: socket.socket) -> None:
        came = b""
        self.sheets.append(came)
        while chunk := connection.recv(65536):
            came += chunk
            if came == ASK_PAPER:
                connection.sendall(self._paper)
                came = b""
            if came.endswith(ASK_WHEN_DONE):
                connection.sendall(self._done)
            self.sheets[-1] = came


def printer(port: int, *, timeout_s: float = 5.0, **known: Any) -> SlipPrinter:
    return SlipPrinter(
        PrinterSettings(name="desk", host="127.0.0.1", port=port, **known), timeout_s=timeout_s
    )


def error_of(way_out: SlipPrinter, slip: Path) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        way_out.deliver(slip)
    assert not caught.value.permanent
    return caught.value


def marks(slip: Path) -> set[str]:
    return {path.suffix for path in slip.parent.iterdir()} - {".slip"}


def test_a_slip_is_printed_once_however_often_it_is_handed_over(slip: Path) -> None:
    paper = Paper()
    with tcp_server(paper) as port:
        printer(port).deliver(slip)
        printer(port).deliver(slip)
    assert paper.sheets == [CONTENT]
    assert marks(slip) == {".started", ".printed"}


def test_two_printers_print_one_each(slip: Path) -> None:
    paper = Paper()
    with tcp_server(paper) as port:
        for name in ("desk", "ward"):
            SlipPrinter(PrinterSettings(name=name, host="127.0.0.1", port=port)).deliver(slip)
    assert paper.sheets == [CONTENT] * 2


def test_a_power_cut_while_printing_leads_to_a_copy_that_says_so(slip: Path) -> None:
    way_out = printer(1)
    way_out._mark(slip, "started").touch()  # what lies there when the light comes back
    paper = Paper()
    with tcp_server(paper) as port:
        printer(port).deliver(slip)
        printer(port).deliver(slip)
    assert paper.sheets == [copy_header() + CONTENT]
    assert b"COPY" in copy_header()
    assert b"tear it up" in copy_header().replace(b"\n", b" ")


def test_nobody_there_leaves_no_mark_and_the_slip_is_no_copy_then(slip: Path) -> None:
    assert "cannot be reached" in error_of(printer(free_port()), slip).what
    assert marks(slip) == set()
    paper = Paper()
    with tcp_server(paper) as port:
        printer(port).deliver(slip)
    assert paper.sheets == [CONTENT]


def test_a_printer_that_confirms_is_believed_when_it_has(slip: Path) -> None:
    paper = Paper()
    with tcp_server(paper) as port:
        printer(port, confirms=True).deliver(slip)
    assert paper.sheets == [CONTENT + ASK_WHEN_DONE]


def test_no_paper_is_said_before_anything_is_printed(slip: Path) -> None:
    paper = Paper(paper=b"\x72")
    with tcp_server(paper) as port:
        assert "has no paper" in error_of(printer(port, confirms=True), slip).what
    assert paper.sheets == [b""]
    assert marks(slip) == set()


def test_a_printer_that_does_not_confirm_prints_a_copy_next_time(slip: Path) -> None:
    with tcp_server(Paper(paper=b"")) as port:
        assert "takes nothing" in error_of(printer(port, confirms=True, timeout_s=0.3), slip).what
    assert marks(slip) == set()
    jammed = Paper(done=b"")
    with tcp_server(jammed) as port:
        error_of(printer(port, confirms=True, timeout_s=0.3), slip)
    assert marks(slip) == {".started"}
    paper = Paper()
    with tcp_server(paper) as port:
        printer(port, confirms=True).deliver(slip)
    assert paper.sheets == [copy_header() + CONTENT + ASK_WHEN_DONE]


def test_a_printer_that_takes_no_more_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    slip = tmp_path / "slip-v1.slip"
    slip.write_bytes(bytes(32 * 1024**2))
    let_go = Event()

    def takes_nothing(_: object) -> None:
        let_go.wait(10)

    with tcp_server(takes_nothing) as port:
        error = error_of(printer(port, timeout_s=0.3), slip)
        let_go.set()
    assert "out of paper, or open" in error.what


@contextmanager
def terminal() -> Iterator[tuple[str, list[bytes]]]:
    """A pseudo-terminal: the file that is a printer for us, and what comes out at its other end."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    name = os.ttyname(slave)
    came: list[bytes] = []

    def read() -> None:
        while True:
            try:
                chunk = os.read(master, 65536)
            except OSError:  # the other end is closed
                return
            came.append(chunk)

    thread = Thread(target=read)
    thread.start()
    try:
        yield name, came
    finally:
        os.close(slave)
        thread.join()
        os.close(master)


@pytest.mark.parametrize("file", ["lp0", "ttyUSB0"])
def test_a_printer_at_this_machine(slip: Path, tmp_path: Path, file: str) -> None:
    """`lp0` goes by the file, `ttyUSB0` by pyserial; both are a pseudo-terminal here."""
    device = tmp_path / "dev" / file
    device.parent.mkdir()
    with terminal() as (name, came):
        device.symlink_to(name)
        settings = PrinterSettings(name="desk", device=str(device))
        way_out = destination(settings, Settings())
        way_out.deliver(slip)
        way_out.deliver(slip)
    assert b"".join(came) == CONTENT


@pytest.mark.parametrize("file", ["lp0", "ttyUSB0"])
def test_a_printer_that_is_unplugged(slip: Path, tmp_path: Path, file: str) -> None:
    gone = PrinterSettings(name="desk", device=str(tmp_path / file))
    assert "cannot be reached" in error_of(SlipPrinter(gone), slip).what
    assert marks(slip) == set()


def test_a_driver_that_takes_no_more_is_not_waited_for(tmp_path: Path) -> None:
    slip = tmp_path / "slip-v1.slip"
    slip.write_bytes(bytes(1024**2))
    fifo = tmp_path / "lp0"
    os.mkfifo(fifo)
    way_out = SlipPrinter(PrinterSettings(name="desk", device=str(fifo)), timeout_s=0.2)
    assert "out of paper, or open" in error_of(way_out, slip).what


def test_a_printer_is_in_one_place() -> None:
    for where in ({}, {"host": "192.0.2.1", "device": "/dev/usb/lp0"}):
        with pytest.raises(ValidationError, match="either its host or its device"):
            PrinterSettings(name="desk", **where)
