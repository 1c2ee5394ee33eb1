# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The line that says that everybody on the screen is invented: on every page, and nothing takes it away."""

from __future__ import annotations

from typing import Final

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QScrollArea, QVBoxLayout

from ui import theme
from ui.kiosk import KioskWindow
from ui.labels import PlainLabel
from ui.language import tr

LINE_HEIGHT: Final = 1.28
"""Just enough for the tails of letters."""


def put_band(window: KioskWindow) -> PlainLabel:
    """Above whatever page is shown."""
    band = PlainLabel("side_missing", tr("DEMONSTRATION: invented patients"))
    band.setAlignment(Qt.AlignmentFlag.AlignCenter)
    size_px = window.scale.px(2.6 if window.is_compact else 3.7)
    band.setStyleSheet(f"background: {theme.RAISED}; font-size: {size_px}px;")
    band.setFixedHeight(round(LINE_HEIGHT * size_px))
    for area in window.findChildren(QScrollArea):  # they give the room: on a 7 inch panel there is no other
        area.setMinimumHeight(1)
    column = window.layout()
    if isinstance(column, QVBoxLayout):
        column.setSpacing(0)
        column.insertWidget(0, band)
    return band
