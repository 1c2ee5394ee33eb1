# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the first run shows itself, and that it never stands between a person and images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from appliance.config import Settings
from appliance.selftest.demonstration import MARKER
from tests.ui.clinic import Clinic
from tests.ui.guarded import guarded
from ui import first_run_session
from ui.first_run_wizard import FirstRunWizard
from ui.kiosk import KioskWindow
from ui.language import language, use_language
from ui.session import KioskSession

SIZE = (1280, 800)
LOOK_MS = 50
LONGEST_LOOKS = 1200
"""A minute, on a machine that has much else to do."""
SHIPPED = Settings.model_construct()
"""The environment of the tests says something; a new device has nothing."""


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    yield
    use_language("en")


def windows(kind: type[Any]) -> list[Any]:
    return [one for one in QApplication.topLevelWidgets() if isinstance(one, kind) and one.isVisible()]


def run(
    clinic: Clinic, steps: list[Callable[[], bool]], *, settings: Settings = SHIPPED, first_run: bool = False
) -> None:
    """The session; each step is tried again and again until it says that it is done, then the next one."""
    session = KioskSession(clinic.layout, settings, clinic.clock, profile="scanner")
    left = list(steps)
    looks = 0

    def look() -> None:
        nonlocal looks
        looks += 1
        if looks > LONGEST_LOOKS or not left:
            session.quit()
        elif left[0]():
            left.pop(0)

    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(LOOK_MS)
    try:
        assert session.run(SIZE, first_run=first_run) == 0
    finally:
        timer.stop()
    assert left == []


def asks() -> bool:
    return bool(windows(FirstRunWizard)) and not windows(KioskWindow)


def says(text: str) -> bool:
    return any(one.frame.later.text() == text for one in windows(FirstRunWizard))


def works() -> bool:
    return bool(windows(KioskWindow)) and not windows(FirstRunWizard)


def later() -> bool:
    windows(FirstRunWizard)[0].frame.later.click()
    return True


def test_a_new_device_asks_and_later_is_one_tap_away(clinic: Clinic, qtbot: QtBot) -> None:
    del qtbot

    def swahili() -> bool:
        windows(FirstRunWizard)[0].frame.language.buttons["sw"].click()
        return True

    def asks_in_swahili() -> bool:
        return asks() and language() == "sw" and windows(FirstRunWizard)[0].draft.language == "sw"

    run(clinic, [asks, swahili, asks_in_swahili, later, works])
    assert not clinic.layout.settings.exists()  # nothing was written: the next start asks again


@pytest.mark.parametrize("why", ["settings", "an exam", "a demonstration"])
def test_a_device_that_is_set_up_shows_the_work_at_once(clinic: Clinic, qtbot: QtBot, why: str) -> None:
    del qtbot
    if why == "an exam":
        clinic.land("one")
    if why == "a demonstration":
        (clinic.layout.data / MARKER).write_text("", encoding="ascii")
    settings = Settings.model_validate({"site_name": "West"}) if why == "settings" else SHIPPED
    shown: list[bool] = []

    def look() -> bool:
        shown.append(bool(windows(FirstRunWizard)))
        return works()

    run(clinic, [look], settings=settings)
    assert not any(shown)


def test_it_can_be_asked_for(clinic: Clinic, qtbot: QtBot) -> None:
    del qtbot
    clinic.land("one")
    run(clinic, [asks, later, works], first_run=True)


def test_left_alone_it_gives_way_to_an_image(
    clinic: Clinic, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    del qtbot
    monkeypatch.setattr(first_run_session, "WATCH_MS", LOOK_MS)

    def image_comes() -> bool:
        clinic.land("one")
        return True

    def time_passes() -> bool:
        clinic.clock.advance(first_run_session.LEFT_ALONE_S)
        return True

    run(clinic, [asks, image_comes, lambda: says("To the images"), asks, time_passes, works])


def test_the_service_page_leads_there(full_clinic: Any, qtbot: QtBot) -> None:
    with guarded(full_clinic, qtbot) as screen, qtbot.waitSignal(screen.guard.first_run_wanted):
        screen.guard.service.set_up.click()
