# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of the kiosk: application, window, controller, and their orderly end."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PyQt6.QtCore import QTimer
from PyQt6.QtGui import QFont, QGuiApplication
from PyQt6.QtWidgets import QApplication

from appliance.clock import Clock
from appliance.config import KioskSettings
from appliance.errors import ConfigError, ScansideError
from appliance.layout import Layout
from appliance.selftest.demonstration import is_demonstration
from ui.controller import KioskController
from ui.demo_band import put_band
from ui.kiosk import KioskWindow
from ui.records import StoreTrouble
from ui.store_source import StoreSource
from ui.theme import FAMILIES
from ui.view_state import Profile

SIGNAL_LOOK_MS: Final = 500
"""Python handles signals only between two of its own steps: the event loop makes one this often."""


class KioskSession:
    """Owns the application. Built once per process."""

    def __init__(
        self,
        layout: Layout,
        settings: KioskSettings,
        clock: Clock,
        *,
        profile: Profile,
        exam_id: str | None = None,
    ) -> None:
        existing = QApplication.instance()
        self._application = existing if isinstance(existing, QApplication) else QApplication(["scanside"])
        font = QFont()
        font.setFamilies(list(FAMILIES))
        self._application.setFont(font)
        self._layout = layout
        self._settings = settings
        self._clock = clock
        self._profile: Profile = profile
        self._exam_id = exam_id

    def run(self, size: tuple[int, int] | None) -> int:
        """Show the window until it is closed or `quit` is called. Returns the exit code."""
        screen = QGuiApplication.primaryScreen()
        panel = screen.size() if screen is not None else None
        shown = size or ((panel.width(), panel.height()) if panel is not None else (1920, 1080))
        window, controller = self._build(shown)
        signals = QTimer()
        signals.timeout.connect(lambda: None)
        signals.start(SIGNAL_LOOK_MS)
        controller.start()
        if size is None:
            window.showFullScreen()
        else:
            window.show()
        try:
            return self._application.exec()
        finally:
            signals.stop()
            controller.stop()
            window.close()
            window.deleteLater()

    def quit(self) -> None:
        """End `run`."""
        self._application.quit()

    def save_picture(self, file: Path, size: tuple[int, int]) -> None:
        """One reading of the store, drawn at `size` (width, height) and saved as PNG.

        Raises ConfigError when there is no exam of the wanted id or the file cannot be written.
        """
        window, controller = self._build(size)
        try:
            with StoreSource(self._layout, self._clock) as source:
                controller.take_board(source.read())
        except ScansideError as error:
            since_ns = self._clock.monotonic_ns()
            controller.take_trouble(StoreTrouble(what=error.what, remedy=error.remedy, since_ns=since_ns))
        selected = controller.state.selected if controller.state is not None else None
        if self._exam_id is not None and (selected is None or selected.exam_id != self._exam_id):
            raise ConfigError(
                f"There is no exam {self._exam_id} among the newest in the store.",
                remedy="scanside results lists what there is.",
            )
        window.show_exam_page()
        window.show()
        self._application.processEvents()
        saved = window.grab().save(str(file), "PNG")
        window.close()
        window.deleteLater()
        if not saved:
            raise ConfigError(
                f"The picture cannot be written to {file}.", remedy="Name a file in a folder that exists."
            )

    def _build(self, size: tuple[int, int]) -> tuple[KioskWindow, KioskController]:
        window = KioskWindow(size, self._settings.screen_mm, profile=self._profile)
        if is_demonstration(self._layout.data):
            put_band(window)
        controller = KioskController(
            window,
            lambda: StoreSource(self._layout, self._clock),
            self._clock,
            interval_s=self._settings.poll_interval_s,
            exam_id=self._exam_id,
        )
        return window, controller
