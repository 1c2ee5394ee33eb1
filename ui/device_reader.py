# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at models and measurements beside the screen: once per opening of the page, on a thread of its own."""

from __future__ import annotations

import threading
from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal

from appliance.config import Settings
from appliance.errors import ScansideError
from appliance.layout import Layout
from appliance.models.inventory import Inventory, take_inventory
from appliance.models.releases import Releases
from appliance.processes.models import inference_server, model_folders, slot_folder, trusted_keys
from ui.latency_files import read_latency_files
from ui.latency_state import latency_state
from ui.models_state import models_state, not_checked


class DeviceReader(QObject):
    """`look`, then `stop` before it is dropped."""

    models_read = pyqtSignal(object)
    """A ModelsState."""
    latency_read = pyqtSignal(object)
    """A LatencyState."""

    def __init__(self, settings: Settings, layout: Layout) -> None:
        super().__init__()
        self._settings = settings
        self._layout = layout
        self._thread: threading.Thread | None = None

    def look(self) -> None:
        """Begin a look, unless one is under way."""
        if self._thread is not None and self._thread.is_alive():
            return
        self._thread = threading.Thread(target=self._run, name="device-reader")
        self._thread.start()

    def stop(self) -> None:
        """Wait for the look that is under way: verifying the models takes a second or two."""
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        self.latency_read.emit(latency_state(read_latency_files(self._layout.data)))
        try:
            self.models_read.emit(models_state(inventory_of(self._settings, self._layout)))
        except ScansideError as error:
            self.models_read.emit(not_checked(str(error)))
        except Exception as error:  # noqa: BLE001  this thread's one catch-all: without it the page would say
            self.models_read.emit(not_checked(str(error)))  # "checking" for ever


def inventory_of(settings: Settings, layout: Layout) -> Inventory:
    """The models of this device, verified now with the keys of its settings."""
    cache: Path = layout.engine_cache
    return take_inventory(
        model_folders(settings),
        trust=trusted_keys(settings),
        slots=slot_folder(settings, layout),
        releases=Releases(layout.releases, read_only=True),
        cache=cache,
        server=inference_server(settings),
    )
