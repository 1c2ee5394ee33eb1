# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from PyQt6.QtCore import QPoint, QRect, Qt
from PyQt6.QtGui import QFontMetrics
from PyQt6.QtWidgets import QAbstractButton, QLabel, QWidget
from pytestqt.qtbot import QtBot

from appliance.domain.quality import Verdict
from ui.findings_panel import FindingButton
from ui.kiosk import KioskWindow
from ui.theme import GAP_MM, TOUCH_MM
from ui.verdict_state import VerdictKind
from ui.view_state import Attention, BoardState, Profile, board_state

PANELS = [
    ((1920, 1080), (344.0, 194.0)),  # 15.6 inch
    ((1920, 1080), (476.0, 268.0)),  # 21.5 inch
    ((1280, 800), (344.0, 194.0)),  # settings left as shipped
    ((1280, 800), (217.0, 136.0)),  # 10.1 inch
    ((1024, 600), (154.0, 86.0)),  # 7 inch
]
PROFILES: list[Profile] = ["scanner", "rural", "fracture"]
EXAMS = ["cut", "head", "wrist", "side", "new", "good"]
HOSTILE = [
    "DOE^J<img src=/etc/passwd>",
    "<b>BOLD</b>^<table><tr><td>x",
    "EVIL\u202eTXET^x",
    "A\nB\r\nC\x00D^\x1b[31m",
    "&amp;&lt;^&nbsp;",
    "W" * 500,
    "\u200b\u200b\u200b",
]


def state_of(clinic: Any, exam_id: str | None = None) -> BoardState:
    return board_state(
        clinic.read(),
        trouble=None,
        attention=Attention(selected_exam_id=exam_id),
        now_ns=clinic.clock.monotonic_ns(),
    )


Open = Callable[..., KioskWindow]


@pytest.fixture
def show(qtbot: QtBot) -> Iterator[Open]:
    held: list[KioskWindow] = []  # qtbot holds windows weakly: one would be collected while it still paints

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


def on_screen(window: QWidget, kind: type[QWidget] = QWidget) -> list[QWidget]:
    return [widget for widget in window.findChildren(kind) if widget.isVisible()]


def scrolled(widget: QWidget, window: KioskWindow) -> bool:
    """Inside a part that scrolls, so it may be out of sight."""
    parent = widget.parentWidget()
    while parent is not None and parent is not window:
        if parent.objectName() == "qt_scrollarea_viewport":
            return True
        parent = parent.parentWidget()
    return False


def place(widget: QWidget, window: QWidget) -> QRect:
    return QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(("size", "screen_mm"), PANELS)
def test_nothing_is_off_screen(
    full_clinic: Any, show: Open, size: tuple[int, int], screen_mm: tuple[float, float], profile: Profile
) -> None:
    window = show(state_of(full_clinic), size, screen_mm, profile)
    assert (window.width(), window.height()) == size
    for exam_id in EXAMS:
        window.show_state(state_of(full_clinic, exam_id), clock="08:41")
        assert window.minimumSizeHint().width() <= size[0]
        assert window.minimumSizeHint().height() <= size[1]
        for widget in on_screen(window):
            if not scrolled(widget, window):
                assert window.rect().contains(place(widget, window)), (exam_id, widget)
    window.decisions.keep.click()
    for widget in on_screen(window):
        if not scrolled(widget, window):
            assert window.rect().contains(place(widget, window)), ("after keep", widget)
    window.reasons.back_wanted.emit()
    window.decisions.repeat.click()
    assert window.pages.currentWidget() is window.flow.repeat_reasons
    for widget in on_screen(window):
        assert window.rect().contains(place(widget, window)), ("after repeat", widget)


@pytest.mark.parametrize(("size", "screen_mm"), PANELS)
def test_everything_to_tap_is_large_enough_for_gloves(
    full_clinic: Any, show: Open, size: tuple[int, int], screen_mm: tuple[float, float]
) -> None:
    window = show(state_of(full_clinic, "cut"), size, screen_mm)
    px_per_mm = window.scale.px_per_mm
    buttons = on_screen(window, QAbstractButton)
    assert len(buttons) >= 8
    for button in buttons:
        assert button.width() >= TOUCH_MM * px_per_mm - 1e-6, button
        assert button.height() >= TOUCH_MM * px_per_mm - 1e-6, button
    tools = sorted(
        (place(b, window) for b in window.toolbar.buttons.values() if b.isVisible()), key=QRect.left
    )
    for left, right in pairwise(tools):
        assert right.left() - left.right() - 1 >= GAP_MM * px_per_mm - 1e-6
    assert window.worklist.view.sizeHintForRow(0) >= TOUCH_MM * px_per_mm


@pytest.mark.parametrize(("size", "screen_mm"), PANELS)
@pytest.mark.parametrize("exam_id", EXAMS)
def test_the_verdict_is_the_largest_text(
    full_clinic: Any, show: Open, exam_id: str, size: tuple[int, int], screen_mm: tuple[float, float]
) -> None:
    window = show(state_of(full_clinic, exam_id), size, screen_mm)
    sizes = {
        label: QFontMetrics(label.font()).height()
        for label in on_screen(window, QLabel)
        if isinstance(label, QLabel) and label.text()
    }
    word = window.verdict.word
    assert all(height < sizes[word] for label, height in sizes.items() if label is not word)
    text_width = QFontMetrics(word.font()).horizontalAdvance(word.text())
    assert text_width <= word.width()


@pytest.mark.parametrize("name", HOSTILE)
def test_foreign_text_is_shown_and_never_obeyed(clinic: Any, make: Any, show: Open, name: str) -> None:
    hostile = make.patient(name, patient_id=name)
    quality = clinic.quality(make.check(name, Verdict.REPEAT, name, 1.0, name))
    triage = clinic.triage(make.finding(name, 0.9, box=(1, 1, 9, 9)), refusal=name, fallback=name)
    clinic.answer(
        clinic.land("a", patient=hostile, body_part=name, evidence=name), quality=quality, triage=triage
    )
    clinic.view(clinic.land("b", patient=hostile, body_part=name, view_position=name))
    plain = show(state_of(clinic, "a"))
    for exam_id in ("a", "b"):
        plain.show_state(state_of(clinic, exam_id), clock="08:41")
        labels = [label for label in plain.findChildren(QLabel) if isinstance(label, QLabel)]
        assert len(labels) > 15
        for label in labels:
            assert label.textFormat() is Qt.TextFormat.PlainText, label.text()
            for hidden in "\u202e\u200b\x00\x1b\n\r":
                assert hidden not in label.text().replace("\nReceived", "")
        for widget in plain.findChildren(QWidget):
            assert not widget.toolTip()
        assert plain.minimumSizeHint().width() <= 1920


def test_green_is_never_shown_while_checking(full_clinic: Any, show: Open) -> None:
    window = show(state_of(full_clinic, "new"))
    assert window.verdict.property("kind") == VerdictKind.CHECKING.value
    assert window.verdict.word.text() == "CHECKING…"


def test_another_patient_clears_the_picture_before_the_name_changes(full_clinic: Any, show: Open) -> None:
    window = show(state_of(full_clinic, "cut"))
    assert window.image.picture is not None
    seen: list[bool] = []
    original = window.top_bar.patient.show_state

    class Watch:
        """Notes whether the old picture is still there when the name is written."""

        def show_state(self, patient: Any) -> None:
            seen.append(window.image.picture is None)
            original(patient)

    window.top_bar.patient = Watch()  # type: ignore[assignment]
    window.show_state(state_of(full_clinic, "good"), clock="08:41")
    assert seen == [True]
    assert window.image.picture is not None


def test_tapping_a_row_opens_it(full_clinic: Any, show: Open, qtbot: QtBot) -> None:
    window = show(state_of(full_clinic))
    view = window.worklist.view
    centre = view.visualRect(window.worklist.model.index(1)).center()
    with qtbot.waitSignal(window.exam_opened) as opened:
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=centre)
    assert opened.args == ["head"]


def test_six_rows_need_no_scrolling(full_clinic: Any, show: Open) -> None:
    window = show(state_of(full_clinic))
    view = window.worklist.view
    last = view.visualRect(window.worklist.model.index(5))
    viewport = view.viewport()
    assert viewport is not None
    assert viewport.rect().contains(last)


def test_the_number_of_a_finding_appears_on_a_tap(full_clinic: Any, show: Open, qtbot: QtBot) -> None:
    window = show(state_of(full_clinic, "cut"))
    button = window.findings.findChildren(FindingButton)[0]
    texts = lambda: [label.text() for label in button.findChildren(QLabel)]  # noqa: E731  a probe
    assert not any("0.86" in text for text in texts())
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert any("0.86" in text for text in texts())


def test_keeping_against_the_check_asks_for_one_of_four_reasons(
    full_clinic: Any, show: Open, qtbot: QtBot
) -> None:
    window = show(state_of(full_clinic, "cut"))
    with qtbot.assertNotEmitted(window.decided):
        qtbot.mouseClick(window.decisions.keep, Qt.MouseButton.LeftButton)
    assert window.pages.currentWidget() is window.reasons
    reasons = [b for b in window.reasons.findChildren(QAbstractButton) if b.text() != "Back"]
    assert len(reasons) == 4
    with qtbot.waitSignal(window.decided) as decided:
        qtbot.mouseClick(reasons[1], Qt.MouseButton.LeftButton)
    assert decided.args == ["cut", 1, "keep", "Patient cannot repeat"]
    assert window.pages.currentWidget() is not window.reasons


def test_only_an_advised_repeat_is_red(full_clinic: Any, show: Open) -> None:
    window = show(state_of(full_clinic, "cut"))
    assert window.decisions.repeat.property("advised") == "yes"
    for exam_id in ("good", "head", "side", "new"):
        window.show_state(state_of(full_clinic, exam_id), clock="08:41")
        assert window.decisions.repeat.property("advised") == "no"


def test_going_back_decides_nothing(full_clinic: Any, show: Open, qtbot: QtBot) -> None:
    window = show(state_of(full_clinic, "cut"))
    qtbot.mouseClick(window.decisions.keep, Qt.MouseButton.LeftButton)
    back = next(b for b in window.reasons.findChildren(QAbstractButton) if b.text() == "Back")
    with qtbot.assertNotEmitted(window.decided):
        qtbot.mouseClick(back, Qt.MouseButton.LeftButton)
    assert window.pages.currentWidget() is not window.reasons


def test_keep_on_green_and_repeat_take_one_tap(full_clinic: Any, show: Open, qtbot: QtBot) -> None:
    window = show(state_of(full_clinic, "good"))
    with qtbot.waitSignal(window.decided) as decided:
        qtbot.mouseClick(window.decisions.keep, Qt.MouseButton.LeftButton)
    assert decided.args == ["good", 1, "keep", ""]
    window.show_state(state_of(full_clinic, "cut"), clock="08:41")
    with qtbot.waitSignal(window.decided) as decided:
        qtbot.mouseClick(window.decisions.repeat, Qt.MouseButton.LeftButton)
    assert decided.args[:3] == ["cut", 1, "repeat"]
    assert decided.args[3].startswith("Right base cut off")


def test_an_old_list_says_that_it_is_old(full_clinic: Any, show: Open) -> None:
    now_ns = full_clinic.clock.monotonic_ns() + 61 * 10**9
    state = board_state(full_clinic.read(), trouble=None, attention=Attention(), now_ns=now_ns)
    window = show(state)
    assert "newer exams are missing" in window.worklist._count.text()
    window.show_state(state_of(full_clinic), clock="08:41")
    assert window.worklist._count.text() == "6 exams, most urgent first"


def test_an_empty_store_has_a_screen_with_words(clinic: Any, show: Open) -> None:
    window = show(state_of(clinic))
    texts = [label.text() for label in on_screen(window, QLabel) if isinstance(label, QLabel)]
    assert "No exams yet" in texts
    clinic.land("a")
    window.show_state(state_of(clinic), clock="08:41")
    assert window.verdict.isVisible()


def test_buttons_without_meaning_are_not_there(full_clinic: Any, show: Open) -> None:
    window = show(state_of(full_clinic, "good"))
    visible = {name for name, button in window.toolbar.buttons.items() if button.isVisible()}
    assert visible == {"contrast", "minus", "plus", "one_to_one", "fit", "reset"}
    window.show_state(state_of(full_clinic, "head"), clock="08:41")
    assert window.toolbar.buttons["split"].isVisible()
    assert window.slices.isVisible()
    window.show_state(state_of(full_clinic, "cut"), clock="08:41")
    assert window.toolbar.buttons["heatmap"].isVisible()
    assert not window.slices.isVisible()


def test_everything_to_tap_has_a_name_for_a_screen_reader(full_clinic: Any, show: Open) -> None:
    window = show(state_of(full_clinic, "cut"))
    for button in on_screen(window, QAbstractButton):
        assert isinstance(button, QAbstractButton)
        assert button.accessibleName() or button.text()
