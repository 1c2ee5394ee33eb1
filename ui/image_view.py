# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture: drawn by the processor for exactly this screen, moved by one finger, zoomed by two.

Every gesture has a button that does the same. Contrast is a mode, so that a stray finger cannot change it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QEvent, QPointF, QRect, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import (
    QColor,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTouchEvent,
    QWheelEvent,
)
from PyQt6.QtWidgets import QSizePolicy, QWidget

from appliance.errors import InputError
from ui import theme
from ui.display_table import NARROWEST_WINDOW, Window, initial_window, windowed_table
from ui.frame_renderer import FrameRenderer, Painted
from ui.heat_image import heat_image
from ui.overlay_painter import Figures, OverlayPainter
from ui.picture_state import PictureState
from ui.plain_text import LONGEST_SENTENCE, visible
from ui.theme import Scale
from ui.view_files import Picture, open_picture, read_heatmap
from ui.viewport import Viewport, fit, one_to_one

ZOOM_STEP: Final = 1.4
"""One tap on Larger or Smaller; two taps double."""
HANDLE_MM: Final = 20.0
"""The divider's handle (KIOSK.md, A3)."""
CONTRAST_SPEED: Final = 2.0
"""Window widths per width of the image area that a finger travels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What is switched on over the picture."""

    ai_on: bool = True
    heatmap_on: bool = False
    contrast_mode: bool = False
    split_on: bool = False


class ImageView(QWidget):
    """One acquisition's picture with everything drawn on it."""

    changed = pyqtSignal()
    """Tools, slice or picture changed: buttons and slice strip follow."""
    touched = pyqtSignal()
    """A finger or the mouse is on the picture."""

    def __init__(self, scale: Scale) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_AcceptTouchEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Picture")
        self.tools = Tools()
        self.picture: Picture | None = None
        self.slice_index = 0
        self._scale = scale
        self._overlay = OverlayPainter(scale)
        self._state: PictureState | None = None
        self._words = ""
        self._viewport: Viewport | None = None
        self._window: Window | None = None
        self._table: NDArray[np.uint8] | None = None
        self._renderers: dict[tuple[int, bool], FrameRenderer] = {}
        self._heat: QImage | None = None
        self._divider = 0.5
        self._last_point: QPointF | None = None
        self._last_pinch: tuple[QPointF, QPointF] | None = None
        self._drags_divider = False

    @property
    def viewport_now(self) -> Viewport | None:
        """Where the picture lies; None while there is none."""
        return self._viewport

    @property
    def contrast(self) -> Window | None:
        """Centre and width that a person set; None: the header's own look."""
        return self._window

    @property
    def words(self) -> str:
        """What is said in the place of the picture; "" when there is one."""
        return self._words

    # What is shown

    def show_state(self, state: PictureState | None) -> None:
        """Draw `state`. Another exam's picture is gone before anything new is drawn."""
        if state == self._state:
            return
        before, self._state = self._state, state
        if state is None or before is None or _identity(before) != _identity(state):
            self._forget()
        if state is not None and (self.picture is None or before is None or before.mark != state.mark):
            self._load(state)
        self._heat = None
        self.changed.emit()
        self.update()

    def has_ai(self) -> bool:
        """There is something that the AI button can hide."""
        state = self._state
        return state is not None and (any(m.is_ai for m in state.marks) or bool(self._heat_codes()))

    def _heat_codes(self) -> tuple[str, ...]:
        if self._state is None or self.picture is None:
            return ()
        return tuple(code for code in self._state.heatmap_codes if code in self.picture.view.heatmaps)

    def has_heatmap(self) -> bool:
        """A heatmap can be shown."""
        return bool(self._heat_codes())

    def has_denoised(self) -> bool:
        """There is a denoised copy to compare with."""
        return self.picture is not None and self.picture.denoised is not None

    def _forget(self) -> None:
        self.picture = self._viewport = self._window = self._table = None
        self._renderers.clear()
        self.tools = Tools(ai_on=self.tools.ai_on)
        self._words = ""
        self.slice_index = 0
        self._divider = 0.5

    def _load(self, state: PictureState) -> None:
        if state.folder is None:
            self._words = state.absent
            return
        try:
            picture = open_picture(state.folder)
        except InputError as error:
            self._forget()
            self._words = visible(str(error), limit=LONGEST_SENTENCE)
            return
        before, self.picture = self.picture, picture
        self._renderers.clear()
        self._words = ""
        if before is not None and before.stored.shape == picture.stored.shape:
            return  # the worker added something: place, slice and contrast stay
        spacing = picture.view.spacing_mm
        aspect = spacing[0] / spacing[1] if spacing and spacing[1] > 0 and spacing[0] > 0 else 1.0
        self._viewport = fit(picture.shape_px, self._area(), aspect=aspect)
        self.slice_index = picture.slices // 2
        if state.doubtful_slices:
            first, last, _ = state.doubtful_slices[0]
            self.slice_index = min(max((first + last) // 2, 0), picture.slices - 1)

    def _area(self) -> tuple[int, int]:
        """The part above the strip of figures: nothing of the picture hides under it."""
        width = max(1, self.width())
        return width, max(1, self.height() - self._overlay.strip_px(width))

    # What a person does

    def set_tools(self, tools: Tools) -> None:
        """Switch things on or off."""
        self.tools = tools
        self.changed.emit()
        self.update()

    def set_slice(self, index: int) -> None:
        """Show another slice of a volume."""
        if self.picture is not None:
            self.slice_index = min(max(index, 0), self.picture.slices - 1)
            self.changed.emit()
            self.update()

    def zoom(self, factor: float) -> None:
        """Larger (> 1) or smaller around the middle."""
        width, height = self._area()
        self._move(self._viewport and self._viewport.zoomed(factor, width / 2, height / 2))

    def fit(self) -> None:
        """The whole picture."""
        if self._viewport is not None:
            self._move(fit(self._viewport.shape_px, self._area(), aspect=self._viewport.aspect))

    def one_to_one(self) -> None:
        """One image pixel per screen pixel."""
        self._move(self._viewport and one_to_one(self._viewport))

    def reset(self) -> None:
        """As the picture first came up: whole, with the header's contrast, no mode lit."""
        self._window = self._table = None
        self.tools = Tools(ai_on=self.tools.ai_on)
        self.fit()
        self.changed.emit()
        self.update()

    def set_contrast(self, window: Window) -> None:
        """Centre and width in modality values."""
        if self.picture is not None:
            self._window = (window[0], max(window[1], NARROWEST_WINDOW))
            self._table = windowed_table(self.picture.view, self._window)
            self.update()

    def _move(self, viewport: Viewport | None) -> None:
        if viewport is not None:
            self._viewport = viewport
            self.update()

    def _change_contrast(self, dx: float, dy: float) -> None:
        if self.picture is None:
            return
        start = initial_window(self.picture.view, self.picture.table)
        center, width = self._window or start
        area = self._area()
        speed = CONTRAST_SPEED * start[1]
        self.set_contrast((center + dy / area[1] * speed, width + dx / area[0] * speed))

    # Fingers, mouse, wheel

    def event(self, a0: QEvent | None) -> bool:
        """Raw touch points: one moves, two zoom. Taken before Qt turns them into mouse events."""
        if isinstance(a0, QTouchEvent):
            self._touch(a0)
            a0.accept()
            return True
        return super().event(a0)

    def _touch(self, event: QTouchEvent) -> None:
        points = [QPointF(self.mapFromGlobal(point.globalPosition())) for point in event.points()]
        if event.type() in {QEvent.Type.TouchEnd, QEvent.Type.TouchCancel}:
            self._last_point = self._last_pinch = None
            self._drags_divider = False
            return
        self.touched.emit()
        if len(points) == 1:
            self._last_pinch = None
            if event.type() is QEvent.Type.TouchBegin or self._last_point is None:
                self._begin(points[0])
            else:
                self._drag(points[0])
        elif len(points) >= 2:
            self._last_point = None
            self._pinch(points[0], points[1])

    def _pinch(self, one: QPointF, other: QPointF) -> None:
        """Zoom by how far the fingers went apart, move with their middle."""
        before = self._last_pinch
        self._last_pinch = (one, other)
        if before is None or self._viewport is None:
            return
        apart_before, apart = _distance(*before), _distance(one, other)
        middle_before, middle = (before[0] + before[1]) / 2, (one + other) / 2
        moved = self._viewport.panned(middle.x() - middle_before.x(), middle.y() - middle_before.y())
        if apart_before > 0 and apart > 0:
            moved = moved.zoomed(apart / apart_before, middle.x(), middle.y())
        self._move(moved)

    def _begin(self, point: QPointF) -> None:
        self._last_point = point
        handle = self._scale.px(HANDLE_MM) / 2
        on_divider = abs(point.x() - self._divider * self.width()) <= handle
        self._drags_divider = self.tools.split_on and self.has_denoised() and on_divider

    def _drag(self, point: QPointF) -> None:
        before, self._last_point = self._last_point, point
        if before is None or self._viewport is None:
            return
        step = point - before
        if self._drags_divider:
            self._divider = min(max(point.x() / max(1, self.width()), 0.0), 1.0)
            self.update()
        elif self.tools.contrast_mode:
            self._change_contrast(step.x(), step.y())
        else:
            self._move(self._viewport.panned(step.x(), step.y()))

    def mousePressEvent(self, a0: QMouseEvent | None) -> None:
        """As one finger."""
        if a0 is not None:
            self.touched.emit()
            self._begin(a0.position())

    def mouseMoveEvent(self, a0: QMouseEvent | None) -> None:
        """As one finger."""
        if a0 is not None and a0.buttons() & Qt.MouseButton.LeftButton:
            self._drag(a0.position())

    def mouseReleaseEvent(self, a0: QMouseEvent | None) -> None:
        """The finger is gone."""
        del a0
        self._last_point = None
        self._drags_divider = False

    def wheelEvent(self, a0: QWheelEvent | None) -> None:
        """Slices of a volume; zoom of a projection. Both have buttons or a strip, too."""
        if a0 is None or self.picture is None:
            return
        self.touched.emit()
        up = a0.angleDelta().y() > 0
        if self.picture.slices > 1:
            self.set_slice(self.slice_index + (-1 if up else 1))
        elif self._viewport is not None:
            factor = ZOOM_STEP if up else 1 / ZOOM_STEP
            self._move(self._viewport.zoomed(factor, a0.position().x(), a0.position().y()))

    # Drawing

    def resizeEvent(self, a0: QResizeEvent | None) -> None:
        """Fit stays fit."""
        del a0
        if self._viewport is not None:
            self._viewport = self._viewport.resized(self._area())

    def paintEvent(self, a0: QPaintEvent | None) -> None:
        """Picture, heatmap, outlines, words."""
        del a0
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.BLACK))
        if self.picture is None or self._viewport is None or self._state is None:
            self._paint_words(painter)
        else:
            self._paint_picture(painter, self.picture, self._viewport, self._state)
        painter.end()

    def _paint_words(self, painter: QPainter) -> None:
        margin = self._scale.px(10)
        place = self.rect().adjusted(margin, margin, -margin, -margin)
        font = painter.font()
        font.setPixelSize(self._scale.px(4.4))
        painter.setFont(font)
        painter.setPen(QColor(theme.DIM))
        flags = int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap)
        painter.drawText(place, flags, self._words)

    def _paint_picture(
        self, painter: QPainter, picture: Picture, viewport: Viewport, state: PictureState
    ) -> None:
        table = picture.table if self._table is None else self._table
        split = self.tools.split_on and picture.denoised is not None
        line = round(self._divider * self.width())
        _draw(painter, self._renderer(denoised=False).paint(viewport, table))
        if split:
            painter.setClipRect(QRect(line, 0, self.width() - line, self.height()))
            _draw(painter, self._renderer(denoised=True).paint(viewport, table))
            painter.setClipping(False)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ai_on = self.tools.ai_on
        painter.setClipRect(QRect(0, 0, *self._area()))
        if ai_on and self.tools.heatmap_on:
            self._draw_heat(painter, picture, viewport)
        marks = [
            mark
            for mark in state.marks
            if (ai_on or not mark.is_ai)
            and (mark.slice_index is None or mark.slice_index == self.slice_index)
        ]
        self._overlay.marks(painter, marks, viewport)
        painter.setClipping(False)
        self._overlay.figures(painter, self._figures(picture, viewport, state), viewport)
        if split:
            self._overlay.divider(painter, line, self._area()[1], self._scale.px(HANDLE_MM))
            self._overlay.side_names(painter, line, self._scale.px(12), self.width())

    def _renderer(self, *, denoised: bool) -> FrameRenderer:
        picture = self.picture
        assert picture is not None  # only called while painting one
        key = (self.slice_index, denoised)
        if key not in self._renderers:
            self._renderers = {k: r for k, r in self._renderers.items() if k[0] == self.slice_index}
            source = picture.denoised if denoised and picture.denoised is not None else picture.stored
            self._renderers[key] = FrameRenderer(source[self.slice_index], picture.view.stored_low)
        return self._renderers[key]

    def _draw_heat(self, painter: QPainter, picture: Picture, viewport: Viewport) -> None:
        if self._heat is None:
            maps = [read_heatmap(picture, code) for code in self._heat_codes()]
            self._heat = heat_image([one for one in maps if one is not None])
        if self._heat is None:
            return
        rows, columns = picture.shape_px
        top_left = QPointF(*viewport.to_screen((-0.5, -0.5)))
        bottom_right = QPointF(*viewport.to_screen((rows - 0.5, columns - 0.5)))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QRectF(top_left, bottom_right), self._heat)

    def _figures(self, picture: Picture, viewport: Viewport, state: PictureState) -> Figures:
        center, width = self._window or initial_window(picture.view, picture.table)
        notices: list[str] = []
        if not self.tools.ai_on and self.has_ai():
            notices.append("AI hidden")
        if self.tools.contrast_mode:
            notices.append("Contrast: drag on the picture")
        notices.extend(
            f"{label}: slices {first + 1} to {last + 1}"
            for first, last, label in state.doubtful_slices
            if first <= self.slice_index <= last
        )
        zoom = f"{viewport.zoom:.0%}"
        if picture.slices > 1:
            zoom += f"   slice {self.slice_index + 1} of {picture.slices}"
        return Figures(
            letters=state.letters,
            side=state.side,
            contrast=f"W {width:.0f}  C {center:.0f}",
            zoom=zoom,
            spacing_mm=picture.view.spacing_mm,
            spacing_word=state.spacing_word,
            notices=tuple(notices),
        )


def _identity(state: PictureState) -> tuple[str, int]:
    return state.exam_id, state.version


def _draw(painter: QPainter, painted: Painted | None) -> None:
    if painted is None:
        return
    rows, columns = painted.grey.shape
    image = QImage(painted.grey.tobytes(), columns, rows, columns, QImage.Format.Format_Grayscale8)
    painter.drawImage(painted.x, painted.y, image)


def _distance(one: QPointF, other: QPointF) -> float:
    return math.hypot(one.x() - other.x(), one.y() - other.y())
