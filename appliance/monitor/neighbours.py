# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What the doctor says of the port, the receivers and the worklist."""

from __future__ import annotations

import socket
from collections.abc import Iterator

from appliance.clock import Clock
from appliance.config import Settings
from appliance.errors import ScansideError, WorklistError
from appliance.intake.worklist_query import ask_worklist
from appliance.monitor.diagnosis import Diagnosis, Health
from appliance.outputs.catalogue import echo


def network_is_closed() -> bool:
    """Whether this process may ask nobody: on an installed device the screen has no network."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM):
            return False
    except OSError:
        return True


def port(settings: Settings) -> Diagnosis:
    """Is the DICOM port free?"""
    listener = settings.listener
    subject = f"DICOM port {listener.host}:{listener.port}"
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((listener.host, listener.port))
        except OSError as error:
            return Diagnosis(
                subject=subject,
                health=Health.FAIL,
                found=f"cannot be used: {error.strerror}",
                remedy="Stop the other program, or set listener.port (SCANSIDE__LISTENER__PORT).",
            )
    return Diagnosis(subject=subject, health=Health.OK, found="free")


def peers(settings: Settings) -> Iterator[Diagnosis]:
    """Does each receiver answer?"""
    for receiver in settings.sender.receivers:
        subject = f"peer {receiver.name}"
        try:
            found = echo(receiver, settings)
        except ScansideError as error:
            yield Diagnosis(subject=subject, health=Health.CHECK, found=error.what, remedy=error.remedy)
            continue
        yield Diagnosis(
            subject=subject,
            health=Health.OK,
            found=found or f"a receiver of kind {receiver.kind}: it cannot be asked without sending",
        )


def worklist(settings: Settings, clock: Clock) -> Diagnosis:
    """Does the worklist answer, and can its answers be read?"""
    well, found, remedy = _worklist_words(settings, clock)
    return Diagnosis(
        subject="worklist", health=Health.OK if well else Health.CHECK, found=found, remedy=remedy
    )


def _worklist_words(settings: Settings, clock: Clock) -> tuple[bool, str, str]:
    """Asks it now. Whether all is well, what was found, and what to do."""
    if not settings.worklist.host:
        return True, "none is set up", ""
    try:
        answer = ask_worklist(settings.worklist, own_ae_title=settings.listener.ae_title, clock=clock)
    except WorklistError as error:
        return False, error.what, error.remedy
    unknown = sum(step.body_part is None for step in answer.steps)
    odd = [
        words
        for words, holds in (
            (f"more than {settings.worklist.most_steps}, not all are read", not answer.whole),
            (f"{answer.unread} answers could not be read", answer.unread > 0),
            (f"{unknown} of no known body part", unknown > 0),
        )
        if holds
    ]
    found = "; ".join((f"{len(answer.steps)} {'step' if len(answer.steps) == 1 else 'steps'} expected", *odd))
    remedy = "Ask for less, or add rows to worklist.protocols; `scanside worklist` shows the list."
    return not odd, found, remedy if odd else ""
