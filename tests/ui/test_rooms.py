# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QFontMetricsF
from PyQt6.QtWidgets import QAbstractButton, QLabel
from pytestqt.qtbot import QtBot

from appliance.domain.quality import Mark, MarkShape, Verdict
from tests.ui.test_kiosk import PANELS, PROFILES, on_screen, place, scrolled, state_of
from ui import theme
from ui.controller import KioskController
from ui.demo_band import put_band
from ui.health_state import HealthKind
from ui.kiosk import KioskWindow
from ui.store_source import StoreSource
from ui.theme import TOUCH_MM
from ui.view_state import Profile
from ui.wall_board import FIGURE_CAP_MM, WallBoard
from ui.wall_card import WORD_CAP_MM
from ui.wall_state import Column

Room = Callable[..., KioskWindow]
READ_MM_PER_M = 3.0
MANY = 500
"""Pictures: far more than are drawn in the moment until the screen ends."""


@pytest.fixture
def room(qtbot: QtBot) -> Iterator[Room]:
    held: list[KioskWindow] = []

    def open_room(
        clinic: Any,
        profile: Profile,
        size: tuple[int, int] = (1920, 1080),
        screen_mm: tuple[float, float] = (476.0, 268.0),
        *,
        exam_id: str | None = None,
        demonstration: bool = False,
    ) -> KioskWindow:
        window = KioskWindow(size, screen_mm, profile=profile)
        qtbot.addWidget(window)
        held.append(window)
        if demonstration:
            put_band(window)
        feed(window, clinic, exam_id)
        window.show()
        qtbot.waitExposed(window)
        return window

    yield open_room
    held.clear()


def feed(window: KioskWindow, clinic: Any, exam_id: str | None = None) -> None:
    """As the controller does."""
    state = state_of(clinic, exam_id)
    window.rooms.take(
        clinic.read(), state, now_ns=clinic.clock.monotonic_ns(), now_utc=clinic.clock.now_utc()
    )
    window.show_state(state, clock="08:41")


def wall_of(window: KioskWindow) -> WallBoard:
    assert window.rooms.wall is not None
    return window.rooms.wall


@pytest.mark.parametrize(("size", "screen_mm"), PANELS)
def test_the_wall_says_what_is_wrong_with_the_device(
    full_clinic: Any, room: Room, qtbot: QtBot, size: tuple[int, int], screen_mm: tuple[float, float]
) -> None:
    window = room(full_clinic, "fracture", size, screen_mm)
    wall, state = wall_of(window), state_of(full_clinic)
    assert state.health is not None
    well = replace(state.health, kind=HealthKind.OK, word="OK", advice="", stale="")
    wall.show_health(well)
    assert not wall.device.isVisible()
    wall.show_health(replace(well, stale="Data from 08:12"))
    assert "Data from 08:12" in wall.device.text()
    away = replace(
        well, kind=HealthKind.ATTENTION, word="PACS OFFLINE", advice="PACS since 08:12: 3 files wait."
    )
    now_ns, now_utc = full_clinic.clock.monotonic_ns(), full_clinic.clock.now_utc()
    window.rooms.take(full_clinic.read(), replace(state, health=away), now_ns=now_ns, now_utc=now_utc)
    assert wall.device.isVisible()
    assert wall.device.text().startswith("PACS OFFLINE  ·  PACS since 08:12")
    qtbot.mouseClick(wall.device, Qt.MouseButton.LeftButton)
    assert window.pages.currentWidget() is window.device


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(("size", "screen_mm"), PANELS)
def test_nothing_of_the_rooms_is_off_screen(
    full_clinic: Any, room: Room, size: tuple[int, int], screen_mm: tuple[float, float], profile: Profile
) -> None:
    window = room(full_clinic, profile, size, screen_mm, demonstration=True)
    for exam_id in (None, "cut", "wrist", "head"):
        feed(window, full_clinic, exam_id)
        if exam_id is not None:
            window.show_exam_page()
        assert (window.width(), window.height()) == size
        for widget in on_screen(window):
            if not scrolled(widget, window):
                assert window.rect().contains(place(widget, window)), (exam_id, widget)
        for button in on_screen(window, QAbstractButton):
            assert min(button.width(), button.height()) >= TOUCH_MM * window.scale.px_per_mm, button
            assert button.accessibleName() or button.property("role") == "arrivals", button


def test_a_wall_card_is_whole_on_the_smallest_panel(full_clinic: Any, room: Room) -> None:
    window = room(full_clinic, "fracture", (1024, 600), (154.0, 86.0), demonstration=True)
    card = wall_of(window).columns[Column.LOOK_NOW].cards[0]
    for button in (card.open, card.see):
        assert button.visibleRegion().boundingRect().height() == button.height()


@pytest.mark.parametrize(("size", "screen_mm"), [PANELS[0], PANELS[1]])
def test_the_wall_is_read_from_across_the_room(
    full_clinic: Any, room: Room, size: tuple[int, int], screen_mm: tuple[float, float]
) -> None:
    window = room(full_clinic, "fracture", size, screen_mm)
    wall = wall_of(window)

    def cap_mm(label: QLabel) -> float:
        label.ensurePolished()
        return QFontMetricsF(label.font()).capHeight() / window.scale.px_per_mm

    for figure in wall.figures.values():
        assert cap_mm(figure.value) >= 3 * READ_MM_PER_M == FIGURE_CAP_MM
        assert figure.value.fontMetrics().horizontalAdvance(figure.value.text()) <= figure.width()
    for card in wall.columns[Column.LOOK_NOW].cards:
        assert cap_mm(card._word) >= 2 * READ_MM_PER_M == WORD_CAP_MM
        assert card._word.fontMetrics().horizontalAdvance(card._word.text()) <= card._word.width()


def test_the_first_cards_have_pictures_and_only_findings_have_boxes(full_clinic: Any, room: Room) -> None:
    window = room(full_clinic, "fracture")
    wall = wall_of(window)
    wall.thumbnails.finish()
    marked = {}
    for panel in wall.columns.values():
        for widget in panel.cards:
            assert widget.card is not None
            image = wall.thumbnails.image(widget.card.picture)
            if widget.card.exam_id == "new":
                assert image is None, "no picture yet"
                continue
            assert image is not None
            assert max(image.width(), image.height()) == 256
            colours = {
                image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())
            }
            marked[widget.card.exam_id] = theme.CYAN in colours
    assert marked == {"cut": True, "wrist": True, "good": False, "head": False, "side": False}


def test_when_the_screen_ends_no_small_picture_is_being_drawn(full_clinic: Any, room: Room) -> None:
    """One that is drawn while the program goes away would end it with SIGABRT."""
    window = room(full_clinic, "fracture")
    thumbnails = wall_of(window).thumbnails
    controller = KioskController(
        window, lambda: StoreSource(full_clinic.layout, full_clinic.clock), full_clinic.clock, interval_s=1.0
    )
    card = wall_of(window).columns[Column.WAITING].cards[0].card
    assert card is not None
    for version in range(MANY):
        thumbnails.image(replace(card.picture, version=version))
    controller.stop()
    assert thumbnails._pool.activeThreadCount() == 0
    assert thumbnails._made.qsize() < MANY, "those that waited are not waited for"


def test_a_place_that_a_check_points_at_is_no_box_of_the_ai(clinic: Any, make: Any, room: Room) -> None:
    exam = clinic.land("checked")
    place_of_fault = Mark(label="blurred", shape=MarkShape.BOX, points_px=((100.0, 100.0), (300.0, 300.0)))
    fault = make.check("sharpness", Verdict.CHECK, "Blurred.", marks=(place_of_fault,))
    clinic.answer(exam, quality=clinic.quality(fault), triage=clinic.triage(), denoise=clinic.quality())
    clinic.view(exam)
    wall = wall_of(room(clinic, "fracture"))
    wall.thumbnails.finish()
    card = wall.columns[Column.WAITING].cards[0].card
    assert card is not None
    assert card.picture.marks, "the picture itself shows it"
    image = wall.thumbnails.image(card.picture)
    assert image is not None
    colours = {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}
    assert theme.CYAN not in colours


def test_open_shows_the_exam_and_counts_as_seen(full_clinic: Any, room: Room, qtbot: QtBot) -> None:
    window = room(full_clinic, "fracture")
    card = wall_of(window).columns[Column.LOOK_NOW].cards[0]
    with qtbot.waitSignals([window.exam_opened, window.rooms.seen]) as caught:
        qtbot.mouseClick(card.open, Qt.MouseButton.LeftButton)
    assert [list(signal.args) for signal in caught.all_signals_and_args] == [["cut"], ["cut"]]
    assert window.image.isVisible()
    assert not wall_of(window).isVisible()


def test_seen_is_said_once_and_for_one_exam(full_clinic: Any, room: Room, qtbot: QtBot) -> None:
    window = room(full_clinic, "fracture")
    wall = wall_of(window)
    said: list[str] = []
    window.rooms.seen.connect(said.append)
    qtbot.mouseClick(wall.columns[Column.LOOK_NOW].cards[0].see, Qt.MouseButton.LeftButton)
    shown = [card.card.exam_id for card in wall.columns[Column.SEEN].cards if card.card and card.isVisible()]
    assert shown == ["cut"]
    window.rooms.mark_seen("cut")
    assert said == ["cut"]
    assert not wall.columns[Column.SEEN].cards[0].see.isVisible()


@pytest.fixture
def two_views(clinic: Any, make: Any) -> Any:
    person = make.patient("PHANTOM^ANA")
    for exam_id, view, study, taken in (
        ("old", "PA", "1.1", "20250105"),
        ("pa", "PA", "1.9", "20260302080000"),
        ("lat", "LAT", "1.9", "20260302080100"),
    ):
        exam = clinic.land(
            exam_id,
            body_part="WRIST",
            view_position=view,
            laterality="R",
            study_instance_uid=study,
            acquired_at=taken,
            patient=person,
        )
        box = make.finding("Fracture", 0.9, box=(100, 100, 200, 200))
        clinic.answer(exam, quality=clinic.quality(), triage=clinic.triage(box), denoise=clinic.quality())
        clinic.view(exam)
    return clinic


def test_two_views_stand_side_by_side(two_views: Any, room: Room) -> None:
    window = room(two_views, "fracture", exam_id="pa")
    feed(window, two_views, "pa")
    window.show_exam_page()
    side = window.rooms.side
    assert side.isVisible()
    assert side.picture is not None
    assert abs(side.width() - window.image.width()) <= 2
    assert "2 of 2 views" in window.rooms.bar.words.text()
    window.toolbar.buttons["ai"].click()
    assert not side.tools.ai_on, "never one clean and one marked side"
    feed(window, two_views, "old")
    assert not side.isVisible(), "another study has its own views"
    assert side.picture is None


def test_the_earlier_image_is_burnt_in_amber_and_goes_with_the_exam(
    two_views: Any, room: Room, qtbot: QtBot
) -> None:
    window = room(two_views, "scanner", exam_id="pa")
    feed(window, two_views, "pa")
    side = window.rooms.side
    assert not side.isVisible()
    qtbot.mouseClick(window.rooms.bar.prior, Qt.MouseButton.LeftButton)
    assert side.isVisible()
    assert side.side is not None
    assert side.side.caption == "PRIOR 5 January 2025 · Wrist right PA"
    window.toolbar.buttons["ai"].click()
    image = side.grab().toImage()
    for x, y in ((1, 300), (image.width() // 2, 1), (image.width() - 2, 300), (200, image.height() - 2)):
        assert image.pixelColor(x, y).name() == theme.AMBER
    words = {image.pixelColor(x, y).name() for x in range(10, 300) for y in range(8, 30)}
    assert theme.AMBER in words
    feed(window, two_views, "old")
    assert not side.isVisible(), "the earlier image of one exam never stands beside another"


def test_next_deals_with_one_and_opens_the_next(full_clinic: Any, room: Room, qtbot: QtBot) -> None:
    window = room(full_clinic, "rural", (1280, 800), (217.0, 136.0), exam_id="cut")
    feed(window, full_clinic, "cut")
    window.show_exam_page()
    with qtbot.waitSignal(window.exam_opened) as opened:
        qtbot.mouseClick(window.rooms.next, Qt.MouseButton.LeftButton)
    assert opened.args == ["head"]
    assert window.rooms.day is not None
    assert window.rooms.day._words.text() == "Today 1 done, 5 waiting"


@pytest.mark.parametrize("profile", PROFILES)
def test_the_demonstration_says_so_on_every_page(full_clinic: Any, room: Room, profile: Profile) -> None:
    window = room(full_clinic, profile, (1280, 800), (217.0, 136.0), demonstration=True)
    for index in range(window.pages.count()):
        window.pages.setCurrentIndex(index)
        shown = [label.text() for label in on_screen(window, QLabel) if isinstance(label, QLabel)]
        assert "DEMONSTRATION: invented patients" in shown
