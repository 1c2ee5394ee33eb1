# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A CT series with everything that a picture can have: every button is there, whole, and apart."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, QRect
from PyQt6.QtWidgets import QAbstractButton, QApplication, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.clinic import head_like
from tests.ui.test_kiosk import PANELS
from ui.kiosk import KioskWindow
from ui.theme import GAP_MM, TOUCH_MM
from ui.toolbar import pages_of
from ui.view_state import Attention, board_state


def place(widget: QWidget, window: QWidget) -> QRect:
    return QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())


def gap(one: QRect, other: QRect) -> int:
    across = max(one.left() - other.right(), other.left() - one.right()) - 1
    down = max(one.top() - other.bottom(), other.top() - one.bottom()) - 1
    return max(across, down)


@pytest.mark.parametrize(("size", "screen_mm"), PANELS)
@pytest.mark.parametrize("has_ai", [False, True])
def test_everything_fits(
    clinic: Any,
    make: Any,
    qtbot: QtBot,
    size: tuple[int, int],
    screen_mm: tuple[float, float],
    *,
    has_ai: bool,
) -> None:
    exam = clinic.land("crowded", slices=8, modality="CT")
    finding = make.finding("Bleeding", 0.9, code="7", box=(10, 10, 90, 90), heatmap=True)
    triage = clinic.triage(finding) if has_ai else "none"
    clinic.answer(exam, quality=clinic.quality(), triage=triage, denoise=clinic.quality())
    volume, clean = head_like()
    heat = {"7": np.full((256, 256), 90, np.uint8)}
    clinic.view(exam, volume[:8], denoised=clean[:8], heat=heat, stored_low=-1024, voi=(40.0, 400.0))
    window = KioskWindow(size, screen_mm)
    qtbot.addWidget(window)
    now_ns = clinic.clock.monotonic_ns()
    window.show_state(
        board_state(clinic.read(), trouble=None, attention=Attention(), now_ns=now_ns), clock="08:41"
    )
    window.show_exam_page()
    window.show()
    qtbot.waitExposed(window)
    QApplication.processEvents()
    assert (window.width(), window.height()) == size, "nothing pushed the window wider"
    toolbar, seen = window.toolbar, set()
    for _ in range(4):  # a narrow panel has more than one page of buttons
        shown = {name for name, button in toolbar.buttons.items() if button.isVisible()}
        assert "reset" in shown, "Reset is always there"
        seen |= shown
        buttons = [*toolbar.buttons.values(), toolbar.more, window.slices.earlier, window.slices.later]
        places = [place(button, window) for button in buttons if button.isVisible()]
        for one in places:
            assert window.rect().contains(one)
            assert min(one.width(), one.height()) >= TOUCH_MM * window.scale.px_per_mm - 1e-6
        for one, other in combinations(places, 2):
            assert gap(one, other) >= GAP_MM * window.scale.px_per_mm - 1.5, "3 mm, to the pixel"
        if not toolbar.more.isVisible():
            break
        toolbar.more.click()
        QApplication.processEvents()
    assert {"split", "contrast", "preset", "minus", "plus", "reset"} <= seen
    assert ({"ai", "heatmap"} <= seen) is has_ai
    assert all(button.accessibleName() or button.text() for button in window.findChildren(QAbstractButton))


def test_pages_hold_every_button_and_reset_each() -> None:
    names = ("ai", "heatmap", "split", "contrast", "preset", "minus", "plus", "reset")
    assert pages_of(names, None) == (names,)
    assert pages_of(names, 8) == (names,)
    pages = pages_of(names, 6)
    assert set().union(*pages) == set(names)
    assert all(len(page) <= 5 and page[-1] == "reset" for page in pages), "and one that turns the page"
