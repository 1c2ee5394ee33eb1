# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""An open DICOM door for tests, and callers that take their time."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, ImplicitVRLittleEndian
from pynetdicom import AE

from appliance.clock import SystemClock
from appliance.config import ListenerSettings
from appliance.domain.turned_away import Bar
from appliance.intake.claim import Spool
from appliance.intake.listener import SUCCESS, Answer, AssociationEnded, Listener, Received
from appliance.layout import Layout
from tests.dicom_wire import (
    ACCEPTED,
    associate_rq,
    read_pdu,
)
from tests.running import free_port

PATIENCE_S = 15.0
"""For what should happen after a second; a busy machine takes longer."""
SHORT = {"request_timeout_s": 1.0, "network_timeout_s": 1.0, "image_timeout_s": 2.5}
CANARY = "CANARY^PATIENT"


class Door:
    """An open door and what came in."""

    def __init__(self, layout: Layout, **settings: object) -> None:
        self.port = free_port()
        self.received: list[Received] = []
        self.listener = Listener(
            ListenerSettings.model_validate({"port": self.port, **settings}),
            max_bytes=1_000_000,
            spool=Spool(layout),
            deliver=self._deliver,
            clock=SystemClock(),
        )

    def _deliver(self, message: Received | AssociationEnded) -> None:
        if isinstance(message, Received):
            self.received.append(message)
            message.answer.set_result(Answer(status=SUCCESS))

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)

    def associated(self, *, calling: str = "CT1") -> socket.socket:
        connection = self.connect()
        connection.sendall(associate_rq(calling=calling))
        assert read_pdu(connection)[0] == ACCEPTED
        return connection

    def bars(self) -> dict[Bar, int]:
        return {one.bar: one.count for one in self.listener.turned_away()}

    def wait_for(self, condition: Callable[[], bool]) -> None:
        clock = SystemClock()
        for _ in range(round(PATIENCE_S / 0.05)):
            if condition():
                return
            clock.sleep(0.05)
        raise AssertionError(f"not within {PATIENCE_S} s; turned away: {self.bars()}")

    def takes_an_image(self, calling: str = "GOOD", tls: tuple[ssl.SSLContext, str] | None = None) -> bool:
        """A well-behaved sender comes, sends and goes."""
        sender = AE(ae_title=calling)
        sender.acse_timeout = sender.network_timeout = sender.dimse_timeout = PATIENCE_S
        sender.add_requested_context(CTImageStorage, ImplicitVRLittleEndian)
        association = sender.associate("127.0.0.1", self.port, ae_title="SCANSIDE", tls_args=tls)
        if not association.is_established:
            return False
        image = Dataset()
        image.SOPClassUID, image.SOPInstanceUID = CTImageStorage, "1.2.3.4"
        image.PatientName = CANARY
        image.file_meta = Dataset()
        image.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
        image.set_original_encoding(is_implicit_vr=True, is_little_endian=True)
        status = association.send_c_store(image)
        association.release()
        return "Status" in status and status.Status == SUCCESS


@contextmanager
def door(layout: Layout, **settings: object) -> Iterator[Door]:
    opened = Door(layout, **settings)
    with opened.listener:
        yield opened


def trickle(connection: socket.socket, content: bytes, stop: threading.Event) -> None:
    """A byte every tenth of a second, until it is cut off."""
    with suppress(OSError):
        for index in range(len(content)):
            if stop.wait(0.1):
                return
            connection.sendall(content[index : index + 1])


@contextmanager
def trickling(connection: socket.socket, content: bytes) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=trickle, args=(connection, content, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
