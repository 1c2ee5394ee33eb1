# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PyQt6.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt6.QtGui import QColor, QEventPoint, QImage, QPointingDevice, QTouchEvent
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from appliance.domain.quality import Mark, MarkShape
from appliance.domain.result import DerivedFile
from tests.ui.clinic import head_like
from ui import theme
from ui.image_view import ImageView
from ui.picture_state import PictureState, picture_of
from ui.picture_tools import Compare
from ui.theme import Scale


def picture_state(clinic: Any, exam_id: str) -> PictureState:
    exam = next(e for e in clinic.read().exams if e.entry.acquisition_id == exam_id)
    return picture_of(exam)


@pytest.fixture
def view(qtbot: QtBot) -> ImageView:
    widget = ImageView(Scale(px_per_mm=5.0))
    qtbot.addWidget(widget)
    widget.resize(1000, 800)
    widget.show()
    return widget


def drawn(view: ImageView) -> QImage:
    return view.grab().toImage()


def colour_near(image: QImage, x: float, y: float, colour: str, reach: int = 4) -> bool:
    wanted = QColor(colour).getRgb()[:3]
    for dx in range(-reach, reach + 1):
        for dy in range(-reach, reach + 1):
            pixel = image.pixelColor(round(x) + dx, round(y) + dy).getRgb()[:3]
            if all(abs(a - b) < 30 for a, b in zip(pixel, wanted, strict=True)):
                return True
    return False


def touch(view: ImageView, kind: QEvent.Type, points: list[tuple[float, float]]) -> None:
    states = {
        QEvent.Type.TouchBegin: QEventPoint.State.Pressed,
        QEvent.Type.TouchUpdate: QEventPoint.State.Updated,
        QEvent.Type.TouchEnd: QEventPoint.State.Released,
    }
    device = QPointingDevice.primaryPointingDevice()
    made = [
        QEventPoint(i, states[kind], QPointF(*xy), QPointF(view.mapToGlobal(QPoint(*map(round, xy)))))
        for i, xy in enumerate(points)
    ]
    event = QTouchEvent(kind, device, Qt.KeyboardModifier.NoModifier, made)
    QApplication.sendEvent(view, event)
    assert event.isAccepted()


def test_boxes_lie_where_the_findings_are(full_clinic: Any, view: ImageView) -> None:
    view.show_state(picture_state(full_clinic, "cut"))
    image = drawn(view)
    viewport = view.viewport_now
    assert viewport is not None
    for row, column in ((160, 70), (160, 200), (260, 130)):  # edges of the solid box
        assert colour_near(image, *viewport.to_screen((row, column)), theme.CYAN)
    middle = viewport.to_screen((165, 135))
    assert not colour_near(image, *middle, theme.CYAN), "boxes are not filled"
    assert colour_near(image, *viewport.to_screen((300, 330)), theme.AMBER), "the quality mark"


def test_boxes_follow_pan_and_zoom(full_clinic: Any, view: ImageView) -> None:
    view.show_state(picture_state(full_clinic, "cut"))
    view.zoom(1.7)
    touch(view, QEvent.Type.TouchBegin, [(500, 400)])
    touch(view, QEvent.Type.TouchUpdate, [(560, 440)])
    touch(view, QEvent.Type.TouchEnd, [(560, 440)])
    viewport = view.viewport_now
    assert viewport is not None
    assert colour_near(drawn(view), *viewport.to_screen((160, 200)), theme.CYAN)


def test_ai_off_hides_every_ai_mark_and_says_so(full_clinic: Any, view: ImageView) -> None:
    view.show_state(picture_state(full_clinic, "cut"))
    before = drawn(view)
    view.set_tools(replace(view.tools, ai_on=False, heatmap_on=True))
    image = drawn(view)
    viewport = view.viewport_now
    assert viewport is not None
    x, y = viewport.to_screen((160, 200))
    assert colour_near(before, x, y, theme.CYAN)
    assert not colour_near(image, x, y, theme.CYAN)
    assert colour_near(image, *viewport.to_screen((300, 330)), theme.AMBER), "quality marks stay"
    assert image.copy(0, 0, 200, 60) != before.copy(0, 0, 200, 60), "a chip says that AI is hidden"


def test_a_dashed_box_has_gaps_and_a_solid_one_has_none(full_clinic: Any, view: ImageView) -> None:
    view.show_state(picture_state(full_clinic, "cut"))
    image = drawn(view)
    viewport = view.viewport_now
    assert viewport is not None
    solid = [colour_near(image, *viewport.to_screen((r, 200)), theme.CYAN, 1) for r in range(80, 250, 2)]
    dashed = [colour_near(image, *viewport.to_screen((r, 430)), theme.CYAN, 1) for r in range(305, 415, 2)]
    assert all(solid)
    assert any(dashed)
    assert not all(dashed)


def test_two_fingers_zoom_by_their_distance(full_clinic: Any, view: ImageView) -> None:
    view.show_state(picture_state(full_clinic, "good"))
    start = view.viewport_now
    assert start is not None
    touch(view, QEvent.Type.TouchBegin, [(450, 400), (550, 400)])
    touch(view, QEvent.Type.TouchUpdate, [(400, 400), (600, 400)])
    touch(view, QEvent.Type.TouchUpdate, [(350, 400), (650, 400)])
    touch(view, QEvent.Type.TouchEnd, [(350, 400), (650, 400)])
    end = view.viewport_now
    assert end is not None
    assert end.zoom / start.zoom == pytest.approx(3.0, rel=0.01)
    assert end.to_picture(500, 400) == pytest.approx(start.to_picture(500, 400), abs=0.5)


def test_two_fingers_that_move_together_pan(full_clinic: Any, view: ImageView) -> None:
    view.show_state(picture_state(full_clinic, "good"))
    view.zoom(3)
    start = view.viewport_now
    assert start is not None
    touch(view, QEvent.Type.TouchBegin, [(450, 400), (550, 400)])
    touch(view, QEvent.Type.TouchUpdate, [(480, 380), (580, 380)])
    touch(view, QEvent.Type.TouchEnd, [(480, 380), (580, 380)])
    end = view.viewport_now
    assert end is not None
    assert end.zoom == start.zoom
    assert end.to_picture(530, 380) == pytest.approx(start.to_picture(500, 400), abs=0.5)


def test_a_drag_pans_unless_contrast_is_lit(full_clinic: Any, view: ImageView, qtbot: QtBot) -> None:
    view.show_state(picture_state(full_clinic, "good"))
    start = view.viewport_now
    assert start is not None
    _drag(qtbot, view, (500, 300), (520, 340))
    moved = view.viewport_now
    assert moved is not None
    assert moved.center != start.center
    assert view.contrast is None
    view.set_tools(replace(view.tools, contrast_mode=True))
    _drag(qtbot, view, (500, 300), (550, 300))
    assert view.viewport_now == moved
    assert view.contrast == pytest.approx((1900, 3400 + 50 / 1000 * 2 * 3400))
    view.reset()
    assert view.contrast is None
    assert view.viewport_now == start
    assert not view.tools.contrast_mode


def test_contrast_resets_on_the_next_image(full_clinic: Any, view: ImageView) -> None:
    view.show_state(picture_state(full_clinic, "good"))
    view.set_contrast((100, 50))
    view.set_tools(replace(view.tools, contrast_mode=True, ai_on=False))
    view.show_state(picture_state(full_clinic, "cut"))
    assert view.contrast is None
    assert not view.tools.contrast_mode
    assert not view.tools.ai_on, "AI on or off is a person's choice and stays"


def test_no_picture_says_why(full_clinic: Any, view: ImageView) -> None:
    view.show_state(picture_state(full_clinic, "new"))
    assert view.words == "The picture is being prepared…"
    assert view.picture is None


def test_a_damaged_picture_says_so(clinic: Any, view: ImageView) -> None:
    folder = clinic.view(clinic.land("a"))
    (folder / "pixels.npy").write_bytes(b"")
    view.show_state(picture_state(clinic, "a"))
    assert "cannot be shown" in view.words
    drawn(view)


def test_what_the_worker_adds_appears_without_moving_the_picture(
    clinic: Any, make: Any, view: ImageView
) -> None:
    acquisition = clinic.land("a")
    clinic.view(acquisition)
    view.show_state(picture_state(clinic, "a"))
    view.zoom(2)
    place = view.viewport_now
    clinic.answer(acquisition, triage=clinic.triage(make.finding("Nodule", 0.9, code="7", heatmap=True)))
    clinic.view(acquisition, heat={"7": np.full((60, 50), 255, np.uint8)})
    before = drawn(view)
    view.show_state(picture_state(clinic, "a"))
    assert view.has_heatmap()
    assert view.viewport_now == place
    view.set_tools(replace(view.tools, heatmap_on=True))
    assert drawn(view) != before


def test_original_and_denoised_lie_on_their_sides(full_clinic: Any, view: ImageView, qtbot: QtBot) -> None:
    view.show_state(picture_state(full_clinic, "head"))
    view.set_tools(replace(view.tools, compare=Compare.DIVIDER))
    assert view.picture is not None
    viewport = view.viewport_now
    assert viewport is not None

    def spread(left: int) -> float:
        patch = drawn(view).copy(left, 250, 60, 60).convertToFormat(QImage.Format.Format_Grayscale8)
        data = patch.constBits().asarray(patch.sizeInBytes())
        return float(np.std(np.frombuffer(bytes(data), np.uint8)))

    assert spread(400) > 5 * spread(620), "noise left, none right"
    _drag(qtbot, view, (500, 400), (750, 400))
    assert spread(620) > 5, "the divider followed the finger"
    assert view.viewport_now == viewport, "and the picture did not"


def test_places_kept_from_the_original_are_outlined_on_the_copy_alone(clinic: Any, view: ImageView) -> None:
    square = ((80.0, 80.0), (80.0, 170.0), (170.0, 170.0), (170.0, 80.0))
    marks = tuple(
        Mark(label="original kept", shape=MarkShape.POLYGON, points_px=square, slice_index=index)
        for index in (4, 4, 5)
    )
    file = DerivedFile(path="derived/1.dcm", sha256="0", role="derived_image", marks=marks)
    exam = clinic.land("copy", slices=8, modality="CT")
    volume, clean = head_like()
    clinic.answer(
        exam, quality=clinic.quality(), denoise=replace(clinic.quality(), derived=(file,)), triage="none"
    )
    clinic.view(exam, volume[:8], denoised=clean[:8], stored_low=-1024, voi=(40.0, 400.0))
    state = picture_state(clinic, "copy")
    assert [mark.label for mark in state.marks] == ["original kept", "", ""], "named once"
    view.show_state(state)
    view.set_slice(4)
    viewport = view.viewport_now
    assert viewport is not None
    left, right = viewport.to_screen((125, 80)), viewport.to_screen((125, 170))
    assert not colour_near(drawn(view), *right, theme.GREY), "the copy is not shown"
    view.set_tools(replace(view.tools, compare=Compare.DIVIDER))
    assert left[0] < 500 < right[0], "one side lies left of the divider, one right"
    assert colour_near(drawn(view), *right, theme.GREY)
    assert not colour_near(drawn(view), *left, theme.GREY)
    view.set_slice(6)
    assert not colour_near(drawn(view), *right, theme.GREY), "another slice"


def test_slices(full_clinic: Any, view: ImageView) -> None:
    view.show_state(picture_state(full_clinic, "head"))
    assert view.slice_index == 10, "starts in the doubtful range"
    view.set_slice(99)
    assert view.slice_index == 23
    view.set_slice(-5)
    assert view.slice_index == 0


def _drag(qtbot: QtBot, view: ImageView, start: tuple[int, int], end: tuple[int, int]) -> None:
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(*start))
    qtbot.mouseMove(view, QPoint(*end))
    QApplication.processEvents()
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(*end))
