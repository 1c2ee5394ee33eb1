# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture: drawn by the processor for exactly this screen, moved by one finger, zoomed by two.

Every gesture has a button that does the same. Contrast is a mode, so that a stray finger cannot change it.
"""

from __future__ import annotations

from typing import Final

from PyQt6.QtCore import QPointF, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PyQt6.QtWidgets import QSizePolicy

from appliance.errors import InputError
from ui import theme
from ui.display_table import NARROWEST_WINDOW, Window, initial_window
from ui.gestures import GestureArea
from ui.language import apart, tr
from ui.picture_painter import HANDLE_MM, PicturePainter, Scene, heat_codes
from ui.picture_state import PictureState
from ui.picture_tools import PRESETS, Compare, Held, Tools, after_preset, shown_tools
from ui.theme import Scale
from ui.view_files import Picture, open_picture
from ui.viewport import Viewport, fit, one_to_one

ZOOM_STEP: Final = 1.4
"""One tap on Larger or Smaller; two taps double."""
CONTRAST_SPEED: Final = 2.0
"""Window widths per width of the image area that a finger travels."""


class ImageView(GestureArea):
    """One acquisition's picture with everything drawn on it."""

    changed = pyqtSignal()
    """Tools, slice or picture changed: buttons and slice strip follow."""

    def __init__(self, scale: Scale) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(tr("Picture"))
        self.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # a picture is never mirrored
        self.tools = Tools()
        self.picture: Picture | None = None
        self.slice_index = 0
        self._scale = scale
        self._painter = PicturePainter(scale)
        self._state: PictureState | None = None
        self._words = ""
        self._viewport: Viewport | None = None
        self._window: Window | None = None
        self._divider = 0.5
        self._held = Held.NOTHING
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
    def drawn_tools(self) -> Tools:
        """What is drawn: the tools that are switched on, and the button that is held."""
        return shown_tools(self.tools, self._held, has_denoised=self.has_denoised())

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
        self.changed.emit()
        self.update()

    def has_ai(self) -> bool:
        """There is something that the AI button can hide."""
        state = self._state
        return state is not None and (any(mark.is_ai for mark in state.marks) or self.has_heatmap())

    def has_heatmap(self) -> bool:
        """A heatmap can be shown."""
        picture, state = self.picture, self._state
        return picture is not None and state is not None and bool(heat_codes(picture, state))

    def has_denoised(self) -> bool:
        """There is a denoised copy to compare with."""
        return self.picture is not None and self.picture.denoised is not None

    def _forget(self) -> None:
        self.picture = self._viewport = self._window = None
        self._painter.forget()
        self.tools = Tools(ai_on=self.tools.ai_on)
        self._held = Held.NOTHING
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
            self._words = str(error)  # its words are our own, what is foreign in them is safe already
            return
        before, self.picture = self.picture, picture
        self._painter.forget()
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
        return width, max(1, self.height() - self._painter.strip_px(width))

    # What a person does

    def set_tools(self, tools: Tools) -> None:
        """Switch things on or off."""
        self.tools = tools
        self.changed.emit()
        self.update()

    def hold(self, held: Held) -> None:
        """A finger rests on a button, or (NOTHING) has gone."""
        self._held = held
        self.update()

    def use_next_preset(self) -> None:
        """CT only: the next named window, after the last of them the header's own again."""
        if self._state is not None and self._state.is_ct:
            self._window = after_preset(self._window)
            self.changed.emit()
            self.update()

    def step_slice(self, steps: int) -> None:
        """Later (> 0) or earlier slices."""
        self.set_slice(self.slice_index + steps)

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
        """One image pixel per pixel of the panel."""
        self._move(self._viewport and one_to_one(self._viewport, device_pixel_ratio=self.devicePixelRatioF()))

    def reset(self) -> None:
        """As the picture first came up: whole, with the header's contrast, no mode lit."""
        self._window = None
        self.tools = Tools(ai_on=self.tools.ai_on)
        self.fit()
        self.changed.emit()
        self.update()

    def set_contrast(self, window: Window) -> None:
        """Centre and width in modality values."""
        if self.picture is not None:
            was_named = self._window is None or self._window in {preset.window for preset in PRESETS}
            self._window = (window[0], max(window[1], NARROWEST_WINDOW))
            if was_named:
                self.changed.emit()
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

    # Gestures

    def begin_drag(self, point: QPointF) -> None:
        """On the divider's handle: the divider; else the picture or its contrast."""
        handle = self._scale.px(HANDLE_MM) / 2
        on_divider = abs(point.x() - self._divider * self.width()) <= handle
        self._drags_divider = self.drawn_tools.compare is Compare.DIVIDER and on_divider

    def drag(self, point: QPointF, step: QPointF) -> None:
        """Move what was taken hold of."""
        if self._viewport is None:
            return
        if self._drags_divider:
            self._divider = min(max(point.x() / max(1, self.width()), 0.0), 1.0)
            self.update()
        elif self.tools.contrast_mode and self.tools.compare is not Compare.REMOVED:
            self._change_contrast(step.x(), step.y())
        else:
            self._move(self._viewport.panned(step.x(), step.y()))

    def end_drag(self) -> None:
        """Let go."""
        self._drags_divider = False

    def pinch(self, factor: float, middle: QPointF, step: QPointF) -> None:
        """Zoom by how far the fingers went apart, move with their middle."""
        if self._viewport is not None:
            self._move(self._viewport.panned(step.x(), step.y()).zoomed(factor, middle.x(), middle.y()))

    def turn(self, notches: int, point: QPointF) -> None:
        """Slices of a volume; zoom of a projection. Both have buttons or a strip, too."""
        if self.picture is not None and self.picture.slices > 1:
            self.step_slice(-notches)
        elif self._viewport is not None:
            self._move(self._viewport.zoomed(ZOOM_STEP**notches, point.x(), point.y()))

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
            self._painter.words(painter, self.rect(), apart(self._words))
        else:
            scene = Scene(
                picture=self.picture,
                state=self._state,
                viewport=self._viewport,
                window=self._window,
                tools=self.drawn_tools,
                is_peek=self._held is Held.PEEK,
                slice_index=self.slice_index,
                divider=self._divider,
            )
            self._painter.paint(painter, scene)
        painter.end()


def _identity(state: PictureState) -> tuple[str, int]:
    return state.exam_id, state.version
