# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The drawn signs: one SVG file each, coloured when they are used."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PyQt6.QtCore import QByteArray, QRectF, Qt
from PyQt6.QtGui import QPainter, QPixmap
from PyQt6.QtSvg import QSvgRenderer

from ui.theme import now

_FOLDER: Final = Path(__file__).parent / "icons"


class Icons:
    """Signs by name; each is drawn once per colour and size."""

    def __init__(self) -> None:
        self._drawn: dict[tuple[str, str, int], QPixmap] = {}

    def pixmap(self, name: str, colour: str, size_px: int) -> QPixmap:
        """The sign `name` in `colour` (#rrggbb, as it looks by day), square, transparent around."""
        colour = now(colour)
        key = (name, colour, size_px)
        pixmap = self._drawn.get(key)
        if pixmap is None:
            text = (_FOLDER / f"{name}.svg").read_text(encoding="utf-8").replace("currentColor", colour)
            pixmap = QPixmap(size_px, size_px)
            pixmap.fill(Qt.GlobalColor.transparent)
            painter = QPainter(pixmap)
            QSvgRenderer(QByteArray(text.encode())).render(painter, QRectF(0, 0, size_px, size_px))
            painter.end()
            self._drawn[key] = pixmap
        return pixmap
