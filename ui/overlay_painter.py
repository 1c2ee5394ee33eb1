# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is drawn over the picture: outlines with names, letters, ruler, figures and warnings.

All text is drawn with QPainter.drawText, which knows no markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PyQt6.QtCore import QPointF, QRect, QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QPainter, QPen, QPolygonF

from appliance.domain.quality import MarkShape
from ui import theme
from ui.language import apart, noted, tr
from ui.patient_state import EdgeLetters
from ui.picture_state import DrawnMark, MarkStyle
from ui.theme import Scale
from ui.viewport import Viewport

OUTLINE_PX: Final = 3
CASING_PX: Final = 7
"""Outline and its black casing (KIOSK.md, rule 9): seen on bone and on air alike."""
STRIP_MM: Final = 6.5
"""Height of one line of the strip under the picture."""
ONE_LINE_FROM_MM: Final = 120.0
"""Below this width the strip has two lines."""
LETTER_MM: Final = 12.0
"""Width that a letter has at each edge, with its distance from it: nothing else is drawn there."""
_LEFT: Final = Qt.AlignmentFlag.AlignLeft
_RIGHT: Final = Qt.AlignmentFlag.AlignRight
_WHOLE: Final = int(Qt.TextFlag.TextDontClip)
"""A tall script is not cut at the height of a line."""
RULER_MM: Final = (500, 200, 100, 50, 20, 10, 5, 2, 1)
"""Lengths of the ruler; the longest that fits is drawn."""
RULER_ROOM_MM: Final = 10.5
"""At the foot of the picture, for the ruler and its words: the name of a mark stands above."""
NOT_FOR_DIAGNOSIS: Final = noted("Not calibrated: not for primary diagnosis")
SIDE_NOT_GIVEN: Final = noted("side not given")
_COLOURS: Final = {
    MarkStyle.FINDING_HIGH: theme.CYAN,
    MarkStyle.FINDING_MEDIUM: theme.CYAN,
    MarkStyle.QUALITY_REPEAT: theme.RED,
    MarkStyle.QUALITY_CHECK: theme.AMBER,
    MarkStyle.ORIGINAL_KEPT: theme.GREY,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The words around the picture."""

    letters: EdgeLetters | None
    side: str
    """The body side, where the edges are not named; "" when that is unknown too."""
    contrast: str
    zoom: str
    spacing_mm: tuple[float, float] | None
    spacing_word: str
    notices: tuple[str, ...]
    """Amber chips: "AI hidden"."""


class OverlayPainter:
    """Draws over the picture in device pixels of the image area."""

    def __init__(self, scale: Scale) -> None:
        self._scale = scale

    def strip_px(self, width_px: int) -> int:
        """Height of the strip under a picture of this width."""
        lines = 1 if width_px >= self._scale.px(ONE_LINE_FROM_MM) else 2
        return lines * self._scale.px(STRIP_MM)

    def marks(self, painter: QPainter, marks: Sequence[DrawnMark], viewport: Viewport) -> None:
        """Outlines with their names."""
        taken: list[QRect] = []
        for mark in marks:
            points = [QPointF(*viewport.to_screen(point)) for point in mark.points_px]
            if len(points) < 2:
                continue
            colour = QColor(_COLOURS[mark.style])
            dashed = mark.style is MarkStyle.FINDING_MEDIUM
            for width, ink in ((CASING_PX, QColor(theme.BLACK)), (OUTLINE_PX, colour)):
                pen = QPen(ink, width)
                pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
                if dashed:
                    pen.setDashPattern([length * OUTLINE_PX / width for length in (5.0, 3.5)])
                    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
                painter.setPen(pen)
                painter.setBrush(Qt.BrushStyle.NoBrush)
                _outline(painter, mark.shape, points)
            if mark.label:
                taken.append(
                    self._name(
                        painter,
                        mark.label,
                        QPolygonF(points).boundingRect(),
                        colour,
                        (*taken,),
                        viewport.size_px,
                    )
                )

    def figures(self, painter: QPainter, figures: Figures, viewport: Viewport) -> None:
        """Letters at the edges, window and zoom, ruler, notices."""
        width, height = viewport.size_px
        px = self._scale.px
        edge = px(2.5)
        if figures.letters is None:
            colour = theme.TEXT if figures.side else theme.AMBER
            self.chip(painter, figures.side or tr(SIDE_NOT_GIVEN), (edge, edge), colour)
        else:
            size = px(7)
            middle = height // 2
            left = QRect(edge, middle - size, px(12), 2 * size)
            right = QRect(width - edge - px(12), middle - size, px(12), 2 * size)
            self._text(painter, figures.letters.left, left, 7.0, Qt.AlignmentFlag.AlignLeft)
            self._text(painter, figures.letters.right, right, 7.0, Qt.AlignmentFlag.AlignRight)
        y = edge if figures.letters is not None else edge + px(8)
        for notice in figures.notices:
            y += self.chip(painter, notice, (edge, y), theme.AMBER).height() + px(1)
        foot = QRect(edge, height, width - 2 * edge, self.strip_px(width))
        painter.fillRect(foot.adjusted(-edge, 0, edge, 0), QColor(theme.BLACK))
        self._font(painter, 3.2, QFont.Weight.Normal)
        painter.setPen(QColor(theme.TEXT))
        top, bottom = Qt.AlignmentFlag.AlignTop, Qt.AlignmentFlag.AlignBottom
        is_wide = width >= px(ONE_LINE_FROM_MM)
        words = f"{figures.contrast}    {apart(figures.zoom)}"
        painter.drawText(foot.adjusted(0, px(1.2), 0, -px(1.2)), int(_LEFT | top) | _WHOLE, words)
        painter.setPen(QColor(theme.AMBER))
        place = int((_RIGHT | top) if is_wide else (_LEFT | bottom)) | _WHOLE
        painter.drawText(foot.adjusted(0, px(1.2), 0, -px(1.2)), place, apart(tr(NOT_FOR_DIAGNOSIS)))
        if figures.spacing_mm is not None:
            self._ruler(painter, figures.spacing_mm[1], figures.spacing_word, viewport)

    def chip(self, painter: QPainter, text: str, top_left: tuple[int, int], colour: str) -> QRect:
        """A word on a dark ground. Returns where it is."""
        self._font(painter, 3.4, QFont.Weight.Bold)
        px = self._scale.px
        metrics = painter.fontMetrics()
        rect = QRect(*top_left, metrics.horizontalAdvance(text) + px(4), metrics.height() + px(2))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(11, 14, 17, 225))
        painter.drawRoundedRect(rect, px(1.2), px(1.2))
        painter.setPen(QColor(colour))
        painter.drawText(rect, int(Qt.AlignmentFlag.AlignCenter) | _WHOLE, apart(text))
        return rect

    def divider(self, painter: QPainter, x: int, height: int, handle_px: int) -> None:
        """The line between original (left) and denoised (right), with a handle for a finger."""
        painter.setPen(QPen(QColor(theme.BLACK), CASING_PX))
        painter.drawLine(x, 0, x, height)
        painter.setPen(QPen(QColor(theme.TEXT), OUTLINE_PX))
        painter.drawLine(x, 0, x, height)
        painter.setBrush(QColor(theme.CARD))
        middle = QPointF(x, height / 2)
        painter.drawEllipse(middle, handle_px / 2, handle_px / 2)
        self._font(painter, 7.0, QFont.Weight.Bold)
        painter.setPen(QColor(theme.TEXT))
        place = QRectF(x - handle_px / 2, height / 2 - handle_px / 2, handle_px, handle_px)
        painter.drawText(place, int(Qt.AlignmentFlag.AlignCenter), "\u2039 \u203a")

    def side_names(self, painter: QPainter, x: int, top: int, width: int) -> None:
        """Both sides of the divider say what they are; there is no way to take this off."""
        px = self._scale.px
        self._font(painter, 3.4, QFont.Weight.Bold)
        advance = painter.fontMetrics().horizontalAdvance(tr("original")) + px(4)
        self.chip(painter, tr("original"), (max(px(1), x - advance - px(3)), top), theme.TEXT)
        advance = painter.fontMetrics().horizontalAdvance(tr("denoised")) + px(4)
        self.chip(painter, tr("denoised"), (min(width - advance - px(1), x + px(3)), top), theme.CYAN)

    def right_chips(self, painter: QPainter, texts: Sequence[str], top: int, width: int, colour: str) -> None:
        """Chips left of the letter at the right edge, one below the other."""
        for text in texts:
            self._font(painter, 3.4, QFont.Weight.Bold)
            left = width - painter.fontMetrics().horizontalAdvance(text) - self._scale.px(4 + LETTER_MM)
            top += self.chip(painter, text, (max(0, left), top), colour).height() + self._scale.px(1)

    def _name(
        self,
        painter: QPainter,
        text: str,
        box: QRectF,
        colour: QColor,
        taken: Sequence[QRect],
        size_px: tuple[int, int],
    ) -> QRect:
        self._font(painter, 3.6, QFont.Weight.Bold)
        px = self._scale.px
        metrics = painter.fontMetrics()
        size = metrics.horizontalAdvance(text) + px(3), metrics.height() + px(1)
        width, height = size_px
        x = int(min(max(box.left() - 3, px(1)), max(px(1), width - size[0] - px(1))))
        y = int(box.top()) - size[1] - px(1)
        if y < px(1):
            y = min(int(box.bottom()) + px(1), height - size[1] - px(RULER_ROOM_MM))
        rect = QRect(x, y, *size)
        while any(rect.intersects(other) for other in taken):
            rect.translate(0, size[1] + px(0.5))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(11, 14, 17, 225))
        painter.drawRoundedRect(rect, px(0.8), px(0.8))
        painter.setPen(colour)
        painter.drawText(rect, int(Qt.AlignmentFlag.AlignCenter) | _WHOLE, apart(text))
        return rect

    def _ruler(self, painter: QPainter, column_mm: float, word: str, viewport: Viewport) -> None:
        room_px = viewport.size_px[0] * 0.22
        px_per_mm = viewport.zoom / column_mm
        length = next((mm for mm in RULER_MM if mm * px_per_mm <= room_px), None)
        if length is None:
            return
        px = self._scale.px
        x = viewport.size_px[0] / 2 - length * px_per_mm / 2
        y = viewport.size_px[1] - px(3)
        for width, ink in ((CASING_PX - 2, theme.BLACK), (2, theme.TEXT)):
            painter.setPen(QPen(QColor(ink), width))
            end = x + length * px_per_mm
            painter.drawPolyline(
                QPolygonF(
                    [QPointF(x, y - px(1.5)), QPointF(x, y), QPointF(end, y), QPointF(end, y - px(1.5))]
                )
            )
        place = QRect(int(x) - px(30), int(y) - px(7), int(length * px_per_mm) + px(60), px(5))
        self._text(painter, apart(f"{length} {word}"), place, 3.2, Qt.AlignmentFlag.AlignHCenter)

    def _text(
        self,
        painter: QPainter,
        text: str,
        place: QRect,
        height_mm: float,
        align: Qt.AlignmentFlag,
        *,
        colour: str = theme.TEXT,
    ) -> None:
        """Light text with a dark shadow on every side: readable on bone and on air."""
        self._font(painter, height_mm, QFont.Weight.DemiBold)
        flags = int(align | Qt.AlignmentFlag.AlignVCenter)
        painter.setPen(QColor(theme.BLACK))
        for dx, dy in ((-1, -1), (1, -1), (-1, 1), (1, 1), (0, 2), (2, 0), (-2, 0), (0, -2)):
            painter.drawText(place.translated(dx, dy), flags, text)
        painter.setPen(QColor(colour))
        painter.drawText(place, flags, text)

    def _font(self, painter: QPainter, height_mm: float, weight: QFont.Weight) -> None:
        font = QFont(painter.font())
        font.setPixelSize(self._scale.px(height_mm))
        font.setWeight(weight)
        painter.setFont(font)


def _outline(painter: QPainter, shape: MarkShape, points: list[QPointF]) -> None:
    if shape is MarkShape.BOX:
        painter.drawRect(QPolygonF(points).boundingRect())
    elif shape is MarkShape.POLYGON:
        painter.drawPolygon(QPolygonF(points))
    else:
        painter.drawPolyline(QPolygonF(points))
