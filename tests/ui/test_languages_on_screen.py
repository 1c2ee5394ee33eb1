# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import gettext
import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PyQt6.QtCore import QPoint, QRect, Qt
from PyQt6.QtWidgets import QAbstractButton, QLabel, QWidget
from pytestqt.qtbot import QtBot

from ui import language as language_module
from ui.kiosk import KioskWindow
from ui.language import LANGUAGES, RIGHT_TO_LEFT, tr, use_language
from ui.theme import TOUCH_MM
from ui.view_state import Attention, BoardState, Profile, board_state

PANELS = [
    ((1920, 1080), (344.0, 194.0)),  # 15.6 inch
    ((1280, 800), (217.0, 136.0)),  # 10.1 inch
    ((1024, 600), (154.0, 86.0)),  # 7 inch
]
EXAMS = ["cut", "head", "wrist", "side", "new", "good"]
LONGER = 1.4
"""What a translation may have more than English (KIOSK.md)."""


class Lengthened(gettext.NullTranslations):
    """Every sentence is 40 % longer, in words like its own."""

    def gettext(self, message: str) -> str:
        extra = math.ceil(len(message) * (LONGER - 1)) if len(message) > 3 else 0
        return message + "".join("o" if index % 6 else " " for index in range(extra))

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


@pytest.fixture
def speak(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    def choose(code: str) -> None:
        use_language("en" if code == "longer" else code)
        if code == "longer":
            monkeypatch.setattr(language_module._Chosen, "words", Lengthened())

    yield choose
    monkeypatch.undo()
    use_language("en")


def state_of(clinic: Any, exam_id: str | None = None) -> BoardState:
    return board_state(
        clinic.read(),
        trouble=None,
        attention=Attention(selected_exam_id=exam_id),
        now_ns=clinic.clock.monotonic_ns(),
    )


def is_scrolled(widget: QWidget, window: QWidget) -> bool:
    parent = widget.parentWidget()
    while parent is not None and parent is not window:
        if parent.objectName() == "qt_scrollarea_viewport":
            return True
        parent = parent.parentWidget()
    return False


def place(widget: QWidget, window: QWidget) -> QRect:
    return QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())


def off_screen(window: KioskWindow, size: tuple[int, int]) -> list[str]:
    """What is not wholly within the window, or does not let it be as small as the panel."""
    needed = window.minimumSizeHint()
    wrong = [] if needed.width() <= size[0] and needed.height() <= size[1] else [f"the window needs {needed}"]
    for widget in window.findChildren(QWidget):
        to_be_seen = widget.isVisible() and not is_scrolled(widget, window)
        if to_be_seen and not window.rect().contains(place(widget, window)):
            wrong.append(f"{type(widget).__name__} {widget.accessibleName()} {place(widget, window)}")
    return wrong


@pytest.fixture
def open_window(qtbot: QtBot) -> Iterator[Callable[..., KioskWindow]]:
    held: list[KioskWindow] = []  # qtbot holds windows weakly: one would be collected while it still paints

    def open_one(
        size: tuple[int, int], screen_mm: tuple[float, float], profile: Profile = "scanner"
    ) -> KioskWindow:
        window = KioskWindow(size, screen_mm, profile=profile)
        qtbot.addWidget(window)
        held.append(window)
        return window

    yield open_one
    held.clear()


@pytest.mark.parametrize("profile", ["scanner", "rural", "fracture"])
@pytest.mark.parametrize(("size", "screen_mm"), PANELS)
@pytest.mark.parametrize("code", ["longer", *LANGUAGES])
def test_nothing_is_off_screen(
    full_clinic: Any,
    speak: Callable[[str], None],
    open_window: Callable[..., KioskWindow],
    code: str,
    size: tuple[int, int],
    screen_mm: tuple[float, float],
    profile: Profile,
) -> None:
    speak(code)
    window = open_window(size, screen_mm, profile)
    for exam_id in EXAMS:
        window.show_state(state_of(full_clinic, exam_id), clock="08:41")
        window.show_exam_page()
        window.show()
        window.grab()
        assert (window.width(), window.height()) == size
        assert off_screen(window, size) == [], exam_id
    window.decisions.keep.click()
    window.grab()
    assert off_screen(window, size) == [], "after keep"
    window.reasons.back_wanted.emit()
    window.worklist.languages.click()
    window.grab()
    assert window.pages.currentWidget() is window.languages
    assert off_screen(window, size) == [], "languages"


@pytest.mark.parametrize(("size", "screen_mm"), PANELS)
def test_the_page_of_languages_has_one_large_button_each(
    open_window: Callable[..., KioskWindow],
    qtbot: QtBot,
    full_clinic: Any,
    size: tuple[int, int],
    screen_mm: tuple[float, float],
) -> None:
    window = open_window(size, screen_mm)
    window.show_state(state_of(full_clinic), clock="08:41")
    window.show()
    window.worklist.languages.click()
    window.grab()
    buttons = [b for b in window.languages.findChildren(QAbstractButton) if b.isVisible()]
    assert [button.text() for button in buttons] == [*LANGUAGES.values(), "Back"]
    for button in buttons:
        assert min(button.width(), button.height()) >= TOUCH_MM * window.scale.px_per_mm - 1e-6
    assert [code for code, b in window.languages.buttons.items() if b.isChecked()] == ["en"]
    with qtbot.waitSignal(window.language_wanted) as caught:
        window.languages.buttons["sw"].click()
    assert caught.args == ["sw"]
    window.languages.back.click()
    assert window.pages.currentWidget() is not window.languages


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_each_language_reaches_the_screen(
    full_clinic: Any, speak: Callable[[str], None], open_window: Callable[..., KioskWindow], code: str
) -> None:
    speak(code)
    window = open_window(*PANELS[0])
    window.show_state(state_of(full_clinic, "cut"), clock="08:41")
    texts = {label.text() for label in window.findChildren(QLabel)}
    assert window.verdict.word.text() == tr("REPEAT") != "REPEAT"
    assert {tr("Worklist"), tr("Can the patient leave?"), tr("Detector lines")} <= texts
    assert "Right base cut off" in " ".join(texts), "the English original stands below"
    assert tr("Cut off at the edge. Correct the position and repeat.") in texts
    assert (window.layoutDirection() is Qt.LayoutDirection.RightToLeft) == (code in RIGHT_TO_LEFT)


def test_arabic_mirrors_the_panels_but_not_the_picture(
    full_clinic: Any, speak: Callable[[str], None], open_window: Callable[..., KioskWindow]
) -> None:
    places = {}
    for code in ("en", "ar"):
        speak(code)
        window = open_window(*PANELS[0])
        window.show_state(state_of(full_clinic, "cut"), clock="08:41")
        window.show()
        window.grab()
        places[code] = place(window.worklist, window).left(), place(window.verdict, window).left()
        assert window.image.layoutDirection() is Qt.LayoutDirection.LeftToRight
        picture = state_of(full_clinic, "cut").selected.picture  # type: ignore[union-attr]
        assert picture.letters is not None
        assert (picture.letters.left, picture.letters.right) == ("R", "L")
    assert places["en"][0] < places["en"][1]
    assert places["ar"][0] > places["ar"][1]
