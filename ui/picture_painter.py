# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One picture on the screen, layer by layer: grey values, denoised side, heatmap, outlines, figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QPointF, QRect, QRectF, Qt
from PyQt6.QtGui import QColor, QImage, QPainter

from ui import theme
from ui.display_table import Window, initial_window, windowed_table
from ui.frame_renderer import FrameRenderer, Painted
from ui.heat_image import heat_image
from ui.language import tr
from ui.overlay_painter import Figures, OverlayPainter
from ui.picture_state import DrawnMark, MarkStyle, PictureState
from ui.picture_tools import Compare, Tools, preset_name
from ui.removed_part import RemovedPart, removed_part
from ui.theme import Scale
from ui.view_files import Picture, read_heatmap
from ui.viewport import Viewport

HANDLE_MM: Final = 20.0
"""The divider's handle (KIOSK.md, A3)."""
NAMES_FROM_TOP_MM: Final = 12.0
"""Where "original" and "denoised" stand: below the first notice."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """Everything that decides what is painted."""

    picture: Picture
    state: PictureState
    viewport: Viewport
    window: Window | None
    """Contrast that a person set; None: the header's own look."""
    tools: Tools
    """As they are drawn: with what a held button makes of them."""
    is_peek: bool
    """Nothing is drawn over the picture but its figures."""
    slice_index: int
    divider: float
    """Where the denoised side begins, as a share of the width."""


def heat_codes(picture: Picture, state: PictureState) -> tuple[str, ...]:
    """Codes of the flagged findings that have a heatmap to show."""
    return tuple(code for code in state.heatmap_codes if code in picture.view.heatmaps)


class PicturePainter:
    """Paints scenes of one picture at a time; keeps what does not change between two of them."""

    def __init__(self, scale: Scale) -> None:
        self._scale = scale
        self._overlay = OverlayPainter(scale)
        self._renderers: dict[tuple[int, Compare], FrameRenderer] = {}
        self._removed: RemovedPart | None = None
        self._table: tuple[Window, NDArray[np.uint8]] | None = None
        self._heat: QImage | None = None

    def forget(self) -> None:
        """Another picture, or another version of its files, comes."""
        self._renderers.clear()
        self._removed = self._table = self._heat = None

    def strip_px(self, width_px: int) -> int:
        """Height of the strip of figures under a picture of this width."""
        return self._overlay.strip_px(width_px)

    def words(self, painter: QPainter, area: QRect, words: str) -> None:
        """What stands in the place of a picture."""
        margin = self._scale.px(10)
        font = painter.font()
        font.setPixelSize(self._scale.px(4.4))
        painter.setFont(font)
        painter.setPen(QColor(theme.DIM))
        flags = int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap)
        painter.drawText(area.adjusted(margin, margin, -margin, -margin), flags, words)

    def paint(self, painter: QPainter, scene: Scene) -> None:
        """The scene, on a black ground."""
        width, height = scene.viewport.size_px
        compare = scene.tools.compare
        line = round(scene.divider * width)
        whole = Compare.ORIGINAL if compare is Compare.DIVIDER else compare
        self._draw_frame(painter, scene, whole)
        if compare is Compare.DIVIDER:
            painter.setClipRect(QRect(line, 0, width - line, height))
            self._draw_frame(painter, scene, Compare.DENOISED)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if compare in {Compare.DIVIDER, Compare.DENOISED}:
            self._overlay.marks(painter, _marks(scene, of_the_copy=True), scene.viewport)
        painter.setClipRect(QRect(0, 0, width, height))
        if scene.tools.ai_on and scene.tools.heatmap_on:
            self._draw_heat(painter, scene)
        self._overlay.marks(painter, _marks(scene, of_the_copy=False), scene.viewport)
        painter.setClipping(False)
        self._overlay.figures(painter, _figures(scene, self._removed), scene.viewport)
        self._name_view(painter, scene, line)

    def _draw_frame(self, painter: QPainter, scene: Scene, compare: Compare) -> None:
        renderer = self._renderer(scene, compare)
        if compare is Compare.REMOVED and self._removed is not None:
            table = self._removed.table
        else:
            table = self._table_for(scene)
        _draw(painter, renderer.paint(scene.viewport, table))

    def _name_view(self, painter: QPainter, scene: Scene, line: int) -> None:
        """Which of original and copy this is stands in the picture; there is no way to take it off."""
        if scene.picture.denoised is None:
            return
        width, height = scene.viewport.size_px
        top = self._scale.px(NAMES_FROM_TOP_MM)
        compare = scene.tools.compare
        if compare is Compare.DIVIDER:
            self._overlay.divider(painter, line, height, self._scale.px(HANDLE_MM))
            self._overlay.side_names(painter, line, top, width)
        elif compare is Compare.REMOVED and self._removed is not None:
            unit = " HU" if scene.state.is_ct else ""
            names = (
                tr("removed: original - denoised"),
                tr("window {width}{unit}", width=f"{self._removed.window[1]:.0f}", unit=unit),
            )
            self._overlay.right_chips(painter, names, top, width, theme.CYAN)
        elif compare is Compare.DENOISED:
            self._overlay.right_chips(painter, (tr("denoised"),), top, width, theme.CYAN)
        else:
            self._overlay.right_chips(painter, (tr("original"),), top, width, theme.TEXT)

    def _table_for(self, scene: Scene) -> NDArray[np.uint8]:
        if scene.window is None:
            return scene.picture.table
        if self._table is None or self._table[0] != scene.window:
            self._table = (scene.window, windowed_table(scene.picture.view, scene.window))
        return self._table[1]

    def _renderer(self, scene: Scene, compare: Compare) -> FrameRenderer:
        """The renderer of this slice; those of other slices are let go."""
        key = (scene.slice_index, compare)
        if key not in self._renderers:
            self._renderers = {k: r for k, r in self._renderers.items() if k[0] == scene.slice_index}
            self._renderers[key] = self._new_renderer(scene, compare)
        return self._renderers[key]

    def _new_renderer(self, scene: Scene, compare: Compare) -> FrameRenderer:
        picture, index = scene.picture, scene.slice_index
        if compare is Compare.ORIGINAL or picture.denoised is None:
            return FrameRenderer(picture.stored[index], picture.view.stored_low)
        if compare is Compare.DENOISED:
            return FrameRenderer(picture.denoised[index], picture.view.stored_low)
        self._removed = removed_part(picture.stored[index], picture.denoised[index], picture.view)
        return FrameRenderer(self._removed.difference, self._removed.stored_low)

    def _draw_heat(self, painter: QPainter, scene: Scene) -> None:
        if self._heat is None:
            maps = [read_heatmap(scene.picture, code) for code in heat_codes(scene.picture, scene.state)]
            self._heat = heat_image([one for one in maps if one is not None])
        if self._heat is None:
            return
        rows, columns = scene.picture.shape_px
        top_left = QPointF(*scene.viewport.to_screen((-0.5, -0.5)))
        bottom_right = QPointF(*scene.viewport.to_screen((rows - 0.5, columns - 0.5)))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QRectF(top_left, bottom_right), self._heat)


def _marks(scene: Scene, *, of_the_copy: bool) -> list[DrawnMark]:
    """What is outlined on this slice: of the denoised copy alone, or of the picture itself."""
    return [
        mark
        for mark in scene.state.marks
        if not scene.is_peek
        and (mark.style is MarkStyle.ORIGINAL_KEPT) is of_the_copy
        and (scene.tools.ai_on or not mark.is_ai)
        and mark.slice_index in {None, scene.slice_index}
    ]


def _figures(scene: Scene, removed: RemovedPart | None) -> Figures:
    picture, state = scene.picture, scene.state
    if scene.tools.compare is Compare.REMOVED and removed is not None:
        center, width = removed.window
        name = ""
    else:
        center, width = scene.window or initial_window(picture.view, picture.table)
        name = f"  {preset_name(scene.window)}" if state.is_ct else ""
    notices: list[str] = []
    has_ai = any(mark.is_ai for mark in state.marks) or bool(heat_codes(picture, state))
    if has_ai and not scene.tools.ai_on:
        notices.append(tr("AI hidden"))
    if scene.is_peek and any(not mark.is_ai for mark in state.marks):
        notices.append(tr("Marks hidden"))
    if scene.tools.contrast_mode:
        notices.append(tr("Contrast: drag on the picture"))
    notices.extend(
        tr("{label}: slices {first} to {last}", label=label, first=first + 1, last=last + 1)
        for first, last, label in state.doubtful_slices
        if first <= scene.slice_index <= last
    )
    zoom = f"{scene.viewport.zoom:.0%}"
    if picture.slices > 1:
        number = scene.slice_index + 1
        zoom += "   " + tr("slice {number} of {count}", number=number, count=picture.slices)
    return Figures(
        letters=state.letters,
        side=state.side,
        contrast=f"W {width:.0f}  C {center:.0f}{name}",
        zoom=zoom,
        spacing_mm=picture.view.spacing_mm,
        spacing_word=state.spacing_word,
        notices=tuple(notices),
    )


def _draw(painter: QPainter, painted: Painted | None) -> None:
    if painted is None:
        return
    rows, columns = painted.grey.shape
    image = QImage(painted.grey.tobytes(), columns, rows, columns, QImage.Format.Format_Grayscale8)
    painter.drawImage(painted.x, painted.y, image)
