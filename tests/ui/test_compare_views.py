# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Original, denoised and removed on the whole screen, with fingers on the buttons."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtGui import QImage, QWheelEvent
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from ui.hold import HOLD_MS
from ui.kiosk import KioskWindow
from ui.picture_tools import PRESETS, Compare
from ui.view_state import Attention, board_state

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def window(full_clinic: Any, qtbot: QtBot) -> KioskWindow:
    made = KioskWindow((1920, 1080), (344.0, 194.0))
    qtbot.addWidget(made)
    made.show()
    qtbot.waitExposed(made)
    return made


def open_exam(window: KioskWindow, clinic: Any, exam_id: str) -> None:
    state = board_state(
        clinic.read(),
        trouble=None,
        attention=Attention(selected_exam_id=exam_id),
        now_ns=clinic.clock.monotonic_ns(),
    )
    window.show_state(state, clock="08:41")
    for _ in range(3):  # rounds of layout, until every widget has its place
        QApplication.processEvents()


def grey(window: KioskWindow) -> NDArray[np.uint8]:
    image = window.image.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    data = image.constBits()
    assert data is not None
    rows = np.frombuffer(bytes(data.asarray(image.sizeInBytes())), np.uint8)
    return rows.reshape(image.height(), image.bytesPerLine())[:, : image.width()]


def noise(window: KioskWindow) -> float:
    return float(np.std(grey(window)[480:540, 350:400]))


def test_a_held_button_flickers_and_a_tap_stays(full_clinic: Any, window: KioskWindow, qtbot: QtBot) -> None:
    open_exam(window, full_clinic, "head")
    button = window.toolbar.buttons["split"]
    original = grey(window)
    assert noise(window) > 5
    qtbot.mousePress(button, LEFT)
    assert noise(window) == 0
    qtbot.wait(HOLD_MS + 100)
    qtbot.mouseRelease(button, LEFT)
    assert np.array_equal(grey(window), original), "let go: as before"
    assert window.image.tools.compare is Compare.ORIGINAL
    qtbot.mouseClick(button, LEFT)
    assert window.image.tools.compare is Compare.DENOISED
    assert noise(window) == 0
    assert button.word == "Denoised"
    qtbot.mousePress(button, LEFT)
    assert noise(window) > 5, "held: the other one"
    qtbot.wait(HOLD_MS + 100)
    qtbot.mouseRelease(button, LEFT)
    assert noise(window) == 0


def test_removed_is_grey_noise_without_anatomy(full_clinic: Any, window: KioskWindow, qtbot: QtBot) -> None:
    open_exam(window, full_clinic, "head")
    for _ in range(3):
        qtbot.mouseClick(window.toolbar.buttons["split"], LEFT)
    assert window.image.tools.compare is Compare.REMOVED
    removed = grey(window)
    assert abs(float(np.mean(removed[400:800, 200:800])) - 128) < 3
    assert noise(window) == pytest.approx(255 / 8, rel=0.2), "the window is eight noise levels wide"
    assert not window.toolbar.buttons["contrast"].isEnabled()
    qtbot.mouseClick(window.toolbar.buttons["split"], LEFT)
    assert window.image.tools.compare is Compare.ORIGINAL


def test_every_view_has_its_name_burnt_in(full_clinic: Any, window: KioskWindow) -> None:
    open_exam(window, full_clinic, "head")
    width = window.image.width()
    corners = []
    for compare in (Compare.ORIGINAL, Compare.DENOISED, Compare.REMOVED):
        window.image.set_tools(replace(window.image.tools, compare=compare, ai_on=False))
        corners.append(grey(window)[67:100, width - 120 : width - 67].copy())
        assert (corners[-1] > 150).any(), f"{compare.value} is named at the right edge"


def test_a_peek_hides_everything_drawn_and_comes_back(
    full_clinic: Any, window: KioskWindow, qtbot: QtBot
) -> None:
    open_exam(window, full_clinic, "cut")
    button = window.toolbar.buttons["ai"]
    before = grey(window)
    viewport = window.image.viewport_now
    assert viewport is not None

    def at(row: float, column: float) -> int:
        x, y = viewport.to_screen((row, column))
        return int(grey(window)[round(y) - 3 : round(y) + 4, round(x) - 3 : round(x) + 4].max())

    box, mark = at(160, 200), at(300, 330)
    qtbot.mousePress(button, LEFT)
    assert at(160, 200) < box - 30, "no box"
    assert at(300, 330) < mark - 30, "no quality mark"
    assert not np.array_equal(grey(window)[:60, :160], before[:60, :160]), "AI hidden is said"
    qtbot.wait(HOLD_MS + 100)
    qtbot.mouseRelease(button, LEFT)
    assert np.array_equal(grey(window), before)
    assert window.image.tools.ai_on
    qtbot.mouseClick(button, LEFT)
    assert not window.image.tools.ai_on
    assert at(300, 330) == pytest.approx(mark, abs=25), "a tap hides AI alone"


def test_presets_are_for_ct_and_end_with_the_next_image(
    full_clinic: Any, window: KioskWindow, qtbot: QtBot
) -> None:
    open_exam(window, full_clinic, "cut")
    assert not window.toolbar.buttons["preset"].isVisible()
    window.image.use_next_preset()
    assert window.image.contrast is None
    open_exam(window, full_clinic, "head")
    preset = window.toolbar.buttons["preset"]
    assert preset.word == "As sent"
    before = grey(window)
    qtbot.mouseClick(preset, LEFT)
    assert (preset.word, window.image.contrast) == ("Lung", PRESETS[0].window)
    assert not np.array_equal(grey(window), before)
    window.image.set_contrast((41.0, 399.0))
    assert preset.word == "By hand"
    qtbot.mouseClick(window.toolbar.buttons["reset"], LEFT)
    assert preset.word == "As sent"
    qtbot.mouseClick(preset, LEFT)
    open_exam(window, full_clinic, "good")
    assert window.image.contrast is None


def test_wheel_and_end_buttons_step_through_slices(
    full_clinic: Any, window: KioskWindow, qtbot: QtBot
) -> None:
    open_exam(window, full_clinic, "head")
    start = window.image.slice_index
    for eighths, expected in (
        (-120, start + 1),
        (-40, start + 1),
        (-40, start + 1),
        (-40, start + 2),
        (240, start),
    ):
        _wheel(window, eighths)
        assert window.image.slice_index == expected
    qtbot.mouseClick(window.slices.later, LEFT)
    assert window.image.slice_index == start + 1
    qtbot.mouseClick(window.slices.earlier, LEFT)
    assert window.image.slice_index == start


def _wheel(window: KioskWindow, eighths: int) -> None:
    middle = QPointF(window.image.rect().center())
    event = QWheelEvent(
        middle,
        QPointF(window.image.mapToGlobal(middle)),
        QPoint(0, 0),
        QPoint(0, eighths),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(window.image, event)
