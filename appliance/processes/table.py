# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The processes of the appliance, as a table: what each owns, how it shows life, how it is restarted.

On a desk `scanside run` supervises this table; on a device the service manager does, from the same rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from appliance.config import Settings
from appliance.receivers import NoticeSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessRow:
    """One process."""

    name: str
    """`python -m appliance.processes NAME` starts it; also the name of its lock and its heartbeat."""
    is_screen: bool = False
    """A program of its own (`python -m ui`). It may stay away: closed by somebody, or without a display."""
    owns: str
    """What no other process touches."""
    silent_limit_s: float
    """Without a heartbeat for this long it counts as hung and is killed. Where the last one promised the next
    within a budget, that counts instead, and PAST_BUDGET_S."""


PROCESSES: Final = (
    ProcessRow(
        name="watcher",
        owns="the doors (inbox, DICOM listener), the spool and which files make an acquisition",
        silent_limit_s=60.0,
    ),
    ProcessRow(
        name="worker",
        owns="the engines, the decoding jails, views and derived images",
        silent_limit_s=120.0,
    ),
    ProcessRow(
        name="sender",
        owns="the DICOM results and the ways out of the device",
        silent_limit_s=300.0,
    ),
    ProcessRow(
        name="monitor",
        owns="what is counted, the metrics' door, the test exam, drift and the nights of shadows",
        silent_limit_s=300.0,
    ),
)
"""What every appliance runs."""

WORKLIST: Final = ProcessRow(
    name="worklist",
    owns="the list of examinations that are expected",
    silent_limit_s=600.0,
)
"""Only where the settings name one. A process of its own: a server that hangs must not delay intake."""

SIGNALS: Final = ProcessRow(
    name="signals",
    owns="the stack light, and the notices that the device sends about itself",
    silent_limit_s=60.0,
)
"""Only where the settings name a light, or somebody who is told about the device. A process of its own: it
must still show that the others are down, and a cable that hangs must not keep a result from leaving."""

KIOSK: Final = ProcessRow(
    name="kiosk", owns="the screen; it only reads the store", silent_limit_s=120.0, is_screen=True
)
"""Only with `scanside run --kiosk`. One that is frozen or dead is started again; the others never notice."""

IN_SAFE_MODE: Final = frozenset({"watcher", KIOSK.name})
"""What runs on a device that does not stay up: it receives and shows."""

KEEPER: Final = ProcessRow(
    name="keeper",
    owns="what is old: removing images, reading the spool again, the end of the audit trail",
    silent_limit_s=300.0,
)
"""A process of its own, so that it can be the last to get the disk. Nothing waits for it, and the screen says
nothing of it: what it does not do today it does tomorrow."""

EVERY_ROW: Final = (*PROCESSES, KEEPER, WORKLIST, SIGNALS)


def rows_for(settings: Settings) -> tuple[ProcessRow, ...]:
    """The processes that these settings need."""
    worklist = (WORKLIST,) if settings.worklist.host else ()
    signals = (SIGNALS,) if settings.light.kind != "none" or device_event_receivers(settings) else ()
    return (*PROCESSES, KEEPER, *worklist, *signals)


def device_event_receivers(settings: Settings) -> tuple[str, ...]:
    """Who is told when the device needs somebody, by name."""
    return tuple(
        receiver.name
        for receiver in settings.sender.receivers
        if isinstance(receiver, NoticeSettings) and receiver.device_events
    )


PAST_BUDGET_S: Final = 5.0
"""A process this long past the budget that it gave itself is killed: found within 10 s of it, also on a
machine that is busy."""
RESTARTS_AT_ONCE: Final = 5
"""This many restarts within RESTART_WINDOW_S are immediate; then the process waits RESTART_PAUSE_S."""
RESTART_WINDOW_S: Final = 60.0
RESTART_PAUSE_S: Final = 15.0
