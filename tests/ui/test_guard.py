# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from PyQt6.QtCore import QCoreApplication, QEvent, QModelIndex, QPoint, Qt
from PyQt6.QtWidgets import QAbstractButton, QLabel, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.guarded import PIN, Guarded, guarded
from tests.ui.test_privacy_state import CANARIES, canary_exam
from ui import theme
from ui.look import LOOK_FILE


@pytest.fixture(autouse=True)
def _ends_by_day() -> Iterator[None]:
    yield
    theme.use_night(night=False)


@pytest.fixture
def screen(clinic: Any, make: Any, qtbot: QtBot) -> Iterator[Guarded]:
    canary_exam(clinic, make)
    with guarded(clinic, qtbot) as opened:
        yield opened


def words_of(window: QWidget) -> list[str]:
    """Every text that a person or a screen reader could get out of the window, hidden pages included."""
    found = [window.accessibleName(), window.windowTitle()]
    for widget in window.findChildren(QWidget):
        found += [widget.accessibleName(), widget.accessibleDescription(), widget.toolTip()]
        if isinstance(widget, QLabel | QAbstractButton):
            found.append(widget.text())
    return found


def told(screen: Guarded) -> list[str]:
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)  # rows that have been replaced
    model = screen.window.worklist.model
    rows = [
        str(model.data(model.index(row), role))
        for row in range(model.rowCount(QModelIndex()))
        for role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.UserRole)
    ]
    return [t for t in [*words_of(screen.window), *rows] if any(c in t.casefold() for c in CANARIES)]


def tap(screen: Guarded, qtbot: QtBot, widget: QWidget, at: QPoint | None = None) -> None:
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton, pos=at or widget.rect().center())


# Trace: REQ-037
def test_after_three_minutes_nothing_in_the_window_tells_who_it_is(screen: Guarded) -> None:
    screen.window.decisions.keep.click()
    assert screen.page is screen.window.reasons
    assert "CANARY, Zebulon" in words_of(screen.window.reasons)
    assert len(told(screen)) > 5, "the canary is on the screen, or nothing is proved"
    screen.wait(179)
    assert told(screen)
    screen.wait(1)
    assert told(screen) == []
    assert screen.page is screen.window.reasons


def test_a_new_arrival_unmasks_nobody(screen: Guarded, make: Any) -> None:
    screen.wait(200)
    screen.clinic.land("second", patient=make.patient("CANARY^Zebulon", patient_id="KN-77-4402"))
    screen.read()
    assert len(screen.window.worklist.model.rows) == 2
    assert told(screen) == []


def test_a_touch_brings_the_names_back_and_does_what_it_is_meant_to(screen: Guarded, qtbot: QtBot) -> None:
    screen.wait(200)
    with qtbot.waitSignal(screen.window.decided) as decided:
        tap(screen, qtbot, screen.window.decisions.repeat)
    assert "Zebulon" in decided.args[3], "the reason that is written down is the real one"
    assert told(screen)


def test_after_ten_minutes_only_clock_and_health_are_there(screen: Guarded) -> None:
    screen.wait(600)
    assert screen.page is screen.guard.idle
    assert told(screen) == []
    seen = [
        label.text() for label in screen.guard.idle.findChildren(QLabel) if label.isVisible() and label.text()
    ]
    assert seen[0] == screen.guard.idle.clock.text()
    assert seen[1:] == ["OK", "0 urgent   ·   0 exams wait", "Touch to wake"]


def test_the_touch_that_wakes_presses_nothing_beneath(screen: Guarded, qtbot: QtBot) -> None:
    keep = screen.window.decisions.keep
    place = keep.mapTo(screen.window, keep.rect().center())
    before = screen.page
    screen.wait(600)
    assert screen.page is screen.guard.idle
    with qtbot.assertNotEmitted(screen.window.decided):
        tap(screen, qtbot, screen.window, place)
    assert screen.page is before
    tap(screen, qtbot, keep)
    assert screen.page is screen.window.reasons, "the next touch counts"


def test_it_wakes_to_the_screen_before_and_by_a_key_too(screen: Guarded, qtbot: QtBot) -> None:
    screen.window.decisions.keep.click()
    screen.wait(700)
    assert screen.page is screen.guard.idle
    qtbot.keyClick(screen.window, Qt.Key.Key_Space)
    assert screen.page is screen.window.reasons
    assert told(screen)


def test_a_store_that_closes_behind_the_idle_page_does_not_uncover(clinic: Any, qtbot: QtBot) -> None:
    with guarded(clinic, qtbot) as screen:
        assert screen.page is screen.window._message_page
        screen.wait(600)
        assert screen.page is screen.guard.idle
        clinic.land("a")
        screen.read()
        assert screen.page is screen.guard.idle
        qtbot.mouseClick(screen.guard.idle, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
        assert screen.page is screen.window._list_page


def test_hide_covers_at_once(screen: Guarded, qtbot: QtBot) -> None:
    hide = next(
        b for b in screen.window.top_bar.findChildren(QAbstractButton) if b.accessibleName() == "Hide"
    )
    tap(screen, qtbot, hide)
    assert screen.page is screen.guard.idle
    assert told(screen) == []
    qtbot.mouseMove(screen.guard.idle, QPoint(40, 40))
    assert screen.page is screen.guard.idle, "a mouse that is pushed wakes nothing"


def test_a_mouse_that_moves_is_somebody(screen: Guarded, qtbot: QtBot) -> None:
    screen.wait(200)
    assert told(screen) == []
    qtbot.mouseMove(screen.window.image, QPoint(40, 40))
    qtbot.mouseMove(screen.window.image, QPoint(80, 60))
    assert told(screen)


# Behind the PIN


# Trace: REQ-038
def test_the_right_pin_opens_the_service_page(screen: Guarded, qtbot: QtBot) -> None:
    screen.guard.sleep()
    tap(screen, qtbot, screen.guard.idle.service)
    assert screen.page is screen.guard.pin
    screen.enter(PIN)
    qtbot.waitUntil(lambda: screen.page is screen.guard.service)
    texts = words_of(screen.guard.service)
    assert "SCANSIDE, 127.0.0.1:11112" in texts
    assert str(screen.clinic.layout.data) in texts
    assert "No receiver is set" in texts
    assert not any("restart" in text.casefold() for text in texts)


def test_the_keypad_keeps_no_text_of_the_pin(screen: Guarded) -> None:
    screen.guard.idle.lead_wanted.emit()
    for digit in PIN[:4]:
        next(key for key in screen.guard.pin._keys if key.text() == digit).click()
    assert "●●●●" in words_of(screen.guard.pin)
    assert not any(PIN[:4] in text or PIN[:2] in text for text in words_of(screen.window))
    digits = screen.guard.pin._digits
    screen.guard.sleep()
    assert bytes(digits) == b""


def test_three_wrong_ones_make_the_keypad_wait(screen: Guarded, qtbot: QtBot) -> None:
    screen.guard.idle.service_wanted.emit()
    for _ in range(3):
        screen.enter("111222")
        qtbot.waitUntil(lambda: not screen.guard._comparing.is_busy)
        qtbot.waitUntil(lambda: "Checking" not in screen.guard.pin._words.text())
    assert screen.guard.pin._words.text() == "Wrong PIN. Wait 30 seconds."
    assert not screen.guard.pin.keypad.isEnabled()
    screen.guard.sleep()
    screen.guard.idle.service_wanted.emit()
    assert not screen.guard.pin.keypad.isEnabled(), "going out and in again does not shorten it"
    screen.clinic.clock.advance(29)
    screen.guard._tick()
    assert screen.guard.pin._words.text() == "Wrong PIN. Wait 1 second."
    screen.clinic.clock.advance(1)
    screen.guard._tick()
    assert screen.guard.pin.keypad.isEnabled()
    screen.enter(PIN)
    qtbot.waitUntil(lambda: screen.page is screen.guard.service)


def test_without_a_pin_it_is_locked_and_says_what_to_run(clinic: Any, qtbot: QtBot) -> None:
    with guarded(clinic, qtbot, with_pins=False) as screen:
        screen.guard.idle.service_wanted.emit()
        assert screen.page is screen.guard.pin
        assert screen.guard.pin.keypad.isHidden()
        assert screen.guard.pin._words.text() == "Locked: no PIN is set. Run: scanside pin set service"


def test_a_pin_file_that_all_may_read_opens_nothing(screen: Guarded) -> None:
    (screen.clinic.layout.run / "pins.toml").chmod(0o644)
    screen.guard.idle.service_wanted.emit()
    assert screen.guard.pin.keypad.isHidden()
    assert "chmod 600" in screen.guard.pin._words.text()


@pytest.mark.parametrize("role", ["service", "lead"])
def test_it_locks_itself_after_two_minutes(screen: Guarded, qtbot: QtBot, role: str) -> None:
    getattr(screen.guard.idle, f"{role}_wanted").emit()
    screen.enter(PIN)
    qtbot.waitUntil(lambda: screen.page is getattr(screen.guard, role))
    screen.wait(119)
    assert screen.page is getattr(screen.guard, role)
    screen.wait(1)
    assert screen.page is screen.guard.idle
    qtbot.mouseClick(screen.guard.idle, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
    assert screen.page is screen.window._list_page


def test_an_answer_that_comes_late_opens_nothing(screen: Guarded, qtbot: QtBot) -> None:
    screen.guard.idle.service_wanted.emit()
    screen.enter(PIN)
    screen.guard.sleep()
    qtbot.waitUntil(lambda: not screen.guard._comparing.is_busy)
    qtbot.wait(20)
    assert screen.page is screen.guard.idle


def test_the_lead_sees_the_decisions_of_today(screen: Guarded, qtbot: QtBot) -> None:
    screen.guard.idle.lead_wanted.emit()
    screen.enter(PIN)
    qtbot.waitUntil(lambda: "0 of 1 decided image repeated" in words_of(screen.guard.lead))


# Night


def test_the_night_is_one_tap_and_remembered(clinic: Any, qtbot: QtBot) -> None:
    clinic.land("a")
    with guarded(clinic, qtbot) as screen:
        by_day = screen.window.grab().toImage().pixelColor(4, 400).lightness()
        night = next(
            b for b in screen.window.top_bar.findChildren(QAbstractButton) if b.accessibleName() == "Night"
        )
        tap(screen, qtbot, night)
        assert theme.is_night()
        assert night.accessibleName() == "Day"
        assert screen.window.grab().toImage().pixelColor(4, 400).lightness() < by_day
    theme.use_night(night=False)
    with guarded(clinic, qtbot) as screen:
        assert theme.is_night()
        (clinic.layout.run / LOOK_FILE).write_text("damaged", encoding="ascii")
    with guarded(clinic, qtbot):
        assert not theme.is_night()


def test_the_night_leaves_the_picture_as_it_is(full_clinic: Any, qtbot: QtBot) -> None:
    with guarded(full_clinic, qtbot) as screen:
        by_day = screen.window.image.grab().toImage()
        screen.guard.switch_night()
        assert screen.window.image.grab().toImage() == by_day
        screen.guard.switch_night()


def test_the_way_back_is_a_button_only_where_there_is_one(screen: Guarded, qtbot: QtBot) -> None:
    page = screen.guard.service
    page.show_way_back(None, asked=False)
    assert page.back.isHidden()
    page.show_way_back("0.2.0", asked=False)
    assert not page.back.isHidden()
    assert page.back.text() == "Back to 0.2.0"
    with qtbot.waitSignal(page.back_wanted):
        page.back.click()
    page.show_way_back("0.2.0", asked=True)
    assert page.back.text() == "Going back\N{HORIZONTAL ELLIPSIS}"
    assert not page.back.isEnabled()
    assert screen.clinic.layout.update_wish.exists()
