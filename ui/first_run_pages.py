# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The later pages of the first run: time, PINs, models, the test exposure, and writing it all down."""

from __future__ import annotations

from datetime import datetime

from PyQt6.QtCore import pyqtSignal

from appliance.monitor.timekeeping import network_time
from appliance.pins import Role
from ui.device_sections import ModelsSection
from ui.device_state import DeviceLine
from ui.first_run_parts import FieldButton, StepPage
from ui.first_run_state import Draft
from ui.icons import Icons
from ui.labels import PlainLabel, light_when_checked
from ui.language import tr
from ui.large_button import LargeButton
from ui.line_card import LineGrid, WrappedLabel
from ui.theme import Scale

CLOCK_MM = 11.0


class TimeStep(StepPage):
    """The device's clock, for somebody with another one."""

    said = pyqtSignal(bool)

    def __init__(self, scale: Scale, icons: Icons, *, columns: int) -> None:
        super().__init__(scale, icons, columns=columns)
        self.clock = PlainLabel("idle_clock")
        self.clock.setStyleSheet(f"font-size: {scale.px(CLOCK_MM)}px")
        self._zone = WrappedLabel("detail")
        self._source = WrappedLabel("caption")
        self.right = LargeButton(tr("It is right"), scale, low=True)
        self.wrong = LargeButton(tr("It is wrong"), scale, low=True)
        for button, is_right in ((self.right, True), (self.wrong, False)):
            light_when_checked(button)
            button.clicked.connect(lambda _checked, is_right=is_right: self.said.emit(is_right))
        self._remedy = WrappedLabel("caption_amber")
        for at, label in enumerate((self.clock, self._zone, self._source)):
            self.column.insertWidget(at, label)
        self.lay((self.right, self.wrong))
        self.column.insertWidget(self.column.count() - 1, self._remedy)

    def show_time(self, now: datetime) -> None:
        """`now`: in the device's own zone."""
        self.clock.setText(f"{now:%H:%M:%S}")
        offset = f"{now:%z}"
        zone = tr("Time zone")
        self._zone.setText(f"{now:%Y-%m-%d}   ·   {zone} {now.tzname()} (UTC{offset[:3]}:{offset[3:]})")
        sources = {
            True: tr("Set from the network"),
            False: tr("Not set from the network"),
            None: tr("Network time: not known"),
        }
        self._source.setText(sources[network_time()])

    def show_draft(self, draft: Draft) -> None:
        """What was said of it."""
        self.right.setChecked(draft.clock_is_right is True)
        self.wrong.setChecked(draft.clock_is_right is False)
        command = "sudo timedatectl set-timezone ZONE; sudo timedatectl set-time 'YYYY-MM-DD HH:MM:SS'"
        remedy = tr("Set it in a terminal: {command}", command=command)
        self._remedy.show_text(remedy if draft.clock_is_right is False else "")


class PinsStep(StepPage):
    """Who may open the pages that are not for everybody."""

    pin_wanted = pyqtSignal(object)

    def __init__(self, scale: Scale, icons: Icons, *, columns: int) -> None:
        super().__init__(scale, icons, columns=columns)
        self.service = FieldButton(tr("PIN for service"), scale)
        self.lead = FieldButton(tr("PIN for reject figures"), scale)
        for button, role in ((self.service, Role.SERVICE), (self.lead, Role.LEAD)):
            button.clicked.connect(lambda _checked, role=role: self.pin_wanted.emit(role))
        self.lay((self.service, self.lead))
        words = tr("Without a PIN its page stays locked. Only a hash is kept.")
        self.column.insertWidget(1, WrappedLabel("caption", words))

    def show_draft(self, draft: Draft) -> None:
        """Whether there is one."""
        self.service.show_value(tr(draft.service_pin.value))
        self.lead.show_value(tr(draft.lead_pin.value))


class ModelsStep(ModelsSection):
    """The models as on the device page."""

    def show_draft(self, draft: Draft) -> None:
        """Nothing of it is answered."""

    def say(self, words: str) -> None:
        """It is left as it is."""


class ExposureStep(StepPage):
    """The test exposure, and the button that sends it."""

    test_wanted = pyqtSignal()

    def __init__(self, scale: Scale, icons: Icons, *, columns: int) -> None:
        super().__init__(scale, icons, columns=columns)
        words = tr("A drawn chest with both bases cut off is sent through the running appliance.")
        self.column.insertWidget(0, WrappedLabel("detail", words))
        self.test = LargeButton(tr("Test now"), scale, low=True)
        self.test.clicked.connect(self.test_wanted)
        self.lay((self.test,))


class SummaryStep(StepPage):
    """Everything once more."""

    write_wanted = pyqtSignal()

    def __init__(self, scale: Scale, icons: Icons, *, columns: int) -> None:
        super().__init__(scale, icons, columns=1, found_columns=columns)
        self._written = LineGrid(scale, icons, columns=1)
        self.column.insertWidget(1, self._written)
        self._written.hide()
        self.write = LargeButton(tr("Write the settings"), scale, low=True)
        self.write.clicked.connect(self.write_wanted)
        self.lay((self.write,))

    def show_written(self, lines: tuple[DeviceLine, ...]) -> None:
        """What became of them."""
        self._written.show_lines(lines)
