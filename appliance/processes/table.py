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
    owns: str
    """What no other process touches."""
    silent_limit_s: float
    """Without a heartbeat for this long it counts as hung and is killed."""


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
)
"""The kiosk is a program of its own (`scanside kiosk`): it only reads the store, and may die freely."""

SIGNALS: Final = ProcessRow(
    name="signals",
    owns="the stack light, and the notices that the device sends about itself",
    silent_limit_s=60.0,
)
"""Only where the settings name a light, or somebody who is told about the device. A process of its own: it
must still show that the others are down, and a cable that hangs must not keep a result from leaving."""


KEEPER: Final = ProcessRow(
    name="keeper",
    owns="what is old: removing images, reading the spool again, the end of the audit trail",
    silent_limit_s=300.0,
)
"""A process of its own, so that it can be the last to get the disk. Nothing waits for it, and the screen says
nothing of it: what it does not do today it does tomorrow."""


def rows_for(settings: Settings) -> tuple[ProcessRow, ...]:
    """The processes that these settings need."""
    signals = settings.light.kind != "none" or device_event_receivers(settings)
    return (*PROCESSES, KEEPER, SIGNALS) if signals else (*PROCESSES, KEEPER)


def device_event_receivers(settings: Settings) -> tuple[str, ...]:
    """Who is told when the device needs somebody, by name."""
    return tuple(
        receiver.name
        for receiver in settings.sender.receivers
        if isinstance(receiver, NoticeSettings) and receiver.device_events
    )


RESTARTS_AT_ONCE: Final = 5
"""This many restarts within RESTART_WINDOW_S are immediate; then the process waits RESTART_PAUSE_S."""
RESTART_WINDOW_S: Final = 60.0
RESTART_PAUSE_S: Final = 15.0
