# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A real archive on this machine that can be asked whether it keeps what it took, and does not always."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

from pydicom.dataset import Dataset
from pynetdicom import AE, build_role, evt
from pynetdicom.sop_class import (  # type: ignore[attr-defined]  # made at import time
    StorageCommitmentPushModel,
    StorageCommitmentPushModelInstance,
)

NO_SUCH_OBJECT = 0x0112


@dataclass
class Archive:
    """What it took, what it was asked, and what it drops."""

    port: int = 0
    took: list[str] = field(default_factory=list)
    asked: list[tuple[str, ...]] = field(default_factory=list)
    drops: set[str] = field(default_factory=set)
    """SOPInstanceUIDs that it takes and does not keep."""
    silent: bool = False
    """It takes the question and never answers."""
    threads: list[Thread] = field(default_factory=list)


@contextmanager
def archive(
    *, takes: Any, call_back: tuple[str, int] | None = None, action_status: int = 0, **rules: Any
) -> Iterator[Archive]:
    """Storage and commitment SCP. `call_back`: it reports over an association of its own to this address."""
    known = Archive()

    def store(event: Any) -> int:
        known.took.append(str(event.request.AffectedSOPInstanceUID))
        return 0

    def action(event: Any) -> tuple[int, None]:
        request = event.action_information
        known.asked.append(tuple(item.ReferencedSOPInstanceUID for item in request.ReferencedSOPSequence))
        if action_status == 0 and not known.silent:
            thread = Thread(target=_report, args=(event.assoc, _answer(request, known.drops), call_back))
            known.threads.append(thread)
            thread.start()
        return action_status, None

    entity = AE(ae_title="ARCHIVE")
    for name, value in rules.items():
        setattr(entity, name, value)
    entity.add_supported_context(takes)
    entity.add_supported_context(StorageCommitmentPushModel)
    handlers: list[tuple[Any, Callable[..., Any]]] = [(evt.EVT_C_STORE, store), (evt.EVT_N_ACTION, action)]
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    known.port = server.server_address[1]
    try:
        yield known
    finally:
        for thread in known.threads:
            thread.join(10)
        server.shutdown()


def _answer(request: Dataset, drops: set[str]) -> Dataset:
    told = Dataset()
    told.TransactionUID = request.TransactionUID
    lost = [item for item in request.ReferencedSOPSequence if item.ReferencedSOPInstanceUID in drops]
    kept = [item for item in request.ReferencedSOPSequence if item.ReferencedSOPInstanceUID not in drops]
    for item in lost:
        item.FailureReason = NO_SUCH_OBJECT
    if kept:
        told.ReferencedSOPSequence = kept
    if lost:
        told.FailedSOPSequence = lost
    return told


def _report(association: Any, told: Dataset, call_back: tuple[str, int] | None) -> None:
    event_type = 2 if "FailedSOPSequence" in told else 1
    if call_back is not None:
        entity = AE(ae_title="ARCHIVE")
        entity.add_requested_context(StorageCommitmentPushModel)
        role = build_role(StorageCommitmentPushModel, scp_role=True)
        association = entity.associate(*call_back, ae_title="SCANSIDE", ext_neg=[role])
    if association.is_established:
        association.send_n_event_report(
            told, event_type, StorageCommitmentPushModel, StorageCommitmentPushModelInstance
        )
    if call_back is not None:
        association.release()
