# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""New software on trial: before it starts the store is brought to it, then it has to prove itself in time.

Both run in processes of their own, in the software that is judged, and the launcher believes only their exit
codes: software that cannot even say that it works does not.
"""

from __future__ import annotations

import importlib.metadata
from contextlib import ExitStack
from typing import Final

from appliance.clock import NS_PER_S, Clock
from appliance.config import Settings
from appliance.domain.audit import AuditEvent, AuditKind
from appliance.layout import Layout
from appliance.monitor.boots import BootCounter, Level
from appliance.monitor.fault import read_fault
from appliance.monitor.heartbeat import read_beat
from appliance.monitor.proof import PATH, WORKER, read_proof_of
from appliance.processes.lock import only_one
from appliance.processes.step_back import SteppedBack, is_too_new, step_back
from appliance.processes.table import EVERY_ROW, rows_for
from appliance.store.audit import note_alone
from appliance.store.connection import Database

LOOK_S: Final = 0.5
PROOFS: Final = {WORKER: "the worker's own test image", PATH: "the test exam through all processes"}
WHO: Final = "launcher"
FAULT_STANDS_S: Final = 30.0
"""A process that has said for so long why it cannot start will not: no need to wait for the limit."""


def settle(settings: Settings, layout: Layout, clock: Clock, *, why: str) -> SteppedBack | None:
    """Bring the store to this software, newer or older than what wrote it. Nothing may run meanwhile.

    `why` it runs now is a row of the audit trail. Bad starts of other software count no more. Raises
    StoreError, ConfigError, AlreadyRunningError.
    """
    layout.create()
    with ExitStack() as locks:
        for process in ("run", *(row.name for row in EVERY_ROW)):
            locks.enter_context(only_one(layout.run, process))
        BootCounter(layout.boots).reset()
        stepped = step_back(settings, layout, clock) if is_too_new(layout) else None
        about = (("software", importlib.metadata.version("scanside")), ("why", why))
        with Database.open(layout.database, data=layout.data, clock=clock) as database:
            note_alone(database, AuditEvent(kind=AuditKind.UPDATE, who=WHO, about=about))
        return stepped


def judge(settings: Settings, layout: Layout, clock: Clock, *, limit_s: float) -> str:
    """Wait until it has proved itself: ""; else, when the time is over, what is missing, in words.

    Raises StoreError when the row about it cannot be written.
    """
    since_ns = standing_since_ns = clock.monotonic_ns()
    missing = "nothing was seen of it"
    while clock.monotonic_ns() - since_ns < limit_s * NS_PER_S:
        missing = missing_since(settings, layout, clock, since_ns=since_ns)
        fault = any(read_fault(layout.run, row.name) is not None for row in rows_for(settings))
        if not fault:
            standing_since_ns = clock.monotonic_ns()
        elif clock.monotonic_ns() - standing_since_ns > FAULT_STANDS_S * NS_PER_S:
            break
        if not missing:
            about = (("software", importlib.metadata.version("scanside")), ("proved", "yes"))
            with Database.open(layout.database, data=layout.data, clock=clock) as database:
                note_alone(database, AuditEvent(kind=AuditKind.UPDATE, who=WHO, about=about))
            return ""
        clock.sleep(LOOK_S)
    return missing


def missing_since(settings: Settings, layout: Layout, clock: Clock, *, since_ns: int) -> str:
    """What is not yet seen of the software that was started after `since_ns`; "" when nothing is missing."""
    level = BootCounter(layout.boots).read().level
    if level is not Level.NORMAL:
        return f"it went down so often that not everything runs ({level.name.lower()})"
    for row in rows_for(settings):
        fault = read_fault(layout.run, row.name)
        if fault is not None:
            return f"{row.name}: {fault.what}"
        beat = read_beat(layout.run, row.name, clock)
        if beat is None or clock.monotonic_ns() - beat.age_s * NS_PER_S < since_ns:
            return f"{row.name} gives no sign of life"
    for name, words in PROOFS.items():
        proof = read_proof_of(layout.run, name, clock)
        if proof is None or proof.made_ns is None or proof.made_ns < since_ns:
            return f"{words} has not been answered"
        if not proof.passed:
            return f"{words} came out wrong: {', '.join(proof.failures)}"
    return ""
