# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine as it was read: heat, battery, clock, disk, receivers. None is "this device does not tell"."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.domain.turned_away import TurnedAway
from appliance.monitor.power import Battery
from appliance.monitor.thermal import Temperature
from appliance.store.peers import PeerStanding


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRecord:
    """One look."""

    temperature: Temperature | None
    battery: Battery | None
    disk_free_bytes: int | None
    network_time: bool | None
    """Whether the clock was set from the network since the boot."""
    clock_moved_s: float
    """By how much the clock was set since the screen started; positive: forward."""
    peers: tuple[PeerStanding, ...]
    """In the order of the settings; empty: no receiver is configured."""
    turned_away: tuple[TurnedAway, ...] = ()
    """Machines that the DICOM door turned away again and again during the last hour."""
