# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the machine beside the store: a few small files, and not at every look."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from appliance.clock import NS_PER_S, Clock
from appliance.layout import Layout
from appliance.monitor.power import POWER_SUPPLY, read_battery
from appliance.monitor.thermal import THERMAL, read_temperature
from appliance.monitor.timekeeping import TIMESYNC, ClockWatch, network_time
from appliance.monitor.turned_away import repeatedly_turned_away
from appliance.store.connection import Database
from appliance.store.peers import Peers
from ui.device_record import DeviceRecord

AGAIN_AFTER_S: Final = 4.0
"""A sensor may take milliseconds to answer; heat, charge and receivers change slowly."""


class DeviceSource:
    """One machine, for one thread. It outlives the connections to the store."""

    def __init__(
        self,
        clock: Clock,
        *,
        peers: tuple[str, ...] = (),
        thermal: Path = THERMAL,
        power_supply: Path = POWER_SUPPLY,
        timesync: Path = TIMESYNC,
    ) -> None:
        """`peers`: names of the receivers in the settings. The folders are where Linux tells."""
        self._clock = clock
        self._peers = peers
        self._thermal = thermal
        self._power_supply = power_supply
        self._timesync = timesync
        self._watch = ClockWatch(clock)
        self._last: DeviceRecord | None = None
        self._read_ns = 0

    def read(self, database: Database) -> DeviceRecord:
        """The newest look, at most some seconds old. Raises StoreError."""
        now_ns = self._clock.monotonic_ns()
        if self._last is None or now_ns - self._read_ns >= AGAIN_AFTER_S * NS_PER_S:
            self._last = self._look(database)
            self._read_ns = now_ns
        return self._last

    def _look(self, database: Database) -> DeviceRecord:
        try:
            free_bytes = shutil.disk_usage(database.data).free
        except OSError:
            free_bytes = None
        peers = Peers(database)
        return DeviceRecord(
            temperature=read_temperature(self._thermal),
            battery=read_battery(self._power_supply),
            disk_free_bytes=free_bytes,
            network_time=network_time(self._timesync),
            clock_moved_s=self._watch.moved_s(),
            peers=tuple(peers.of(name) for name in self._peers),
            turned_away=repeatedly_turned_away(Layout(data=database.data).run, self._clock),
        )
