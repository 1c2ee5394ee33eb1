# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at models and measurements beside the screen: once per opening of the page, on its own thread.

What reads bundles is imported when it is needed: the screen itself is small and starts at once.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, pyqtSignal

from appliance.config import Settings
from appliance.errors import ScansideError
from appliance.layout import Layout
from ui.latency_files import read_latency_files
from ui.latency_state import latency_state
from ui.models_state import models_state, not_checked

if TYPE_CHECKING:
    from appliance.models.inventory import Inventory


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
        self._lock = threading.Lock()
        self._is_looking = False
        self._again = False

    def look(self) -> None:
        """Begin a look; one that is under way is followed by another."""
        with self._lock:
            if self._is_looking:
                self._again = True
                return
            self._is_looking = True
        self.stop()  # the last one has nothing more to do than to end
        self._thread = threading.Thread(target=self._run, name="device-reader")
        self._thread.start()

    def stop(self) -> None:
        """Wait for the look that is under way: verifying the models takes a second or two."""
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while True:
            self._look_once()
            with self._lock:
                if not self._again:
                    self._is_looking = False
                    return
                self._again = False

    def _look_once(self) -> None:
        self.latency_read.emit(latency_state(read_latency_files(self._layout.bench)))
        try:
            self.models_read.emit(models_state(inventory_of(self._settings, self._layout)))
        except ScansideError as error:
            self.models_read.emit(not_checked(str(error)))
        except Exception as error:  # noqa: BLE001  this thread's one catch-all: without it the page would say
            self.models_read.emit(not_checked(str(error)))  # "checking" for ever


def inventory_of(settings: Settings, layout: Layout) -> Inventory:
    """The models of this device, verified now with the keys of its settings."""
    from appliance.processes.models import inventory_of as look  # noqa: PLC0415  (onnx, cryptography)

    return look(settings, layout)
