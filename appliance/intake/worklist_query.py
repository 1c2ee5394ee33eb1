# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Asking the modality worklist (C-FIND). One question, one list; a server that does not end is left.

Every wait has a limit: for the connection, for each answer, and for the whole. What came before a fault is
thrown away: half a list would call patients unexpected who are.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from socket import SHUT_RDWR
from threading import Timer
from types import TracebackType
from typing import Any, Final

from pydicom.dataset import Dataset
from pynetdicom import AE, evt
from pynetdicom.sop_class import (  # type: ignore[attr-defined]  # names made at run time
    ModalityWorklistInformationFind,
)
from typing_extensions import Self

from appliance.clock import NS_PER_S, Clock
from appliance.domain.expected import ExpectedStep
from appliance.errors import ConfigError, WorklistError
from appliance.intake.small_message import MESSAGE_FAULTS, MESSAGE_SYNTAXES
from appliance.intake.worklist_answer import question, read_step
from appliance.tls import client_context
from appliance.worklist import WorklistSettings

WHOLE_ANSWER_FACTOR: Final = 6
"""The whole list may take this many times `worklist.timeout_s`: a server that sends one answer just before
each timeout would never end."""
CONNECT_FACTOR: Final = 3
"""The same until a connection stands: the library waits for ever for the rest of a message whose length is
nonsense, so the socket is taken away from it after this."""
LARGEST_LIST_BYTES: Final = 64 * 1024**2
"""10,000 answers of 5 kB, and some more; the library keeps what was not read yet in memory."""
CANCELLED: Final = 0xFE00
PENDING: Final = (0xFF00, 0xFF01)
"""PS3.4 K.4.1.1.4: with and without a warning about keys that the server does not know."""
SUCCESS: Final = 0x0000


@dataclass(frozen=True, slots=True, kw_only=True)
class WorklistAnswer:
    """A whole list."""

    steps: tuple[ExpectedStep, ...]
    unread: int
    """Answers that said neither who nor what, or that were no DICOM."""
    whole: bool
    """False: there are more than `worklist.most_steps`."""


def ask_worklist(
    settings: WorklistSettings,
    *,
    own_ae_title: str,
    clock: Clock,
    given_up: Callable[[], bool] = lambda: False,
) -> WorklistAnswer:
    """What is expected in the window of days. Raises WorklistError in words.

    `given_up`: asked between two answers; True ends the question with an error.
    """
    where = f"The worklist {settings.ae_title} at {settings.host}:{settings.port}"
    application = AE(ae_title=own_ae_title)
    application.add_requested_context(ModalityWorklistInformationFind, list(MESSAGE_SYNTAXES))
    application.acse_timeout = application.dimse_timeout = settings.timeout_s
    application.network_timeout = application.connection_timeout = settings.timeout_s
    secure = _tls_context(settings, where)
    with _Guillotine(settings.timeout_s) as guillotine:
        association: Any = application.associate(
            settings.host,
            settings.port,
            ae_title=settings.ae_title,
            tls_args=None if secure is None else (secure, settings.server_name or settings.host),
            evt_handlers=[
                (evt.EVT_CONN_OPEN, guillotine.watch),
                (evt.EVT_DATA_RECV, guillotine.weigh),
            ],
        )
        if not association.is_established:
            if association.is_alive():  # its socket lives as long as its threads
                association.kill()
                association.join(settings.timeout_s)
            raise _no_association(association, where, tls=settings.tls)
        guillotine.put_off(2 * WHOLE_ANSWER_FACTOR)
        try:
            answer = _take(association, settings, where, clock, given_up)
        except BaseException:
            association.abort()
            raise
        if association.is_established:
            association.release()
        association.join(settings.timeout_s)
        return answer


def _tls_context(settings: WorklistSettings, where: str) -> ssl.SSLContext | None:
    """None: in the clear. The files are read for every question: they may be renewed while we run."""
    if not settings.tls:
        return None
    try:
        return client_context(
            ca_file=settings.ca_file, certificate_file=settings.certificate_file, key_file=settings.key_file
        )
    except ConfigError as error:
        raise WorklistError(f"{where} cannot be asked: {error.what}", remedy=error.remedy) from error


class _Guillotine:
    """Takes the socket away from a conversation that does not end by itself. A context manager."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._socket: Any = None
        self._received_bytes = 0
        self._timer = self._new_timer(CONNECT_FACTOR)

    def _new_timer(self, factor: int) -> Timer:
        return Timer(factor * self._timeout_s, self._fall)

    def watch(self, event: Any) -> None:
        """Called when the connection is there."""
        self._socket = event.assoc.dul.socket.socket

    def weigh(self, event: Any) -> None:
        """Called for whatever comes: a list that outgrows every real one ends here."""
        self._received_bytes += len(event.data)
        if self._received_bytes > LARGEST_LIST_BYTES:
            self._fall()

    def put_off(self, factor: int) -> None:
        """From now on, this many timeouts."""
        self._timer.cancel()
        self._timer.join()
        self._timer = self._new_timer(factor)
        self._timer.start()

    def _fall(self) -> None:
        if self._socket is not None:
            with suppress(OSError):  # closed meanwhile
                self._socket.shutdown(SHUT_RDWR)

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        self._timer.join()


def _take(
    association: Any,
    settings: WorklistSettings,
    where: str,
    clock: Clock,
    given_up: Callable[[], bool],
) -> WorklistAnswer:
    limit_s = WHOLE_ANSWER_FACTOR * settings.timeout_s
    ends_ns = clock.monotonic_ns() + round(limit_s * NS_PER_S)
    today = clock.now_utc().astimezone().date()
    asked = question(
        settings,
        first=today - timedelta(days=settings.days_back),
        last=today + timedelta(days=settings.days_ahead),
    )
    steps: list[ExpectedStep] = []
    unread = 0
    answers = association.send_c_find(asked, ModalityWorklistInformationFind)
    for came, (status, identifier) in enumerate(answers):
        code = status.get("Status")
        if code is None:
            raise WorklistError(
                f"{where} fell silent after {came} answers (limit {settings.timeout_s:g} s).",
                remedy="Look whether the server is busy; the last list is kept, and it is asked again.",
            )
        if code not in PENDING:
            if code not in (SUCCESS, CANCELLED):
                raise WorklistError(
                    f"{where} answers with status 0x{code:04X}.",
                    remedy="Look at the log of the worklist server: [worklist] may not suit it.",
                )
            return WorklistAnswer(steps=tuple(steps), unread=unread, whole=True)
        if came == settings.most_steps:
            association.abort()
            return WorklistAnswer(steps=tuple(steps), unread=unread, whole=False)
        step = read_answer(identifier, settings)
        if step is None:
            unread += 1
        else:
            steps.append(step)
        if clock.monotonic_ns() > ends_ns or given_up():
            raise WorklistError(
                f"{where} had not ended its list after {limit_s:g} s ({came + 1} answers).",
                remedy="Ask for less: worklist.station_ae_title, worklist.modality, worklist.days_back.",
            )
    raise WorklistError(
        f"{where} ended without a last word.", remedy="Look at the server; it is asked again."
    )


def read_answer(identifier: Dataset | None, settings: WorklistSettings) -> ExpectedStep | None:
    """One answer; None for what cannot be read, whatever it is: the others are read all the same."""
    if identifier is None:
        return None
    try:
        return read_step(identifier, settings.protocols)
    except MESSAGE_FAULTS:
        return None


def _no_association(association: Any, where: str, *, tls: bool) -> WorklistError:
    answer = association.acceptor.primitive
    if association.rejected_contexts and not association.is_rejected:
        return WorklistError(
            f"{where} offers no modality worklist.",
            remedy="Check worklist.port: another DICOM service may listen there.",
        )
    if association.is_rejected and answer is not None:
        return WorklistError(
            f"{where} refuses the connection: {answer.reason_str}.",
            remedy="Enter listener.ae_title at the worklist server, and check worklist.ae_title.",
        )
    if tls:
        return WorklistError(
            f"{where} does not answer over TLS.",
            remedy="Look at worklist.host and worklist.port; at worklist.ca_file and worklist.server_name for"
            " its certificate; at worklist.certificate_file where it wants ours. It is asked again.",
        )
    return WorklistError(
        f"{where} does not answer.",
        remedy="Look at the network cable, and at worklist.host and worklist.port; it is asked again.",
    )
