# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Start and end of a process, in the audit trail; with it, what it runs with when that has changed."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Iterator
from contextlib import contextmanager

from appliance.clock import Clock
from appliance.config import Settings
from appliance.domain.audit import AuditEvent, AuditKind
from appliance.layout import Layout
from appliance.store.audit import Trail, note
from appliance.store.connection import Database

TELLS_OF_THE_DEVICE = "watcher"
"""One process says what all of them run with."""


@contextmanager
def in_the_trail(name: str, settings: Settings, layout: Layout, clock: Clock) -> Iterator[None]:
    """A row at the start, and one at the end: a start without an end was a crash or a pulled plug.

    Raises StoreError when the first cannot be written. The process holds no connection meanwhile.
    """
    software = importlib.metadata.version("scanside")
    started = AuditEvent(kind=AuditKind.STARTED, who=name, about=(("software", software),))
    with Database.open(layout.database, data=layout.data, clock=clock) as database:
        changes = _changes(database, settings, software) if name == TELLS_OF_THE_DEVICE else ()
        with database.transaction() as write:
            for event in (started, *changes):
                note(database, write, event)
    yield
    with (
        Database.open(layout.database, data=layout.data, clock=clock) as database,
        database.transaction() as write,
    ):
        note(database, write, AuditEvent(kind=AuditKind.STOPPED, who=name))


def _changes(database: Database, settings: Settings, software: str) -> tuple[AuditEvent, ...]:
    """What is different from the last time that it was said; settings name files of secrets, not secrets."""
    digest = hashlib.sha256(settings.model_dump_json().encode()).hexdigest()
    now = {AuditKind.SETTINGS: ("settings", digest), AuditKind.SOFTWARE: ("software", software)}
    trail = Trail(database)
    events = []
    for kind, fact in now.items():
        before = trail.latest(kind)
        if before is None or before.event.about != (fact,):
            events.append(AuditEvent(kind=kind, who=TELLS_OF_THE_DEVICE, about=(fact,)))
    return tuple(events)
