# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps the device page up to date while it is in front, and has models and measurements looked at."""

from __future__ import annotations

from PyQt6.QtCore import QObject

from ui.device_page import DevicePage, DeviceVisit
from ui.device_reader import DeviceReader
from ui.device_state import device_state
from ui.health_state import HealthState
from ui.language import tr
from ui.latency_state import being_read
from ui.models_state import being_checked, not_checked
from ui.records import BoardRecord, StoreTrouble


class DevicePresenter(QObject):
    """One page. `stop` before it is dropped."""

    def __init__(self, page: DevicePage, visit: DeviceVisit, reader: DeviceReader | None) -> None:
        """`reader`: None where there are no settings, so no models are known."""
        super().__init__()
        self._page = page
        self._visit = visit
        self._reader = reader
        self._reading: tuple[BoardRecord, StoreTrouble | None, HealthState, int] | None = None
        visit.opened.connect(self._open)
        if reader is not None:
            reader.models_read.connect(page.models.show_state)
            reader.latency_read.connect(page.latency.show_state)

    def take(
        self,
        board: BoardRecord | None,
        *,
        trouble: StoreTrouble | None,
        health: HealthState | None,
        now_ns: int,
    ) -> None:
        """A new reading, or a later moment of the last one."""
        self._reading = None if board is None or health is None else (board, trouble, health, now_ns)
        if self._visit.is_open:
            self._draw()

    def stop(self) -> None:
        """End the look that is under way."""
        if self._reader is not None:
            self._reader.stop()

    def _open(self) -> None:
        self._draw()
        self._page.latency.show_state(being_read())
        if self._reader is None:
            self._page.models.show_state(not_checked(tr("No settings were given.")))
        else:
            self._page.models.show_state(being_checked())
            self._reader.look()

    def _draw(self) -> None:
        if self._reading is None:
            self._page.device.show_state(None)
            return
        board, trouble, health, now_ns = self._reading
        state = device_state(board, now_ns=now_ns, trouble=trouble, health=health)
        self._page.device.show_state(state)
