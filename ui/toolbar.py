# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The buttons under the picture: each a sign with a word, each large enough for a gloved finger."""

from __future__ import annotations

from typing import Final

from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QFont, QPainter, QPaintEvent
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSizePolicy, QStyle, QStyleOptionButton

from ui import theme
from ui.hold import Hold
from ui.icons import Icons
from ui.labels import WHOLE, largest_size_px
from ui.language import noted, tr
from ui.picture_tools import Compare, compare_name
from ui.theme import Scale

SMALLEST_SHARE: Final = 0.7
"""Of the usual height: a longer word of another language is drawn smaller before it is cut."""


class ToolButton(QPushButton):
    """A sign above a word."""

    def __init__(self, name: str, sign: str, word: str, scale: Scale, icons: Icons) -> None:
        super().__init__()
        self.name = name
        self._scale = scale
        self._icons = icons
        self._sign = sign
        self.word = word
        self.setAccessibleName(word)
        self.setMinimumSize(scale.touch_px, scale.touch_px)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(scale.touch_px)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def sizeHint(self) -> QSize:
        """A touch target; the row stretches it."""
        return QSize(self._scale.touch_px, self._scale.touch_px)

    def say(self, sign: str, word: str) -> None:
        """Change what the button shows."""
        self._sign, self.word = sign, word
        self.setAccessibleName(word)
        self.update()

    def paintEvent(self, a0: QPaintEvent | None) -> None:
        """The button's own style without text, then sign and word."""
        del a0
        option = QStyleOptionButton()
        self.initStyleOption(option)
        painter = QPainter(self)
        style = self.style()
        if style is not None:
            style.drawControl(QStyle.ControlElement.CE_PushButtonBevel, option, painter, self)
        colour = theme.TEXT if self.isEnabled() else theme.LINE
        if self.isChecked():
            colour = theme.BACKGROUND
        size = self._scale.px(5.6)
        text_height = painter.fontMetrics().height()
        top = (self.height() - size - text_height - self._scale.px(0.6)) // 2
        painter.drawPixmap((self.width() - size) // 2, top, self._icons.pixmap(self._sign, colour, size))
        painter.setPen(QColor(theme.now(colour)))
        place = self.rect()
        place.setTop(top + size + self._scale.px(0.6))
        place.setHeight(text_height)
        font = painter.font()
        wanted_px = font.pixelSize()
        fitted_px = largest_size_px(QFont(font), self.word, place.width() - self._scale.px(0.6), wanted_px)
        font.setPixelSize(max(fitted_px, round(wanted_px * SMALLEST_SHARE)))
        painter.setFont(font)
        painter.setLayoutDirection(self.layoutDirection())
        shown = painter.fontMetrics().elidedText(self.word, Qt.TextElideMode.ElideRight, place.width())
        flags = int(Qt.AlignmentFlag.AlignCenter) | WHOLE
        painter.drawText(place, flags, shown)
        painter.end()


_BUTTONS: Final = (
    ("ai", "eye", noted("AI on"), False),
    ("heatmap", "heat", noted("Heatmap"), True),
    ("split", "split", noted("Denoised"), True),
    ("contrast", "contrast", noted("Contrast"), True),
    ("preset", "window", noted("As sent"), False),
    ("minus", "minus", noted("Smaller"), False),
    ("plus", "plus", noted("Larger"), False),
    ("one_to_one", "one_to_one", noted("1 : 1"), False),
    ("fit", "fit", noted("Fit"), False),
    ("reset", "reset", noted("Reset"), False),
)
"""Name, sign, word, and whether it stays lit."""
DECISIONS_MM: Final = 45.0
"""Room that is left to Repeat and Keep: two large targets with their margins."""
_HELD: Final = ("ai", "split")
"""Show something else as long as a finger rests on them."""


_LEFT_OUT: Final = frozenset({"one_to_one", "fit"})
"""On a small panel: Larger and Smaller reach any size, Reset fits. Fewer buttons, not smaller ones."""


class Toolbar(QFrame):
    """One row; what does not apply to the picture is not there."""

    pressed = pyqtSignal(str)
    """The name of the button that was tapped."""
    held = pyqtSignal(str, bool)
    """The name of a button that a finger rests on (True), or no longer."""

    def __init__(self, scale: Scale, icons: Icons, *, compact: bool, most: int | None = None) -> None:
        """`most`: how many buttons have room; None: all of them."""
        super().__init__()
        self._most = most
        self._page = 0
        self._offered: tuple[str, ...] = ()
        self.buttons: dict[str, ToolButton] = {}
        layout = QHBoxLayout(self)
        layout.setContentsMargins(scale.gap_px, scale.px(1.5), scale.gap_px, scale.px(1.5))
        layout.setSpacing(scale.gap_px)
        for name, sign, word, stays in _BUTTONS:
            if compact and name in _LEFT_OUT:
                continue
            button = ToolButton(name, sign, tr(word), scale, icons)
            button.setCheckable(stays)
            if name in _HELD:
                hold = Hold(button)
                hold.held.connect(lambda on, name=name: self.held.emit(name, on))
                hold.tapped.connect(lambda name=name: self.pressed.emit(name))
            else:
                button.clicked.connect(lambda _checked, name=name: self.pressed.emit(name))
            self.buttons[name] = button
            layout.addWidget(button)
        self.more = ToolButton("more", "more", tr("More"), scale, icons)
        self.more.clicked.connect(self._turn_page)
        self.more.setVisible(False)
        layout.addWidget(self.more)

    def show_state(
        self,
        *,
        ai_on: bool,
        has_ai: bool,
        heatmap: bool | None,
        compare: Compare | None,
        contrast: bool,
        preset: str | None,
    ) -> None:
        """Light and hide buttons. `heatmap`, `compare` and `preset` are None where the picture has none."""
        self.buttons["ai"].say("eye" if ai_on else "eye_off", tr("AI on") if ai_on else tr("AI off"))
        self.buttons["heatmap"].setChecked(bool(heatmap))
        split = self.buttons["split"]
        split.setChecked(compare not in {None, Compare.ORIGINAL})
        if compare is not None:
            split.say("split", compare_name(compare))
        if preset is not None:
            self.buttons["preset"].say("window", preset)
        self.buttons["contrast"].setChecked(contrast)
        self.buttons["contrast"].setEnabled(compare is not Compare.REMOVED)  # its window is the noise's own
        absent = {
            "ai": not has_ai,
            "heatmap": heatmap is None,
            "split": compare is None,
            "preset": preset is None,
            "one_to_one": preset is not None,  # gives its place to the named windows: a slice has few pixels
        }
        offered = tuple(name for name in self.buttons if not absent.get(name, False))
        if offered != self._offered:
            self._offered, self._page = offered, 0
        self._show_page()

    def _turn_page(self) -> None:
        self._page += 1
        self._show_page()

    def _show_page(self) -> None:
        pages = pages_of(self._offered, self._most)
        shown = pages[self._page % len(pages)]
        for name, button in self.buttons.items():
            button.setVisible(name in shown)
        self.more.setVisible(len(pages) > 1)


def tools_beside_decisions(width_px: int, scale: Scale) -> int:
    """How many buttons have room on a small panel, where Repeat and Keep stand in the same row."""
    return max(3, (width_px - scale.px(DECISIONS_MM)) // (scale.touch_px + scale.gap_px))


def pages_of(names: tuple[str, ...], most: int | None) -> tuple[tuple[str, ...], ...]:
    """Names in rows of at most `most`, the button that turns the page counted; Reset is on each of them."""
    if most is None or len(names) <= most:
        return (names,)
    others = [name for name in names if name != "reset"]
    room = max(1, most - 2)
    return tuple((*others[start : start + room], "reset") for start in range(0, len(others), room))
