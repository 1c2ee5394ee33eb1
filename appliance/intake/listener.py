# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The DICOM door: images, and reports of what receivers keep. "Success" means durable and in the store.

The sender's bytes go to disk as they came, whatever the transfer syntax: nothing is decoded here. Each
association has a thread of its own; what it received is handed to the intake loop, and its answer is what
the sender is told.
"""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final
from weakref import WeakKeyDictionary

import structlog
from pydicom.dataset import Dataset
from pynetdicom import AE, _config, evt
from pynetdicom.dsutils import encode_file_meta
from pynetdicom.sop_class import (  # type: ignore[attr-defined]  # names made at run time
    ModalityPerformedProcedureStep,
    StorageCommitmentPushModel,
    Verification,
)
from typing_extensions import Self

from appliance.clock import Clock
from appliance.config import ListenerSettings
from appliance.domain.commitment import CommitmentReport
from appliance.domain.turned_away import TurnedAway
from appliance.errors import ConfigError, StoreError
from appliance.intake.claim import Part, Spool
from appliance.intake.commitment_report import INVALID_ARGUMENT, commitment_report
from appliance.intake.doorkeeper import HALF_OPEN_FACTOR, Doorkeeper, GuardedServer
from appliance.intake.small_message import MESSAGE_SYNTAXES
from appliance.intake.step_door import StepDoor, StepReport
from appliance.intake.visit import Visit
from appliance.tls import server_context

SUCCESS: Final = 0x0000
OUT_OF_RESOURCES: Final = 0xA700
"""PS3.4 B.2.3: the sender keeps the image and should try again."""
NOT_AUTHORISED: Final = 0x0124
PROCESSING_FAILURE: Final = 0x0110
"""PS3.7 annex C."""
CANNOT_UNDERSTAND: Final = 0xC000
"""PS3.4 B.2.3: sending it again will not help. The bytes are kept in quarantine all the same."""
ANSWER_PATIENCE_S: Final = 25.0
"""How long the intake loop may take; below the 30 s after which most senders give up by themselves."""
ACSE_SLACK_S: Final = 5.0
"""The doorkeeper ends a caller that does not ask before the library does, and says why."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitmentReports:
    """Who may tell us that it keeps what we sent, and who writes it down."""

    ae_titles: frozenset[str] = frozenset()
    """Receivers that we ask for storage commitment: they may call us even where others may not."""
    take: Callable[[CommitmentReport], None] | None = None
    """Called from the threads of associations. Raises StoreError."""


class Listener:
    """The server. A context manager: inside the block the port is open."""

    def __init__(
        self,
        settings: ListenerSettings,
        *,
        max_bytes: int,
        spool: Spool,
        deliver: Deliver,
        clock: Clock,
        reports: CommitmentReports = CommitmentReports(),
    ) -> None:
        self._settings = settings
        self._max_bytes = max_bytes
        self._spool = spool
        self._deliver = deliver
        self._clock = clock
        self._reports = reports
        self._received_bytes: dict[int, int] = {}
        self._visits: WeakKeyDictionary[Any, Visit] = WeakKeyDictionary()
        may_call = frozenset(settings.calling_ae_titles)
        self._keeper = Doorkeeper(
            settings, may_call=may_call | reports.ae_titles if may_call else may_call, clock=clock
        )
        self._application = self._application_entity()

    def turned_away(self) -> tuple[TurnedAway, ...]:
        """Whom we did not let in during the last hour."""
        return self._keeper.refusals.recent()

    def _application_entity(self) -> AE:
        settings = self._settings
        application = AE(ae_title=settings.ae_title)
        application.add_supported_context(Verification)
        application.add_supported_context(ModalityPerformedProcedureStep, list(MESSAGE_SYNTAXES))
        if self._reports.take is not None:  # the caller is the SCP here: it reports, we are told
            application.add_supported_context(
                StorageCommitmentPushModel, list(MESSAGE_SYNTAXES), scu_role=True, scp_role=True
            )
        # Titles and numbers are the doorkeeper's; the library's own limit counts callers that never ask.
        application.maximum_associations = settings.max_associations * HALF_OPEN_FACTOR
        application.maximum_pdu_size = settings.max_pdu_bytes
        application.network_timeout = settings.network_timeout_s
        application.acse_timeout = settings.request_timeout_s + ACSE_SLACK_S
        application.dimse_timeout = settings.network_timeout_s
        return application

    def __enter__(self) -> Self:
        address = (self._settings.host, self._settings.port)
        handlers: list[Any] = [
            (evt.EVT_C_STORE, self._on_store),
            (evt.EVT_N_EVENT_REPORT, self._on_report),
            (evt.EVT_CONN_OPEN, self._on_open),
            (evt.EVT_REQUESTED, self._on_requested),
            (evt.EVT_RELEASED, self._on_released),
            (evt.EVT_ABORTED, self._on_aborted),
            (evt.EVT_CONN_CLOSE, self._on_closed),
            (evt.EVT_DATA_RECV, self._on_data),
            (evt.EVT_DIMSE_RECV, self._on_message),
            *StepDoor(self._deliver).handlers(),
        ]
        tls = None
        if self._settings.tls:
            tls = server_context(
                certificate_file=self._settings.certificate_file,
                key_file=self._settings.key_file,
                client_ca_file=self._settings.client_ca_file,
            )
        try:
            server = self._application.make_server(address, evt_handlers=handlers, server_class=GuardedServer)
        except OSError as error:
            raise ConfigError(
                f"The DICOM listener cannot open {address[0]}:{address[1]} ({error.strerror}).",
                remedy=_remedy(error),
            ) from error
        assert isinstance(server, GuardedServer)
        server.keeper, server.tls = self._keeper, tls
        self._server = server
        # The library's own switch for a process that takes every storage class and every transfer syntax,
        # private ones included. It is one for the whole process, so it is on only while the port is open.
        _config.UNRESTRICTED_STORAGE_SERVICE = True
        self._keeper.__enter__()
        self._accepting = threading.Thread(target=server.serve_forever, name="listener", daemon=True)
        self._accepting.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.stop()
        self._accepting.join()
        self._keeper.close_soon()
        for association in self._application.active_associations:
            if association.is_established:
                association.abort()
        self._keeper.wait_until_gone()
        self._keeper.__exit__(kind, error, trace)
        self._server.server_close()
        _config.UNRESTRICTED_STORAGE_SERVICE = False

    def _on_open(self, event: Any) -> None:
        visit = event.assoc.dul.socket.socket.visit
        visit.association = event.assoc
        self._visits[event.assoc] = visit

    def _on_requested(self, event: Any) -> None:
        """The association request has come whole: in, or an answer in words of DICOM."""
        request = event.assoc.requestor.primitive
        called = getattr(request, "called_ae_title", None)
        calling = getattr(request, "calling_ae_title", None)
        if called is None or calling is None:
            return  # an abort came first; the library ends it
        answer = self._keeper.rejection(self._visits[event.assoc], called=called, calling=calling)
        if answer is not None:
            event.assoc.acse.send_reject(*answer)
            event.assoc.kill()

    def _on_store(self, event: Any) -> int | Dataset:
        visit = self._visits[event.assoc]
        visit.our_turn(ours=True)
        try:
            return self._take(event)
        finally:
            visit.our_turn(ours=False)

    def _take(self, event: Any) -> int | Dataset:
        noticed_ns = self._clock.monotonic_ns()
        calling = str(event.assoc.requestor.ae_title).strip()
        may_send = self._settings.calling_ae_titles
        if may_send and calling not in may_send:  # it may call us for its reports only
            return NOT_AUTHORISED
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

    def _on_report(self, event: Any) -> tuple[int, None]:
        """A receiver says what it keeps. Success is answered when it is in the store."""
        visit = self._visits[event.assoc]
        visit.our_turn(ours=True)
        try:
            return self._take_report(event)
        finally:
            visit.our_turn(ours=False)

    def _take_report(self, event: Any) -> tuple[int, None]:
        report = commitment_report(event)
        if report is None or self._reports.take is None:
            return INVALID_ARGUMENT, None
        try:
            self._reports.take(report)
        except StoreError as error:
            _log.error("commitment report not taken", reason=str(error))
            return PROCESSING_FAILURE, None
        return SUCCESS, None

    def _on_released(self, event: Any) -> None:
        self._deliver(AssociationEnded(association=id(event.assoc), released=True))

    def _on_aborted(self, event: Any) -> None:
        self._deliver(AssociationEnded(association=id(event.assoc), released=False))

    def _on_closed(self, event: Any) -> None:
        self._received_bytes.pop(id(event.assoc), None)

    def _on_data(self, event: Any) -> None:
        """Cut off a sender whose one image never ends: images are gathered in memory."""
        association = id(event.assoc)
        total_bytes = self._received_bytes.get(association, 0) + len(event.data)
        self._received_bytes[association] = total_bytes
        too_large = total_bytes > self._max_bytes + self._settings.max_pdu_bytes
        if too_large or sum(self._received_bytes.copy().values()) > self._settings.max_held_bytes:
            limit_bytes = self._max_bytes if too_large else self._settings.max_held_bytes
            _log.error("sender cut off: image too large", limit_bytes=limit_bytes)
            self._received_bytes[association] = 0
            visit = self._visits[event.assoc]
            visit.announced_too_much = True
            visit.cut()

    def _on_message(self, event: Any) -> None:
        self._received_bytes[id(event.assoc)] = 0
        self._visits[event.assoc].message_is_whole()


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
