# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answering with one tap, at every size of panel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PyQt6.QtCore import QPoint, QRect, Qt
from PyQt6.QtWidgets import QAbstractButton, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from appliance.store.opinions import Act, FirstLook, Opinions, Stance
from tests.ui.clinic import Clinic
from tests.ui.conftest import fill
from ui.commands import DeedCommand, OpinionCommand
from ui.findings_panel import FindingButton
from ui.kiosk import KioskWindow
from ui.opinion_row import FirstLookBar, OpinionRow
from ui.reveal_state import Reveal
from ui.theme import GAP_MM, TOUCH_MM
from ui.view_state import Attention, BoardState, board_state

PANELS = [
    ((1920, 1080), (344.0, 194.0)),  # 15.6 inch
    ((1280, 800), (217.0, 136.0)),  # 10.1 inch
    ((1024, 600), (154.0, 86.0)),  # 7 inch
]
Show = Callable[..., KioskWindow]


@pytest.fixture(scope="module")
def late_clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    """The full clinic, three minutes later, with one opinion."""
    clinic = Clinic(tmp_path_factory.mktemp("late"))
    fill(clinic)
    clinic.clock.advance(180)
    clinic.signs_of_life()
    selected = state(clinic).selected
    assert selected is not None
    Opinions(clinic.database).give(selected.findings.lines[0].subject, Stance.AGREE)
    yield clinic
    clinic.database.close()


def state(clinic: Any, exam_id: str = "cut", reveal: Reveal = Reveal.AT_ONCE) -> BoardState:
    return board_state(
        clinic.read(),
        trouble=None,
        attention=Attention(selected_exam_id=exam_id),
        now_ns=clinic.clock.monotonic_ns(),
        reveal=reveal,
    )


@pytest.fixture
def show(qtbot: QtBot) -> Iterator[Show]:
    held: list[KioskWindow] = []

    def show_window(
        state: BoardState,
        size: tuple[int, int] = (1920, 1080),
        screen_mm: tuple[float, float] = (344.0, 194.0),
    ) -> KioskWindow:
        window = KioskWindow(size, screen_mm)
        qtbot.addWidget(window)
        held.append(window)
        window.show_state(state, clock="08:41")
        window.show_exam_page()
        window.show()
        qtbot.waitExposed(window)
        return window

    yield show_window
    held.clear()


def rows(window: KioskWindow) -> list[OpinionRow]:
    return window.findings.findChildren(OpinionRow)


def place(widget: QWidget, window: QWidget) -> QRect:
    return QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())


@pytest.mark.parametrize(("size", "screen_mm"), PANELS)
def test_each_question_has_three_answers_that_gloves_can_hit(
    late_clinic: Any, show: Show, qtbot: QtBot, size: tuple[int, int], screen_mm: tuple[float, float]
) -> None:
    window = show(state(late_clinic), size, screen_mm)
    assert len(rows(window)) == 2
    if window.is_compact:
        assert not any(row.isVisible() for row in rows(window))
        for button in window.findings.findChildren(FindingButton):
            button.click()
        qtbot.wait(20)  # the layout is done by the event loop
    for row in rows(window):
        assert row.isVisible()
        places = [place(button, window) for button in row.buttons.values()]
        for rect in places:
            assert min(rect.width(), rect.height()) >= TOUCH_MM * window.scale.px_per_mm
        for number, one in enumerate(places):
            for other in places[number + 1 :]:
                grown = one.adjusted(*(window.scale.px(GAP_MM) * sign for sign in (-1, -1, 1, 1)))
                assert not grown.adjusted(1, 1, -1, -1).intersects(other)
        for button in row.buttons.values():
            assert button.accessibleName().count(":") == 1
            assert button.fontMetrics().horizontalAdvance(button.text()) <= button.width()


def test_the_chosen_answer_is_lit_and_ticked_and_the_others_change_it(
    late_clinic: Any, show: Show, qtbot: QtBot
) -> None:
    window = show(state(late_clinic))
    buttons = rows(window)[0].buttons
    assert buttons[Stance.AGREE].property("chosen") == "yes"
    assert not buttons[Stance.AGREE].icon().isNull()
    assert buttons[Stance.AGREE].accessibleName() == "Agree: Pneumothorax? Chosen."
    assert all(button.icon().isNull() for button in rows(window)[1].buttons.values())
    with qtbot.assertNotEmitted(window.tapped):
        qtbot.mouseClick(buttons[Stance.AGREE], Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(window.tapped) as tapped:
        qtbot.mouseClick(buttons[Stance.UNSURE], Qt.MouseButton.LeftButton)
    command = tapped.args[0]
    assert isinstance(command, OpinionCommand)
    assert (command.stance, command.subject.code.meaning) == (Stance.UNSURE, "Pneumothorax")


def test_what_was_opened_stays_open_when_the_answer_is_saved(
    clinic: Any, make: Any, show: Show, qtbot: QtBot
) -> None:
    clinic.answer(clinic.land("a"), triage=clinic.triage(make.finding("Nodule", 0.9)))
    window = show(state(clinic, "a"), *PANELS[2])
    window.findings.findChildren(FindingButton)[0].click()
    selected = state(clinic, "a").selected
    assert selected is not None
    Opinions(clinic.database).give(selected.findings.lines[0].subject, Stance.AGREE)
    window.show_state(state(clinic, "a"), clock="08:41")
    qtbot.waitUntil(lambda: any(row.isVisible() for row in rows(window)))
    shown = [row for row in rows(window) if row.isVisible()]
    assert [row.buttons[Stance.AGREE].property("chosen") for row in shown] == ["yes"]


@pytest.mark.parametrize(("size", "screen_mm"), PANELS)
def test_told_and_escalate_need_no_scrolling(
    late_clinic: Any, show: Show, size: tuple[int, int], screen_mm: tuple[float, float]
) -> None:
    window = show(state(late_clinic), size, screen_mm)
    viewport = window.urgent.parentWidget()
    assert viewport is not None
    seen = window.urgent.visibleRegion().boundingRect()
    for button in (window.urgent.told, window.urgent.escalate):
        assert button.height() >= TOUCH_MM * window.scale.px_per_mm
        assert seen.contains(button.geometry())
        assert window.rect().contains(place(button, window))


def test_one_tap_each_for_told_and_escalate(late_clinic: Any, show: Show, qtbot: QtBot) -> None:
    window = show(state(late_clinic))
    for button, act in ((window.urgent.told, Act.TOLD), (window.urgent.escalate, Act.ESCALATED)):
        with qtbot.waitSignal(window.tapped) as tapped:
            qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert tapped.args == [DeedCommand(exam_id="cut", version=1, act=act)]


def test_late_is_louder_in_words_size_and_colour_and_stands_still(
    late_clinic: Any, full_clinic: Any, show: Show, qtbot: QtBot
) -> None:
    early, late = show(state(full_clinic)), show(state(late_clinic))
    assert (early.urgent.property("kind"), late.urgent.property("kind")) == ("tell", "late")
    assert late.urgent._title.text() == "Tell the physician now"
    assert late.urgent._title.fontMetrics().height() > early.urgent._title.fontMetrics().height()
    assert "not told for 3:32" in late.urgent._detail.text()
    qtbot.wait(100)  # laid out and painted
    first = late.grab().toImage()
    qtbot.wait(1100)
    assert late.grab().toImage() == first


def test_an_exam_that_is_not_urgent_has_no_banner(full_clinic: Any, show: Show) -> None:
    window = show(state(full_clinic, "good"))
    assert not window.urgent.isVisible()


@pytest.mark.parametrize(("size", "screen_mm"), PANELS)
def test_the_oldest_unread_is_always_in_the_heading(
    full_clinic: Any, show: Show, size: tuple[int, int], screen_mm: tuple[float, float]
) -> None:
    window = show(state(full_clinic), size, screen_mm)
    if window.is_compact:
        window._show_list()
    button = window.worklist.unread
    assert button.isVisible()
    assert button.height() >= TOUCH_MM * window.scale.px_per_mm
    assert window.rect().contains(place(button, window))
    assert all(
        button.fontMetrics().horizontalAdvance(line) <= button.width() for line in button.text().split("\n")
    )
    assert button.text().startswith("Oldest unread\n")


def test_nothing_marks_everything_as_read(full_clinic: Any, show: Show) -> None:
    window = show(state(full_clinic))
    names = [button.accessibleName() or button.text() for button in window.findChildren(QAbstractButton)]
    assert names
    assert not any("all" in name.lower().split() for name in names)


@pytest.mark.parametrize(
    ("reveal", "word", "command"),
    [
        (
            Reveal.AFTER_COMMIT,
            "Nothing seen",
            DeedCommand(exam_id="wrist", version=1, act=Act.FIRST_LOOK, first_look=FirstLook.NOTHING),
        ),
        (
            Reveal.AFTER_COMMIT,
            "Something here",
            DeedCommand(exam_id="wrist", version=1, act=Act.FIRST_LOOK, first_look=FirstLook.SOMETHING),
        ),
        (
            Reveal.AFTER_ASKING,
            "Show AI",
            DeedCommand(exam_id="wrist", version=1, act=Act.AI_ASKED),
        ),
    ],
)
@pytest.mark.parametrize(("size", "screen_mm"), PANELS)
def test_the_first_look_is_one_tap_and_nothing_is_shown_before(
    late_clinic: Any,
    show: Show,
    qtbot: QtBot,
    reveal: Reveal,
    word: str,
    command: DeedCommand,
    size: tuple[int, int],
    screen_mm: tuple[float, float],
) -> None:
    window = show(state(late_clinic, "wrist", reveal), size, screen_mm)
    (bar,) = window.findings.findChildren(FirstLookBar)
    button = next(b for b in bar.findChildren(QPushButton) if b.text() == word)
    assert min(button.width(), button.height()) >= TOUCH_MM * window.scale.px_per_mm
    assert not any("Fracture" in label.text() for label in window.findChildren(QLabel))
    assert not window.image.has_ai()
    with qtbot.waitSignal(window.tapped) as tapped:
        button.click()
    assert tapped.args == [command]


def test_the_card_says_what_its_model_may_show(clinic: Any, make: Any, show: Show, qtbot: QtBot) -> None:
    flag = make.finding("Nodule", 0.9, draws_location=False)
    clinic.answer(clinic.land("a"), triage=clinic.triage(flag))
    window = show(state(clinic, "a"))
    texts = [label.text() for label in window.findings.findChildren(QLabel)]
    assert "Flag only: no place is shown" in texts
    mixed = make.finding("Fracture", 0.9, code="2", draws_location=True)
    clinic.answer(clinic.land("b"), triage=clinic.triage(flag, mixed))
    window.show_state(state(clinic, "b"), clock="08:41")
    said = lambda: {label.text() for label in window.findings.findChildren(QLabel) if label.isVisible()}  # noqa: E731  a probe
    qtbot.waitUntil(lambda: {"Flag only: no place is shown", "Reader aid"} <= said())
