# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A window with its guard and its controller on a clinic, for every test that needs the whole screen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from appliance.config import Settings
from appliance.pins import Role, set_pin
from appliance.receivers import PeerSettings
from ui.controller import KioskController
from ui.guard import Guard
from ui.kiosk import KioskWindow
from ui.store_source import StoreSource
from ui.view_state import Profile

PIN: Final = "483920"


@cache
def _pin_file() -> str:
    """Hashing is slow on purpose: once for all tests."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "pins.toml"
        for role in Role:
            set_pin(file, role, PIN)
        return file.read_text(encoding="ascii")


class Guarded:
    """Nothing runs by itself but the event filter: time is the clinic's clock."""

    def __init__(self, clinic: Any, window: KioskWindow, guard: Guard, controller: KioskController) -> None:
        self.clinic = clinic
        self.window = window
        self.guard = guard
        self.controller = controller

    def read(self) -> None:
        """The newest reading onto the screen."""
        self.controller.take_board(self.clinic.read())

    def wait(self, seconds: float) -> None:
        """Nobody touches for so long."""
        self.clinic.clock.advance(seconds)
        self.clinic.signs_of_life()
        self.read()

    @property
    def page(self) -> object:
        return self.window.pages.currentWidget()

    def enter(self, pin: str) -> None:
        """Tap a PIN on the keypad."""
        for digit in pin:
            next(key for key in self.guard.pin._keys if key.text() == digit).click()
        next(key for key in self.guard.pin._keys if key.text() == "OK").click()


@contextmanager
def guarded(
    clinic: Any,
    qtbot: Any,
    *,
    size: tuple[int, int] = (1280, 800),
    screen_mm: tuple[float, float] = (344.0, 194.0),
    profile: Profile = "scanner",
    with_pins: bool = True,
    peers: tuple[PeerSettings, ...] = (),
) -> Iterator[Guarded]:
    """The whole screen, shown; ended in order."""
    pins = clinic.layout.run / "pins.toml"
    if with_pins and not pins.exists():
        pins.write_text(_pin_file(), encoding="ascii")
        pins.chmod(0o600)
    settings = Settings.model_validate(
        {"kiosk": {"pins": pins}, "sender": {"peers": [peer.model_dump() for peer in peers]}}
    )
    window = KioskWindow(size, screen_mm, profile=profile)
    guard = Guard(window, settings, clinic.layout, clinic.clock)
    controller = KioskController(
        window,
        lambda: StoreSource(clinic.layout, clinic.clock),
        clinic.clock,
        interval_s=0.02,
        guard=guard,
    )
    screen = Guarded(clinic, window, guard, controller)
    screen.read()
    window.show()
    qtbot.waitExposed(window)
    guard.start()
    try:
        yield screen
    finally:
        guard.stop()
        controller.stop()
        window.close()
        window.deleteLater()
