# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A real archive on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ssl import SSLContext
from typing import Any

from pynetdicom import AE, evt
from pynetdicom.sop_class import CTImageStorage, Verification


@contextmanager
def receiver(
    *,
    status: int | Callable[[Any], int] = 0x0000,
    takes: Any = CTImageStorage,
    syntaxes: Any = None,
    port: int = 0,
    tls: SSLContext | None = None,
    **rules: Any,
) -> Iterator[tuple[int, list[tuple[bytes, str]]]]:
    """A storage SCP; yields its port and what it has received: encoded dataset, transfer syntax."""
    received: list[tuple[bytes, str]] = []

    def store(event: Any) -> int:
        received.append((event.encoded_dataset(include_meta=False), str(event.context.transfer_syntax)))
        return status(event) if callable(status) else status

    entity = AE(ae_title="ARCHIVE")
    for name, value in rules.items():
        setattr(entity, name, value)
    if syntaxes is None:
        entity.add_supported_context(takes)
    else:
        entity.add_supported_context(takes, syntaxes)
    entity.add_supported_context(Verification)
    server = entity.start_server(
        ("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_C_STORE, store)], ssl_context=tls
    )
    try:
        yield server.server_address[1], received
    finally:
        server.shutdown()
