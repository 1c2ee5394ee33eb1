# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of the kiosk: application, window, controller, and their orderly end."""

from __future__ import annotations

from pathlib import Path
from typing import Final, cast

from PyQt6.QtCore import QTimer
from PyQt6.QtGui import QFont, QGuiApplication, QPixmap
from PyQt6.QtWidgets import QApplication

from appliance.clock import Clock
from appliance.config import Settings
from appliance.errors import ConfigError, ExitCode, ScansideError
from appliance.first_run.pending import never_set_up
from appliance.layout import Layout
from appliance.selftest.demonstration import is_demonstration
from ui.controller import KioskController
from ui.demo_band import put_band
from ui.device_reader import DeviceReader
from ui.device_source import DeviceSource
from ui.guard import Guard
from ui.kiosk import KioskWindow
from ui.language import use_language
from ui.lockdown import Lockdown
from ui.records import StoreTrouble
from ui.reveal_state import reveal_from
from ui.self_watch import SelfWatch, last_exam
from ui.store_source import StoreSource, open_store
from ui.theme import FAMILIES
from ui.view_state import Profile

FIRST_RUN: Final = 1002
"""What it ends with when the device is to be set up anew."""
ANOTHER_LANGUAGE: Final = 1000
"""What the event loop ends with when the next window speaks another language: no exit code of a process."""
SIGNAL_LOOK_MS: Final = 500
"""Python handles signals only between two of its own steps: the event loop makes one this often."""


class KioskSession:
    """Owns the application. Built once per process."""

    def __init__(
        self,
        layout: Layout,
        settings: Settings,
        clock: Clock,
        *,
        profile: Profile,
        exam_id: str | None = None,
        config: Path | None = None,
    ) -> None:
        """`config`: the settings file that was named; None: there is none."""
        existing = QApplication.instance()
        self._application = existing if isinstance(existing, QApplication) else QApplication(["scanside"])
        self._application.setQuitOnLastWindowClosed(False)
        font = QFont()
        font.setFamilies(list(FAMILIES))
        self._application.setFont(font)
        self._layout = layout
        self._settings = settings
        self._clock = clock
        self._profile: Profile = profile
        self._exam_id = exam_id
        self._config = config
        self._lockdown = Lockdown()
        peers = tuple(peer.name for peer in settings.everybody)
        self._device_source = DeviceSource(clock, peers=peers)

    def run(self, size: tuple[int, int] | None, *, first_run: bool = False) -> int:
        """Show the window until it is closed or `quit` is called. Returns the exit code.

        `first_run`: set the device up first, whether or not it has been.
        """
        screen = QGuiApplication.primaryScreen()
        panel = screen.size() if screen is not None else None
        shown = size or ((panel.width(), panel.height()) if panel is not None else (1920, 1080))
        self._application.installEventFilter(self._lockdown)
        signals = QTimer()
        signals.timeout.connect(lambda: None)
        signals.start(SIGNAL_LOOK_MS)
        exam_id = self._exam_id or last_exam(self._layout.run)
        by_itself = not first_run and self._is_new()
        code = FIRST_RUN if first_run or by_itself else ANOTHER_LANGUAGE
        ends = self._application.lastWindowClosed.connect(self.quit)
        try:
            while code in {ANOTHER_LANGUAGE, FIRST_RUN}:
                if code == FIRST_RUN:
                    code = self._set_up(shown, full=size is None, by_itself=by_itself)
                    by_itself = False
                else:
                    code, exam_id = self._show(shown, exam_id, full=size is None)
        finally:
            self._application.lastWindowClosed.disconnect(ends)
            signals.stop()
            self._application.removeEventFilter(self._lockdown)
        return code

    def _is_new(self) -> bool:
        """Never set up, and no demonstration."""
        new = never_set_up(self._settings, self._layout, self._clock)
        return new and not is_demonstration(self._layout.data)

    def _set_up(self, size: tuple[int, int], *, full: bool, by_itself: bool) -> int:
        """The first run. What was answered of room and language holds at once, also before it is in place."""
        from appliance.first_run.answers import KIOSK_PROFILES  # noqa: PLC0415  the screen starts without all
        from ui.first_run_desk import FirstRunDesk  # noqa: PLC0415  that is needed once in a device's life
        from ui.first_run_session import TO_WORK, FirstRunSession  # noqa: PLC0415

        desk = FirstRunDesk(self._settings, self._layout, self._clock, config=self._config)
        asked = FirstRunSession(
            self._application, self._lockdown, desk, self._clock, self._settings, by_itself=by_itself
        )
        watch = SelfWatch(self._layout.run, self._clock, lambda: None)
        watch.start()
        try:
            code = asked.run(size, full=full)
        finally:
            watch.stop()
        if asked.is_written:
            self._profile = cast("Profile", KIOSK_PROFILES[asked.draft.profile])
        return ANOTHER_LANGUAGE if code == TO_WORK else code

    def _show(self, size: tuple[int, int], exam_id: str | None, *, full: bool) -> tuple[int, str | None]:
        """One window from its first picture to its end. Returns the exit code and the exam it showed."""
        window = self._window(size)
        guard = Guard(window, self._settings, self._layout, self._clock)
        controller = self._controller(window, guard, exam_id)
        watch = SelfWatch(self._layout.run, self._clock, lambda: controller.selected)
        window.language_wanted.connect(self._change_language)
        guard.first_run_wanted.connect(self._set_up_anew)
        guard.start()
        controller.start()
        watch.start()
        if full:
            self._lockdown.engage()
            window.showFullScreen()
        else:
            window.show()
        try:
            return self._application.exec(), controller.selected
        finally:
            self._lockdown.release()
            watch.stop()
            controller.stop()
            guard.stop()
            window.close()
            window.deleteLater()

    def _change_language(self, code: str) -> None:
        """The words of a window are fixed when it is built: another one takes its place."""
        use_language(code)
        self._lockdown.release()
        self._application.exit(ANOTHER_LANGUAGE)

    def _set_up_anew(self) -> None:
        self._lockdown.release()
        self._application.exit(FIRST_RUN)

    def quit(self) -> None:
        """End `run`. Not Qt's own `quit`: it closes the window and leaves a second order to end behind."""
        self._application.exit(ExitCode.OK)

    def save_picture(self, file: Path, size: tuple[int, int]) -> None:
        """One reading of the store, drawn at `size` (width, height) and saved as PNG.

        An emergency department's is its wall, unless an exam is wanted. Raises ConfigError when there is no
        exam of the wanted id or the file cannot be written.
        """
        window = self._window(size)
        controller = self._controller(window, None, self._exam_id)
        try:
            self._read_once(controller)
            saved = self._picture(window).save(str(file), "PNG")
        finally:
            controller.stop()
            window.close()
            window.deleteLater()
        if not saved:
            raise ConfigError(
                f"The picture cannot be written to {file}.", remedy="Name a file in a folder that exists."
            )

    def _read_once(self, controller: KioskController) -> None:
        try:
            with self._open_store() as source:
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

    def _picture(self, window: KioskWindow) -> QPixmap:
        wall = window.rooms.wall if self._exam_id is None else None
        if wall is None:
            window.show_exam_page()
        window.show()
        self._application.processEvents()
        if wall is not None:
            wall.thumbnails.finish()
        return window.grab()

    def _window(self, size: tuple[int, int]) -> KioskWindow:
        window = KioskWindow(size, self._settings.kiosk.screen_mm, profile=self._profile)
        if is_demonstration(self._layout.data):
            put_band(window)
        return window

    def _open_store(self) -> StoreSource:
        return open_store(self._layout, self._clock, device=self._device_source, settings=self._settings)

    def _controller(self, window: KioskWindow, guard: Guard | None, exam_id: str | None) -> KioskController:
        return KioskController(
            window,
            self._open_store,
            self._clock,
            interval_s=self._settings.kiosk.poll_interval_s,
            exam_id=exam_id,
            reveal=reveal_from(self._settings.kiosk),
            ceiling_s=self._settings.queue.ceiling_s_of(self._profile),
            device=DeviceReader(self._settings, self._layout),
            guard=guard,
        )
