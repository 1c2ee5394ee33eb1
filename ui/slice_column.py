# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The strip of slices with a button at each end: one slice earlier, one slice later."""

from __future__ import annotations

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QFrame, QVBoxLayout

from ui.icons import Icons
from ui.language import tr
from ui.slice_strip import SliceStrip
from ui.theme import Scale
from ui.toolbar import ToolButton


class SliceColumn(QFrame):
    """Stands right of a volume; a projection has none."""

    slice_wanted = pyqtSignal(int)

    def __init__(self, scale: Scale, icons: Icons) -> None:
        super().__init__()
        self.strip = SliceStrip(scale)
        self.earlier = ToolButton("earlier", "slice_minus", tr("Slice -"), scale, icons)
        self.later = ToolButton("later", "slice_plus", tr("Slice +"), scale, icons)
        self._index = 0
        layout = QVBoxLayout(self)
        rest = scale.gap_px - scale.px(1.5)  # with the toolbar's own margin: a whole gap
        layout.setContentsMargins(0, scale.px(1.5), 0, rest)
        layout.setSpacing(scale.gap_px)
        for button, step in ((self.earlier, -1), (self.later, 1)):
            button.setFixedWidth(scale.touch_px)
            button.setAutoRepeat(True)
            button.clicked.connect(lambda _checked, step=step: self.slice_wanted.emit(self._index + step))
        layout.addWidget(self.earlier)
        layout.addWidget(self.strip, stretch=1)
        layout.addWidget(self.later)
        self.setFixedWidth(scale.touch_px)
        self.strip.slice_wanted.connect(self.slice_wanted)

    def show_state(self, count: int, index: int, doubtful: tuple[tuple[int, int, str], ...]) -> None:
        """`index` of `count` slices is shown."""
        self._index = index
        self.strip.show_state(count, index, doubtful)
        self.earlier.setEnabled(index > 0)
        self.later.setEnabled(index < count - 1)
        self.setVisible(count > 1)
