# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small pictures for the wall, made beside the screen's own thread so that nothing waits for them."""

from __future__ import annotations

import queue
from collections import OrderedDict
from typing import Final

import cv2
import numpy as np
from PyQt6.QtCore import QObject, QPointF, QRectF, Qt, QThreadPool, QTimer, pyqtSignal
from PyQt6.QtGui import QColor, QImage, QPainter, QPen

from appliance.domain.quality import MarkShape
from appliance.errors import InputError
from ui import theme
from ui.display_table import lookup_for
from ui.picture_state import MarkStyle, PictureState
from ui.view_files import open_picture

COLLECT_MS: Final = 50
KEPT: Final = 200
"""Thumbnails in memory: three boards full, some 12 MB at 15 KB to 60 KB each."""

_Key = tuple[str, int, int]
_Made = tuple[_Key, QImage | None]


class Thumbnails(QObject):
    """One small picture per exam, version and state of its files. `ready` says that a new one is there."""

    ready = pyqtSignal()

    def __init__(self, size_px: int, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._size_px = size_px
        self._images: OrderedDict[_Key, QImage | None] = OrderedDict()
        self._asked: set[_Key] = set()
        self._made: queue.SimpleQueue[_Made] = queue.SimpleQueue()
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._timer = QTimer(self)
        self._timer.setInterval(COLLECT_MS)
        self._timer.timeout.connect(self._collect)

    def image(self, state: PictureState) -> QImage | None:
        """The thumbnail; None while it is being made or where there is no picture."""
        key = (state.exam_id, state.version, state.mark)
        if key in self._images:
            self._images.move_to_end(key)
            return self._images[key]
        if state.folder is not None and key not in self._asked:
            self._asked.add(key)
            size_px, made = self._size_px, self._made
            self._pool.start(lambda: made.put((key, _draw(state, size_px))))
            self._timer.start()
        return None

    def finish(self) -> None:
        """Wait for those that are being made."""
        self._pool.waitForDone()
        self._collect()

    def stop(self) -> None:
        """Drop what waits and let the one in work end: none is drawn while the program goes away."""
        self._pool.clear()
        self._pool.waitForDone()
        self._timer.stop()

    def _collect(self) -> None:
        fresh = False
        while not self._made.empty():
            key, image = self._made.get()
            self._asked.discard(key)
            self._images[key] = image
            fresh = True
        while len(self._images) > KEPT:
            self._images.popitem(last=False)
        if not self._asked:
            self._timer.stop()
        if fresh:
            self.ready.emit()


def _draw(state: PictureState, size_px: int) -> QImage | None:
    """The middle slice, at most `size_px` on its longer side, with the outlines of findings."""
    if state.folder is None:
        return None
    try:
        picture = open_picture(state.folder)
    except InputError:
        return None
    stored = picture.stored[picture.slices // 2]
    scale = size_px / max(stored.shape)
    rows, columns = (max(1, round(side * scale)) for side in stored.shape)
    small = np.asarray(cv2.resize(stored, (columns, rows), interpolation=cv2.INTER_AREA))
    lookup = lookup_for(small.dtype, picture.table, picture.view.stored_low)[0]
    bits = small.view(np.uint8 if small.dtype.itemsize == 1 else np.uint16)
    grey = np.ascontiguousarray(lookup[bits])
    held = QImage(grey.tobytes(), columns, rows, columns, QImage.Format.Format_Grayscale8)
    image: QImage = held.convertToFormat(QImage.Format.Format_RGB32)  # its own memory, and colours
    _mark(image, state, scale)
    return image


def _mark(image: QImage, state: PictureState, scale: float) -> None:
    """Boxes only: unfilled, black casing; solid for high, dashed for lower confidence."""
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for mark in state.marks:
        if not mark.is_ai or len(mark.points_px) < 2 or mark.shape is not MarkShape.BOX:
            continue
        points = [QPointF(column * scale, row * scale) for row, column in mark.points_px]
        box = QRectF(points[0], points[1]).normalized()
        solid = mark.style is MarkStyle.FINDING_HIGH
        for colour, width in ((theme.BLACK, 5.0), (theme.CYAN, 2.5)):
            pen = QPen(QColor(colour), width)
            if not solid and colour == theme.CYAN:
                pen.setStyle(Qt.PenStyle.DashLine)
            painter.setPen(pen)
            painter.drawRect(box)
    painter.end()
