# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One fault after the other, on the screen: never black, never frozen green, always with what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtCore import QPoint, QRect
from PyQt6.QtWidgets import QLabel, QPushButton, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from appliance.errors import StoreError
from appliance.layout import Layout
from appliance.monitor.fault import leave_fault
from appliance.monitor.heartbeat import Heartbeat
from ui.kiosk import KioskWindow
from ui.records import BoardRecord, StoreTrouble
from ui.store_source import open_store
from ui.view_state import Attention, BoardState, Profile, board_state

PANELS = [
    ((1920, 1080), (344.0, 194.0)),
    ((1280, 800), (344.0, 194.0)),
    ((1280, 800), (217.0, 136.0)),
    ((1024, 600), (154.0, 86.0)),
]
CLOSED = StoreTrouble(what="The store is closed.", remedy="Call service.", since_ns=0)

Show = Callable[..., KioskWindow]


@pytest.fixture
def show(qtbot: QtBot) -> Iterator[Show]:
    held: list[KioskWindow] = []

    def show_window(
        state: BoardState,
        size: tuple[int, int] = (1920, 1080),
        screen_mm: tuple[float, float] = (344.0, 194.0),
        profile: Profile = "scanner",
    ) -> KioskWindow:
        window = KioskWindow(size, screen_mm, profile=profile)
        qtbot.addWidget(window)
        held.append(window)
        window.show_state(state, clock="08:41")
        window.show_exam_page()
        window.show()
        qtbot.waitExposed(window)
        return window

    yield show_window
    held.clear()


def state_of(
    clinic: Any,
    exam_id: str | None = None,
    *,
    board: BoardRecord | None = None,
    trouble: StoreTrouble | None = None,
    silent_s: float = 0.0,
) -> BoardState:
    return board_state(
        board or clinic.read(),
        trouble=trouble,
        attention=Attention(selected_exam_id=exam_id),
        now_ns=clinic.clock.monotonic_ns(),
        poller_silent_s=silent_s,
    )


def words(window: QWidget) -> str:
    return "\n".join(label.text() for label in window.findChildren(QLabel) if label.isVisible())


def colourful(window: QWidget, part: QWidget) -> float:
    """How far from grey the most colourful pixel is."""
    image = window.grab(QRect(part.mapTo(window, QPoint(0, 0)), part.size())).toImage()
    spread = 0
    for x in range(0, image.width(), 3):
        for y in range(0, image.height(), 3):
            colour = image.pixelColor(x, y)
            channels = (colour.red(), colour.green(), colour.blue())
            spread = max(spread, max(channels) - min(channels))
    return spread


def is_drawn(window: QWidget) -> bool:
    """A screen, not a blank."""
    image = window.grab().toImage()
    width, height = image.width(), image.height()
    return len({image.pixel(x, y) for x in range(0, width, 7) for y in range(0, height, 7)}) > 20


def test_data_older_than_a_minute_are_dated_and_grey_on_the_whole_screen(clinic: Any, show: Show) -> None:
    clinic.land("a")
    board = clinic.read()
    window = show(state_of(clinic, board=board))
    parts = (window.worklist, window.verdict, window.findings)
    assert not window.safety.strip.isVisible()
    assert not window.safety.greying.is_grey
    clinic.clock.advance(61)
    window.show_state(state_of(clinic, board=board), clock="08:41")
    assert "Data from" in words(window.safety.strip)
    assert max(colourful(window, part) for part in parts) < 12, "no more than the ground at round corners"
    clinic.signs_of_life()
    window.show_state(state_of(clinic), clock="08:41")
    assert not window.safety.greying.is_grey
    assert colourful(window, window.worklist) > 30


@pytest.mark.parametrize(("size", "screen_mm"), PANELS)
@pytest.mark.parametrize("profile", ["scanner", "rural"])
def test_in_trouble_too_nothing_is_off_screen(
    full_clinic: Any, show: Show, size: tuple[int, int], screen_mm: tuple[float, float], profile: Profile
) -> None:
    window = show(state_of(full_clinic, "cut", trouble=CLOSED), size, screen_mm, profile)
    window.decisions.keep.click()
    all_inside(window, size)
    window.reasons.back_wanted.emit()
    all_inside(window, size)
    assert window.safety.strip.isVisible()


@pytest.mark.parametrize(("size", "screen_mm"), PANELS)
def test_the_exams_to_read_by_hand_are_listed_by_name_and_open_with_one_tap(
    clinic: Any, make: Any, show: Show, size: tuple[int, int], screen_mm: tuple[float, float]
) -> None:
    for number in range(9):
        clinic.clock.advance(1)
        clinic.land(f"e{number}", patient=make.patient(f"PERSON{number}^X"))
    clinic.prove("wrong")
    window = show(state_of(clinic), size, screen_mm)
    if window.is_compact:
        assert not window.safety.strip.button.isVisible(), "the picture needs its room"
        all_inside(window, size)
        window._show_list()
    assert window.safety.strip.button.text() == "9 exams to read"
    all_inside(window, size)
    window.safety.strip.button.click()
    assert window.pages.currentWidget() is window.safety.page
    all_inside(window, size)
    assert all(f"PERSON{number}, X" in words(window.safety.page) for number in range(9))
    for button in window.findChildren(QPushButton):
        if button.isVisible():
            assert button.height() >= window.scale.touch_px
            assert button.accessibleName()
    opened: list[str] = []
    window.exam_opened.connect(opened.append)
    rows = window.safety.page.findChild(QScrollArea)
    assert rows is not None
    rows.findChildren(QPushButton)[0].click()
    assert opened == ["e8"]
    assert window.pages.currentWidget() is window._exam_page
    clinic.prove()
    window.show_state(state_of(clinic), clock="08:41")
    assert not window.safety.strip.isVisible()


def all_inside(window: KioskWindow, size: tuple[int, int]) -> None:
    assert (window.width(), window.height()) == size
    for widget in window.findChildren(QWidget):
        parent = widget.parentWidget()
        inside = False
        while parent is not None and parent is not window:
            inside = inside or parent.objectName() == "qt_scrollarea_viewport"
            parent = parent.parentWidget()
        if widget.isVisible() and not inside:
            assert window.rect().contains(QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())), widget


def test_a_store_that_closes_under_the_screen_leaves_a_dated_grey_one(clinic: Any, show: Show) -> None:
    clinic.land("a")
    window = show(state_of(clinic, trouble=CLOSED))
    assert "STORE CLOSED" in words(window)
    assert "Data from" in words(window.safety.strip)
    assert "Call service." in words(window.safety.strip)
    assert window.safety.greying.is_grey


def test_a_process_that_cannot_start_says_why_and_what_to_do(clinic: Any, show: Show) -> None:
    clinic.land("a")
    what, remedy = "In settings.toml: worker.threads = 0 is not allowed.", "See docs/settings.md."
    leave_fault(clinic.layout.run, "worker", what=what, remedy=remedy, clock=clinic.clock)
    window = show(state_of(clinic))
    assert "AI NOT RUNNING" in words(window)
    assert what in words(window)
    assert remedy in words(window)
    assert "NOT CHECKED" in words(window)
    leave_fault(
        clinic.layout.run, "watcher", what="The port is taken.", remedy="Free it.", clock=clinic.clock
    )
    window.show_state(state_of(clinic), clock="08:41")
    assert "NOT RECEIVING: The port is taken. Free it." in words(window.safety.strip)
    for process in ("worker", "watcher"):
        Heartbeat(clinic.layout.run, process, clinic.clock).beat("waiting")
    window.show_state(state_of(clinic), clock="08:41")
    assert "AI NOT RUNNING" not in words(window)
    assert not window.safety.strip.isVisible()


def test_without_a_store_the_reason_of_the_process_is_said(tmp_path: Path, clinic: Any) -> None:
    layout = Layout(data=tmp_path / "new")
    leave_fault(layout.run, "run", what="threads = 0 is not allowed.", remedy="Mend it.", clock=clinic.clock)
    with pytest.raises(StoreError, match="threads = 0"):
        open_store(layout, clinic.clock)


def test_an_empty_list_of_a_device_that_does_not_run_invites_nobody_to_send(clinic: Any) -> None:
    quiet = state_of(clinic).message
    assert quiet is not None
    assert "Send an image" in quiet.remedy
    leave_fault(clinic.layout.run, "run", what="threads = 0.", remedy="Mend it.", clock=clinic.clock)
    message = state_of(clinic).message
    assert message is not None
    assert (message.title, message.what, message.remedy) == ("NOT RUNNING", "threads = 0. Mend it.", "")


def test_silent_processes_are_said(clinic: Any, show: Show) -> None:
    clinic.land("a")
    clinic.clock.advance(26)
    window = show(state_of(clinic))
    assert "NOT RECEIVING" in words(window.safety.strip)
    assert "NOT CHECKED" in words(window)
    Heartbeat(clinic.layout.run, "watcher", clinic.clock).beat("waiting")
    window.show_state(state_of(clinic), clock="08:41")
    assert "AI NOT RUNNING" in words(window)
    assert "read without AI" in words(window)


def test_a_full_disk_is_said_with_what_to_do(clinic: Any, show: Show) -> None:
    clinic.land("a")
    board = clinic.read()
    full = replace(board, health=replace(board.health, disk_used_fraction=0.97))
    window = show(state_of(clinic, board=full))
    assert "DISK 97%" in words(window)
    assert "Call service now." in words(window.safety.strip)
    assert is_drawn(window)


@pytest.mark.parametrize("damage", ["missing", "cut", "garbage"])
def test_view_files_that_are_missing_or_damaged_are_said(
    clinic: Any, make: Any, show: Show, damage: str, tmp_path: Path
) -> None:
    folder = clinic.view(clinic.land("a", patient=make.patient("A^X")))
    pixels = folder / "pixels.npy"
    if damage == "missing":
        pixels.unlink()
    elif damage == "cut":
        pixels.write_bytes(pixels.read_bytes()[:200])
    else:
        pixels.write_bytes(b"\x00" * 4000)
    window = show(state_of(clinic, "a"))
    assert window.image.picture is None
    assert "cannot be shown" in window.image._words
    assert "pickle" not in window.image._words
    assert "Judge the image on another screen" in window.image._words
    assert str(tmp_path) not in window.image._words
    assert is_drawn(window)
