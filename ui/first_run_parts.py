# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the pages of the first run are made of: large choices, fields to tap, and what was found beneath."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QGridLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from ui.device_sections import Section
from ui.device_state import DeviceLine
from ui.first_run_state import FIELDS, PROFILES, Draft, Field, Step, value_of
from ui.icons import Icons
from ui.labels import ElidedLabel, light_when_checked
from ui.language import LANGUAGES, tr
from ui.language_page import NOT_REVIEWED
from ui.large_button import LargeButton
from ui.line_card import LineGrid, WrappedLabel
from ui.theme import Scale


class FieldButton(QPushButton):
    """A title over a value; a tap asks for another one."""

    def __init__(self, title: str, scale: Scale) -> None:
        super().__init__()
        self._title = ElidedLabel("caption", title)
        self._value = ElidedLabel("side", "")
        column = QVBoxLayout(self)
        edge = scale.px(2)
        column.setContentsMargins(edge, 0, edge, 0)
        column.setSpacing(0)
        column.addStretch(1)
        for label in (self._title, self._value):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            column.addWidget(label)
        column.addStretch(1)
        self.setMinimumWidth(scale.touch_px)
        self.setFixedHeight(scale.touch_px)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def show_value(self, value: str) -> None:
        """What stands in it."""
        self._value.setText(value)
        self.setAccessibleName(f"{self._title.text()}: {value}")


class StepPage(Section):
    """One page. What was found of its answers stands at its end."""

    def __init__(self, scale: Scale, icons: Icons, *, columns: int, found_columns: int = 1) -> None:
        super().__init__(scale, icons, columns=columns)
        self.grid = QGridLayout()
        self.grid.setSpacing(scale.gap_px)
        for column in range(columns):
            self.grid.setColumnStretch(column, 1)
        self._words = WrappedLabel("caption_amber")
        self._found = LineGrid(scale, icons, columns=found_columns)
        self.column.addLayout(self.grid)
        self.column.addWidget(self._words)
        self.column.addWidget(self._found)
        self.column.addStretch(1)
        self.say("")
        self.show_found(())

    def lay(self, widgets: Iterable[QWidget]) -> None:
        """Row by row."""
        for widget in widgets:
            at = self.grid.count()
            self.grid.addWidget(widget, at // self.columns, at % self.columns)

    def say(self, words: str) -> None:
        """Why the page cannot be left, or what to do."""
        self._words.show_text(words)

    def show_found(self, lines: tuple[DeviceLine, ...]) -> None:
        """What came of trying the answers out."""
        self._found.show_lines(lines)

    def show_draft(self, draft: Draft) -> None:
        """What has been answered."""


def choices(
    words_of: Mapping[str, str], scale: Scale, choose: Callable[[str], object]
) -> dict[str, LargeButton]:
    """A button for each of several, of which one is chosen (`light`); a tap tells its key."""
    buttons = {key: LargeButton(words, scale, low=True) for key, words in words_of.items()}
    for key, button in buttons.items():
        light_when_checked(button)
        button.clicked.connect(lambda _checked, key=key: choose(key))
    return buttons


def light(buttons: Mapping[str, LargeButton], chosen: str) -> None:
    """Light the chosen one."""
    for key, button in buttons.items():
        button.setChecked(key == chosen)


class LanguageStep(StepPage):
    """Each language by its own name."""

    chosen = pyqtSignal(str)

    def __init__(self, scale: Scale, icons: Icons, *, columns: int) -> None:
        super().__init__(scale, icons, columns=columns)
        self.buttons = choices(LANGUAGES, scale, self.chosen.emit)
        self.lay(self.buttons.values())
        self.column.insertWidget(1, WrappedLabel("detail", NOT_REVIEWED))

    def show_draft(self, draft: Draft) -> None:
        """Light the language in use."""
        light(self.buttons, draft.language)


class FieldsPage(StepPage):
    """Fields; a tap on one asks for the keyboard."""

    field_wanted = pyqtSignal(object)

    def __init__(self, step: Step, scale: Scale, icons: Icons, *, columns: int) -> None:
        super().__init__(scale, icons, columns=columns)
        self.fields: dict[Field, FieldButton] = {}
        for field in FIELDS[step]:
            button = FieldButton(tr(field.title), scale)
            button.clicked.connect(lambda _checked, field=field: self.field_wanted.emit(field))
            self.fields[field] = button

    def show_draft(self, draft: Draft) -> None:
        """What stands in each field."""
        for field, button in self.fields.items():
            button.show_value(value_of(draft, field))


class ProfileStep(FieldsPage):
    """Which room, and its name."""

    chosen = pyqtSignal(str)

    def __init__(self, scale: Scale, icons: Icons, *, columns: int) -> None:
        super().__init__(Step.PROFILE, scale, icons, columns=columns)
        rooms = {key: tr(words) for key, words in PROFILES.items()}
        self.buttons = choices(rooms, scale, self.chosen.emit)
        self.lay((*self.buttons.values(), *self.fields.values()))

    def show_draft(self, draft: Draft) -> None:
        """Light the room, show the name."""
        super().show_draft(draft)
        light(self.buttons, draft.profile)


class IncomingStep(FieldsPage):
    """A folder, and the DICOM door."""

    network_wanted = pyqtSignal(bool)

    def __init__(self, scale: Scale, icons: Icons, *, columns: int) -> None:
        super().__init__(Step.INCOMING, scale, icons, columns=columns)
        self.network = FieldButton(tr("Scanners send over the network"), scale)
        self.network.clicked.connect(lambda: self.network_wanted.emit(not self._is_on))
        self._is_on = False
        inbox, *door = self.fields.values()
        self.lay((inbox, self.network, *door))

    def show_draft(self, draft: Draft) -> None:
        """Who may send is asked only where somebody else can."""
        super().show_draft(draft)
        self._is_on = draft.takes_from_network
        self.network.show_value(tr("Yes") if self._is_on else tr("No, only this machine"))


class OutgoingStep(FieldsPage):
    """The PACS, and the button that asks it."""

    echo_wanted = pyqtSignal()

    def __init__(self, scale: Scale, icons: Icons, *, columns: int) -> None:
        super().__init__(Step.OUTGOING, scale, icons, columns=columns)
        self.echo = LargeButton(tr("Test connections"), scale, low=True)
        self.echo.clicked.connect(self.echo_wanted)
        self.has_pacs = False
        self.lay((*self.fields.values(), self.echo))

    def show_draft(self, draft: Draft) -> None:
        """Without a PACS there is nobody to ask (has_pacs)."""
        super().show_draft(draft)
        self.has_pacs = draft.has_pacs
