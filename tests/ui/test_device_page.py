# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtCore import QRect, Qt
from PyQt6.QtWidgets import QAbstractButton, QLabel, QWidget
from pytestqt.qtbot import QtBot

from appliance.domain.card import ModelCard
from appliance.models.inventory import Answering, Inventory
from tests.ui.test_device_faults import with_device, with_peer
from tests.ui.test_kiosk import PANELS, on_screen, place, scrolled, state_of
from tests.ui.test_models_state import PASSPORT, SIGNER
from ui.device_presenter import DevicePresenter
from ui.device_sections import Section
from ui.kiosk import KioskWindow
from ui.latency_files import read_latency_files
from ui.latency_state import latency_state
from ui.models_state import models_state
from ui.records import BoardRecord
from ui.theme import GAP_MM, TOUCH_MM
from ui.view_state import Attention, BoardState, Profile, board_state

Open = Callable[..., KioskWindow]
HOSTILE = "EVIL\u202e<b>x</b>\n\x00"


def poor(board: BoardRecord) -> BoardRecord:
    """A device with a long story about its receiver."""
    since = board.read_at_utc - timedelta(days=2)
    return with_peer(
        board, name="W" * 64, waiting=4100, attempts=212, reason="why " * 60, away_since_utc=since
    )


@pytest.fixture
def show(qtbot: QtBot, tmp_path: Path, chest_card: ModelCard) -> Iterator[Open]:
    held: list[tuple[KioskWindow, DevicePresenter]] = []

    def show_window(
        clinic: Any,
        size: tuple[int, int] = (1920, 1080),
        screen_mm: tuple[float, float] = (344.0, 194.0),
        profile: Profile = "scanner",
        board: BoardRecord | None = None,
    ) -> KioskWindow:
        board = board or poor(clinic.read())
        now_ns = clinic.clock.monotonic_ns()
        state: BoardState = board_state(board, trouble=None, attention=Attention(), now_ns=now_ns)
        window = KioskWindow(size, screen_mm, profile=profile)
        qtbot.addWidget(window)
        presenter = DevicePresenter(window.device, window.visit, None)
        held.append((window, presenter))
        presenter.take(board, trouble=None, health=state.health, now_ns=now_ns)
        window.show_state(state, clock="08:41")
        window.show_exam_page()
        window.show()
        qtbot.waitExposed(window)
        return window

    def fill_parts(window: KioskWindow) -> None:
        card = replace(chest_card, name="N" * 100, summary=HOSTILE)
        model = Answering(card=card, signer=SIGNER, passports=(PASSPORT,) * 3, stepped_back="s " * 90)
        window.device.models.show_state(models_state(Inventory(models=(model,), problems=())))
        window.device.latency.show_state(latency_state(read_latency_files(tmp_path)))

    show_window.fill_parts = fill_parts  # type: ignore[attr-defined]
    yield show_window
    held.clear()


def is_laid_out(part: Section) -> bool:
    """Every line of every wrapped text has its room. (A new layout takes some turns of the event loop.)"""
    labels = [label for label in on_screen(part, QLabel) if isinstance(label, QLabel)]
    wrapped = [label for label in labels if label.wordWrap() and label.text()]
    return bool(labels) and all(label.height() >= label.heightForWidth(label.width()) for label in wrapped)


def tap_health(window: KioskWindow, qtbot: QtBot) -> None:
    bar = next(one.health for one in window._bars if one.health.isVisible())
    qtbot.mouseClick(bar, Qt.MouseButton.LeftButton)


@pytest.mark.parametrize("profile", ["scanner", "rural"])
@pytest.mark.parametrize(("size", "screen_mm"), PANELS)
def test_nothing_is_off_screen_and_everything_can_be_hit(
    full_clinic: Any,
    show: Open,
    qtbot: QtBot,
    size: tuple[int, int],
    screen_mm: tuple[float, float],
    profile: Profile,
) -> None:
    window = show(full_clinic, size, screen_mm, profile)
    tap_health(window, qtbot)
    show.fill_parts(window)  # type: ignore[attr-defined]
    px_per_mm = window.scale.px_per_mm
    for at, part in enumerate((window.device.device, window.device.models, window.device.latency)):
        qtbot.mouseClick(window.device.buttons[at], Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda part=part: is_laid_out(part))  # type: ignore[misc]
        assert window.device.parts.currentWidget() is part
        assert (window.width(), window.height()) == size
        assert window.minimumSizeHint().width() <= size[0]
        inside = part.widget()
        viewport = part.viewport()
        assert inside is not None
        assert viewport is not None
        assert inside.width() <= viewport.width(), "nothing scrolls sideways"
        for widget in on_screen(window):
            if not scrolled(widget, window):
                assert window.rect().contains(place(widget, window)), widget
            elif isinstance(widget, QLabel):
                assert inside.rect().contains(place(widget, inside)), widget.text()
        for button in on_screen(window, QAbstractButton):
            assert button.width() >= TOUCH_MM * px_per_mm - 1e-6, button
            assert button.height() >= TOUCH_MM * px_per_mm - 1e-6, button
            assert isinstance(button, QAbstractButton)
            assert button.accessibleName()
    buttons = sorted((place(b, window) for b in window.device.buttons), key=QRect.left)
    for left, right in pairwise(buttons):
        assert right.left() - left.right() - 1 >= GAP_MM * px_per_mm - 1e-6


def test_the_health_area_is_a_button_on_every_page_and_back_returns(
    full_clinic: Any, clinic: Any, show: Open, qtbot: QtBot
) -> None:
    window = show(full_clinic, (1024, 600), (154.0, 86.0))
    exam = window.pages.currentWidget()
    for back_to in (exam, window._list_page):
        assert back_to is not None
        window.pages.setCurrentWidget(back_to)
        tap_health(window, qtbot)
        assert window.pages.currentWidget() is window.device
        qtbot.mouseClick(window.device.back, Qt.MouseButton.LeftButton)
        assert window.pages.currentWidget() is back_to
    empty = show(clinic, board=clinic.read())
    tap_health(empty, qtbot)
    assert empty.visit.is_open
    clinic.land("a")
    empty.show_state(state_of(clinic), clock="08:42")
    assert empty.visit.is_open, "an exam that arrives does not take the page away"
    qtbot.mouseClick(empty.device.back, Qt.MouseButton.LeftButton)
    assert empty.pages.currentWidget() is empty._list_page


def test_every_detail_is_two_taps_away(full_clinic: Any, show: Open, qtbot: QtBot) -> None:
    window = show(full_clinic)
    tap_health(window, qtbot)
    assert window.device.device.isVisible()
    for at, part in ((1, window.device.models), (2, window.device.latency), (0, window.device.device)):
        qtbot.mouseClick(window.device.buttons[at], Qt.MouseButton.LeftButton)
        assert part.isVisible()
        assert [button.isChecked() for button in window.device.buttons] == [at == n for n in range(3)]


def test_every_line_has_a_sign_a_word_and_its_words_for_a_reader(
    full_clinic: Any, show: Open, qtbot: QtBot
) -> None:
    window = show(full_clinic)
    tap_health(window, qtbot)
    cards = window.device.device._lines._cards
    assert len(cards) == 7
    for card in cards:
        assert not card._sign.pixmap().isNull()
        assert card._word.text()
        assert card.accessibleName().startswith(f"{card._subject.text()}: {card._word.text()}")


def test_a_line_that_goes_leaves_no_card(full_clinic: Any, show: Open, qtbot: QtBot) -> None:
    board = full_clinic.read()
    window = show(full_clinic, board=with_device(board, peers=()))
    tap_health(window, qtbot)
    grid = window.device.device._lines
    lines = [card._subject.text() for card in grid._cards]
    assert "PACS" in lines
    window.device.device.show_state(None)
    qtbot.wait(1)
    assert not grid._cards
    assert not grid.isVisible()
    texts = [label.text() for label in on_screen(window, QLabel) if isinstance(label, QLabel)]
    assert "The store was not read yet." in texts


def test_foreign_text_is_shown_and_never_obeyed(full_clinic: Any, show: Open, qtbot: QtBot) -> None:
    window = show(
        full_clinic, board=with_peer(full_clinic.read(), name=HOSTILE, reason=HOSTILE, attempts=1, waiting=1)
    )
    tap_health(window, qtbot)
    show.fill_parts(window)  # type: ignore[attr-defined]
    labels = [label for label in window.device.findChildren(QLabel) if isinstance(label, QLabel)]
    assert len(labels) > 40
    for label in labels:
        assert label.textFormat() is Qt.TextFormat.PlainText, label.text()
        assert not set("\u202e\x00\n") & set(label.text())
    assert not any(widget.toolTip() for widget in window.device.findChildren(QWidget))


def test_without_settings_no_model_is_claimed(full_clinic: Any, show: Open, qtbot: QtBot) -> None:
    window = show(full_clinic)
    tap_health(window, qtbot)
    qtbot.mouseClick(window.device.buttons[1], Qt.MouseButton.LeftButton)
    texts = [label.text() for label in on_screen(window, QLabel) if isinstance(label, QLabel)]
    assert any("could not be checked" in text for text in texts)
    assert "TRUSTED" not in texts
