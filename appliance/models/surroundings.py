# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What a process adds to the models that it serves: its slots, a sign of life, a record of changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from appliance.engines.kserve import InferenceServer
from appliance.models.retry import Retry
from appliance.models.served import Served
from appliance.models.slots import SlotFolder


def _nobody() -> None:
    """For those who have nobody to show life to."""


def _nothing(served: Served) -> None:
    """For those who keep no log."""
    del served


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the process around a registry adds to it."""

    slots: SlotFolder | None = None
    """What was activated on this device; None: only the folders count."""
    mends_slots: bool = False
    """Take an activated release that cannot serve out of its slot: only the worker does."""
    alive: Callable[[], None] = _nobody
    """Called about every second while a passport is made."""
    at_change: Callable[[Served], None] = _nothing
    """Called whenever a task gets an engine, or another one."""
    server: InferenceServer | None = None
    """For the engine `remote`; None: there is none."""
    retry: Retry | None = None
    """Which engines are tried again after a failure; None: not one."""
