# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A walk over every widget of every page, by day and by night: what holds for all, and for what comes later.

A page is whatever lies in `KioskWindow.pages`; nothing here names one.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest
from PyQt6.QtCore import QCoreApplication, QEvent, QPoint, QRect, Qt
from PyQt6.QtGui import QColor, QPalette
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QLabel,
    QLineEdit,
    QScrollArea,
    QTextEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot

from appliance.receivers import PeerSettings
from tests.ui.guarded import Guarded, guarded
from ui import theme
from ui.labels import PlainLabel
from ui.theme import GAP_MM, TEXT_CONTRAST, TOUCH_MM, contrast
from ui.view_state import Profile

SCREENS: list[tuple[tuple[int, int], tuple[float, float], Profile]] = [
    ((1920, 1080), (344.0, 194.0), "scanner"),
    ((1280, 800), (217.0, 136.0), "fracture"),
    ((1024, 600), (154.0, 86.0), "rural"),
]
PEER = PeerSettings(name="Archive of the whole hospital " * 2, host="192.0.2.1", port=104, ae_title="ARCHIVE")


@pytest.fixture(params=SCREENS, ids=lambda screen: f"{screen[0][0]}-{screen[2]}")
def screen(full_clinic: Any, qtbot: QtBot, request: pytest.FixtureRequest) -> Iterator[Guarded]:
    size, screen_mm, profile = request.param
    with guarded(
        full_clinic, qtbot, size=size, screen_mm=screen_mm, profile=profile, peers=(PEER,)
    ) as opened:
        opened.guard._show_service()
        yield opened
    theme.use_night(night=False)


def pages(screen: Guarded) -> Iterator[QWidget]:
    """Every page, shown in its turn; a page that covers is laid as the guard lays it."""
    stack = screen.window.pages
    assert stack.count() >= 6
    for index in range(stack.count()):
        page = stack.widget(index)
        assert page is not None
        screen.guard._covers.top = page  # so that a redraw does not turn it away
        stack.setCurrentWidget(page)
        settle()
        yield page


def settle() -> None:
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    for _ in range(3):
        QCoreApplication.processEvents()


def seen(page: QWidget, kind: type[Any]) -> list[Any]:
    return [widget for widget in page.findChildren(kind) if widget.isVisible()]


def place(widget: QWidget, window: QWidget) -> QRect:
    return QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())


def scrolls(widget: QWidget) -> bool:
    parent = widget.parentWidget()
    while parent is not None:
        if isinstance(parent, QScrollArea | QAbstractItemView):
            return True
        parent = parent.parentWidget()
    return False


# Trace: REQ-035
def test_every_text_is_plain(screen: Guarded) -> None:
    for _ in pages(screen):
        for label in screen.window.findChildren(QLabel):
            assert label.textFormat() is Qt.TextFormat.PlainText, label.text()
            assert not label.openExternalLinks()
            flags = label.textInteractionFlags()
            assert flags == Qt.TextInteractionFlag.LinksAccessibleByMouse, "no text can be marked or copied"


def test_every_button_has_a_name(screen: Guarded) -> None:
    for page in pages(screen):
        for button in seen(page, QAbstractButton):
            assert (button.accessibleName() or button.text()).strip(), (page, button)


def test_everything_to_tap_is_large_and_apart(screen: Guarded) -> None:
    px_per_mm = screen.window.scale.px_per_mm
    for page in pages(screen):
        found = [(button, place(button, screen.window)) for button in seen(page, QAbstractButton)]
        for button, where in found:
            assert min(where.width(), where.height()) >= TOUCH_MM * px_per_mm - 1e-6, (page, button.text())
        fixed = [(button, where) for button, where in found if not scrolls(button)]
        for (one, first), (other, second) in combinations(fixed, 2):
            gap = max(
                second.left() - first.right() - 1,
                first.left() - second.right() - 1,
                second.top() - first.bottom() - 1,
                first.top() - second.bottom() - 1,
            )
            assert gap >= GAP_MM * px_per_mm - 1, (page, one.accessibleName(), other.accessibleName(), gap)


def test_nothing_is_off_the_screen(screen: Guarded) -> None:
    for page in pages(screen):
        assert page.size() == screen.window.size()
        for widget in seen(page, QWidget):
            if not scrolls(widget):
                assert screen.window.rect().contains(place(widget, screen.window)), (page, widget)


def test_nothing_is_typed_hovered_or_dropped(screen: Guarded) -> None:
    assert not screen.window.findChildren(QLineEdit)
    assert not screen.window.findChildren(QTextEdit)
    for widget in screen.window.findChildren(QWidget):
        assert not widget.toolTip()
        assert not widget.acceptDrops() or scrolls(widget) or isinstance(widget, QAbstractItemView), widget
        assert not widget.actions()


@pytest.mark.parametrize("night", [False, True])
def test_every_text_can_be_read(screen: Guarded, night: bool) -> None:
    if theme.is_night() != night:
        screen.guard.switch_night()
    looked_at = 0
    for page in pages(screen):
        labels = [label for label in seen(page, PlainLabel) if label.text().strip() and not scrolls(label)]
        picture = screen.window.grab().toImage()
        for label in labels:
            where = place(label, screen.window)
            # The ground is the colour that most of the label has: letters cover less than half of it.
            ground = most_common(picture, where)
            ink = label.palette().color(QPalette.ColorRole.WindowText)
            assert contrast(ink.name(), ground) >= TEXT_CONTRAST, (page, label.text(), ink.name(), ground)
            looked_at += 1
        for button in seen(page, QAbstractButton):
            if button.text() and button.isEnabled() and not scrolls(button):
                ink = button.palette().color(QPalette.ColorRole.ButtonText)
                ground = most_common(picture, place(button, screen.window))
                assert contrast(ink.name(), ground) >= TEXT_CONTRAST, (
                    page,
                    button.text(),
                    ink.name(),
                    ground,
                )
                looked_at += 1
    assert looked_at >= 15


def most_common(picture: Any, where: QRect) -> str:
    counts: dict[int, int] = {}
    for x in range(where.left(), where.right(), 2):
        for y in range(where.top(), where.bottom(), 2):
            pixel = picture.pixel(x, y)
            counts[pixel] = counts.get(pixel, 0) + 1
    return QColor.fromRgb(max(counts, key=lambda pixel: counts[pixel])).name()
