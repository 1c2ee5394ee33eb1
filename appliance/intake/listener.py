# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The DICOM door: C-STORE and C-ECHO. "Success" is said only when the image is durable and in the store.

The sender's bytes go to disk as they came, whatever the transfer syntax: nothing is decoded here. Each
association has a thread of its own; what it received is handed to the intake loop, and its answer is what
the sender is told.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final

import structlog
from pydicom.dataset import Dataset
from pynetdicom import AE, _config, evt
from pynetdicom.dsutils import encode_file_meta
from pynetdicom.sop_class import (  # type: ignore[attr-defined]  # names made at run time
    ModalityPerformedProcedureStep,
    Verification,
)
from typing_extensions import Self

from appliance.clock import Clock
from appliance.config import ListenerSettings
from appliance.errors import ConfigError, StoreError
from appliance.intake.claim import Part, Spool
from appliance.intake.step_door import StepDoor, StepReport

SUCCESS: Final = 0x0000
OUT_OF_RESOURCES: Final = 0xA700
"""PS3.4 B.2.3: the sender keeps the image and should try again."""
CANNOT_UNDERSTAND: Final = 0xC000
"""PS3.4 B.2.3: sending it again will not help. The bytes are kept in quarantine all the same."""
ANSWER_PATIENCE_S: Final = 25.0
"""How long the intake loop may take; below the 30 s after which most senders give up by themselves."""
PREAMBLE: Final = bytes(128) + b"DICM"
"""PS3.10 section 7.1: zeros, so that nothing can hide in it."""
_LONGEST_COMMENT: Final = 64
"""ErrorComment is of VR LO."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the sender is told about one image."""

    status: int
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Received:
    """An image that came through an association: a part that is not durable yet, and who waits for it."""

    part: Part
    association: int
    """Names the association within this run."""
    calling_ae_title: str
    source: str
    """ "AE TITLE@host", for people."""
    noticed_ns: int
    answer: Future[Answer] = field(default_factory=Future)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociationEnded:
    """A sender has said that it is done, or has vanished."""

    association: int
    released: bool
    """False: aborted, timed out or cut off; no evidence that everything came."""


Deliver = Callable[[Received | AssociationEnded | StepReport | StoreError], None]
"""Hands something to the intake loop, or why an image could not even be received. Called from the threads of
associations; must not block."""


class Listener:
    """The server. A context manager: inside the block the port is open."""

    def __init__(
        self, settings: ListenerSettings, *, max_bytes: int, spool: Spool, deliver: Deliver, clock: Clock
    ) -> None:
        self._settings = settings
        self._max_bytes = max_bytes
        self._spool = spool
        self._deliver = deliver
        self._clock = clock
        self._received_bytes: dict[int, int] = {}
        self._application = self._application_entity()

    def _application_entity(self) -> AE:
        settings = self._settings
        application = AE(ae_title=settings.ae_title)
        application.add_supported_context(Verification)
        application.add_supported_context(ModalityPerformedProcedureStep)
        application.require_called_aet = True
        application.require_calling_aet = list(settings.calling_ae_titles)
        application.maximum_associations = settings.max_associations
        application.maximum_pdu_size = settings.max_pdu_bytes
        application.network_timeout = settings.network_timeout_s
        application.acse_timeout = settings.network_timeout_s
        application.dimse_timeout = settings.network_timeout_s
        return application

    def __enter__(self) -> Self:
        address = (self._settings.host, self._settings.port)
        handlers: list[Any] = [
            (evt.EVT_C_STORE, self._on_store),
            (evt.EVT_RELEASED, self._on_released),
            (evt.EVT_ABORTED, self._on_aborted),
            (evt.EVT_CONN_CLOSE, self._on_closed),
            (evt.EVT_DATA_RECV, self._on_data),
            (evt.EVT_DIMSE_RECV, self._on_message),
            (evt.EVT_REJECTED, self._on_rejected),
            *StepDoor(self._deliver).handlers(),
        ]
        # The library's own switch for a process that takes every storage class and every transfer syntax,
        # private ones included. It is one for the whole process, so it is on only while the port is open.
        _config.UNRESTRICTED_STORAGE_SERVICE = True
        try:
            self._application.start_server(address, block=False, evt_handlers=handlers)
        except OSError as error:
            _config.UNRESTRICTED_STORAGE_SERVICE = False
            raise ConfigError(
                f"The DICOM listener cannot open {address[0]}:{address[1]} ({error.strerror}).",
                remedy=_remedy(error),
            ) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._application.shutdown()
        _config.UNRESTRICTED_STORAGE_SERVICE = False

    def _on_store(self, event: Any) -> int | Dataset:
        noticed_ns = self._clock.monotonic_ns()
        calling = str(event.assoc.requestor.ae_title).strip()
        try:
            part = self._write(event)
        except StoreError as error:
            self._deliver(error)
            return _status(Answer(status=OUT_OF_RESOURCES, words=error.what))
        received = Received(
            part=part,
            association=id(event.assoc),
            calling_ae_title=calling,
            source=f"{calling}@{event.assoc.requestor.address}",
            noticed_ns=noticed_ns,
        )
        self._deliver(received)
        try:
            return _status(received.answer.result(timeout=ANSWER_PATIENCE_S))
        except FutureTimeoutError:
            if received.answer.cancel():
                self._spool.discard(part)
            return _status(Answer(status=OUT_OF_RESOURCES, words="busy, send again later"))

    def _write(self, event: Any) -> Part:
        """The data set as it was sent, behind a file header of its own."""
        with event.request.DataSet.getbuffer() as content:
            self._spool.require_room(len(content))
            with self._spool.receive() as incoming:
                incoming.write(PREAMBLE)
                incoming.write(encode_file_meta(event.file_meta))
                incoming.write(content)
                return incoming.finish()

    def _on_released(self, event: Any) -> None:
        self._deliver(AssociationEnded(association=id(event.assoc), released=True))

    def _on_aborted(self, event: Any) -> None:
        self._deliver(AssociationEnded(association=id(event.assoc), released=False))

    def _on_closed(self, event: Any) -> None:
        self._received_bytes.pop(id(event.assoc), None)

    def _on_data(self, event: Any) -> None:
        """Cut off a sender whose one image never ends: it is gathered in memory."""
        association = id(event.assoc)
        total_bytes = self._received_bytes.get(association, 0) + len(event.data)
        self._received_bytes[association] = total_bytes
        if total_bytes > self._max_bytes + self._settings.max_pdu_bytes:
            _log.error("sender cut off: image too large", limit_bytes=self._max_bytes)
            self._received_bytes[association] = 0
            event.assoc.dul.socket.close()

    def _on_message(self, event: Any) -> None:
        self._received_bytes[id(event.assoc)] = 0

    def _on_rejected(self, event: Any) -> None:
        del event
        _log.warning(
            "association rejected",
            remedy="Check the called AE title, listener.calling_ae_titles and listener.max_associations.",
        )


def _status(answer: Answer) -> int | Dataset:
    if not answer.words:
        return answer.status
    status = Dataset()
    status.Status = answer.status
    status.ErrorComment = answer.words.encode("ascii", "replace").decode("ascii")[:_LONGEST_COMMENT]
    return status


def _remedy(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "Another program listens there: stop it, or choose another listener.port."
    if error.errno == errno.EACCES:
        return "Ports below 1024 need a privilege: choose listener.port 11112."
    return "Check listener.host: it must be an address of this machine."
