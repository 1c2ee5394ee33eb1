# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first run on the screen from its first page to its end; it never stands between a person and images."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from PyQt6.QtCore import QObject, QTimer
from PyQt6.QtWidgets import QApplication

from appliance.clock import NS_PER_S, Clock
from appliance.config import Settings
from appliance.monitor.service_manager import tell_alive, tell_ready
from ui.activity import ActivityFilter
from ui.errand import Errand
from ui.first_run_desk import FirstRunDesk
from ui.first_run_state import Draft
from ui.first_run_wizard import FirstRunWizard
from ui.language import language, tr, use_language
from ui.lockdown import Lockdown
from ui.presence_state import LOCK_AFTER_S

TO_WORK: Final = 1001
"""What the event loop ends with when the work is to be shown: no exit code of a process."""
_ANOTHER_LANGUAGE: Final = 1000
WATCH_MS: Final = 5000
ALIVE_MS: Final = 1000
LEFT_ALONE_S: Final = 60.0
"""Untouched for so long while images wait: whoever began it has gone."""


class FirstRunSession(QObject):
    """Built once per first run."""

    def __init__(
        self,
        application: QApplication,
        lockdown: Lockdown,
        desk: FirstRunDesk,
        clock: Clock,
        settings: Settings,
        *,
        by_itself: bool,
    ) -> None:
        """`by_itself`: nobody asked for it, so it goes by itself, too; else somebody did, behind a PIN."""
        super().__init__()
        self._application = application
        self._lockdown = lockdown
        self._desk = desk
        self._clock = clock
        self._settings = settings
        self._by_itself = by_itself
        self._touched_ns = clock.monotonic_ns()
        self._window: FirstRunWizard | None = None
        self._watching = Errand("first-run-watch")
        self._watching.done.connect(self._take_watch)
        self.draft: Draft = desk.draft(language=language())
        """What was answered, also where nothing was written."""
        self.is_written = False

    def run(self, size: tuple[int, int], *, full: bool) -> int:
        """Show it until its end. Returns TO_WORK, or the exit code of a process that is told to end."""
        touches = ActivityFilter(lambda _place: False)
        touches.active.connect(self._touch)
        self._application.installEventFilter(touches)
        watch, alive = QTimer(), QTimer()
        watch.timeout.connect(self._watch)
        alive.timeout.connect(lambda: tell_alive("first run"))
        watch.start(WATCH_MS)
        alive.start(ALIVE_MS)
        try:
            code = _ANOTHER_LANGUAGE
            while code == _ANOTHER_LANGUAGE:
                code = self._show(size, full=full)
            return code
        finally:
            watch.stop()
            alive.stop()
            self._application.removeEventFilter(touches)
            self._watching.stop()

    def _show(self, size: tuple[int, int], *, full: bool) -> int:
        screen_mm = self._settings.kiosk.screen_mm
        window = FirstRunWizard(self._desk, self._clock, size, screen_mm, draft=self.draft)
        self._window = window
        window.language_wanted.connect(self._change_language)
        window.ended.connect(lambda: self._application.exit(TO_WORK))
        window.start()
        if full:
            self._lockdown.engage()
            window.showFullScreen()
        else:
            window.show()
        tell_ready()
        try:
            return self._application.exec()
        finally:
            self._window = None
            self._lockdown.release()
            self.draft = replace(window.draft, language=language())
            self.is_written = window.is_written
            window.stop()
            window.close()
            window.deleteLater()

    def _change_language(self, code: str) -> None:
        use_language(code)
        self._application.exit(_ANOTHER_LANGUAGE)

    def _touch(self) -> None:
        self._touched_ns = self._clock.monotonic_ns()

    def _watch(self) -> None:
        untouched_s = (self._clock.monotonic_ns() - self._touched_ns) / NS_PER_S
        if self._by_itself:
            self._watching.run(lambda _gives_up: self._desk.exams_wait())
        elif untouched_s >= LOCK_AFTER_S:
            self._application.exit(TO_WORK)

    def _take_watch(self, exams_wait: object) -> None:
        if not exams_wait or self._window is None:
            return
        self._window.frame.later.say(tr("To the images"))
        if self._clock.monotonic_ns() - self._touched_ns >= LEFT_ALONE_S * NS_PER_S:
            self._application.exit(TO_WORK)
