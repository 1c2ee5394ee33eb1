# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The device page: one tap from any screen, each of its parts one tap further, and the way back."""

from __future__ import annotations

from PyQt6.QtCore import QObject, Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ui.device_sections import DeviceSection, LatencySection, ModelsSection
from ui.icons import Icons
from ui.labels import ElidedLabel, light_when_checked
from ui.language import tr
from ui.theme import Scale
from ui.toolbar import ToolButton

WIDE_COLUMNS = 3
COMPACT_COLUMNS = 2


class DevicePage(QFrame):
    """Three parts under one row of buttons."""

    back_wanted = pyqtSignal()

    def __init__(self, scale: Scale, icons: Icons, *, compact: bool) -> None:
        super().__init__()
        columns = COMPACT_COLUMNS if compact else WIDE_COLUMNS
        self.device = DeviceSection(scale, icons, columns=columns)
        self.models = ModelsSection(scale, icons, columns=columns)
        self.latency = LatencySection(scale, icons, columns=columns)
        self.parts = QStackedWidget()
        self.back = ToolButton("back", "back", tr("Back"), scale, icons)
        self.back.setFixedWidth(scale.touch_px)
        self.back.clicked.connect(self.back_wanted)
        head = QFrame()
        head.setProperty("role", "bar")
        row = QHBoxLayout(head)
        row.setContentsMargins(scale.px(3), scale.px(1), scale.px(3), scale.px(1))
        row.setSpacing(scale.gap_px)
        row.addWidget(self.back)
        row.addWidget(ElidedLabel("name", tr("This device")), stretch=1)
        self.buttons: list[QPushButton] = []
        for part, word in (
            (self.device, tr("Device")),
            (self.models, tr("Models")),
            (self.latency, tr("Latency")),
        ):
            self.parts.addWidget(part)
            button = QPushButton(word)
            button.setProperty("role", "keep")
            light_when_checked(button)
            button.setAccessibleName(word)
            button.setMinimumWidth(scale.touch_px * 2)
            button.setFixedHeight(scale.touch_px)
            button.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(lambda _checked, part=part: self.show_part(part))
            self.buttons.append(button)
            row.addWidget(button)
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.setSpacing(0)
        page.addWidget(head)
        page.addWidget(self.parts, stretch=1)
        self.show_part(self.device)

    def show_part(self, part: QWidget) -> None:
        """Bring one part to the front."""
        self.parts.setCurrentWidget(part)
        for at, button in enumerate(self.buttons):
            button.setChecked(self.parts.widget(at) is part)


class DeviceVisit(QObject):
    """Where one was before the device page, so that Back leads there."""

    opened = pyqtSignal()

    def __init__(self, pages: QStackedWidget, page: DevicePage) -> None:
        super().__init__()
        self._pages = pages
        self._page = page
        self._from: QWidget | None = None
        pages.addWidget(page)
        page.back_wanted.connect(self.leave)

    @property
    def is_open(self) -> bool:
        """The device page is in front."""
        return self._pages.currentWidget() is self._page

    def under(self) -> QWidget | None:
        """The page that is in front, or waits behind the device page."""
        return self._from if self.is_open else self._pages.currentWidget()

    def go(self, page: QWidget) -> None:
        """Bring `page` to the front; while the device page is there, it is where Back leads."""
        if self.is_open:
            self._from = page
        else:
            self._pages.setCurrentWidget(page)

    def open(self) -> None:
        """Show the device page, its first part."""
        if self.is_open:
            return
        self._from = self._pages.currentWidget()
        self._page.show_part(self._page.device)
        self._pages.setCurrentWidget(self._page)
        self.opened.emit()

    def leave(self) -> None:
        """Go back."""
        if self.is_open and self._from is not None:
            self._pages.setCurrentWidget(self._from)
