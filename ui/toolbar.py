# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The buttons under the picture: each a sign with a word, each large enough for a gloved finger."""

from __future__ import annotations

from typing import Final

from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QPainter, QPaintEvent
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSizePolicy, QStyle, QStyleOptionButton

from ui import theme
from ui.icons import Icons
from ui.theme import Scale


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
        shown = painter.fontMetrics().elidedText(self.word, Qt.TextElideMode.ElideRight, place.width())
        painter.drawText(place, int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop), shown)
        painter.end()


_BUTTONS: Final = (
    ("ai", "eye", "AI on", False),
    ("heatmap", "heat", "Heatmap", True),
    ("split", "split", "Denoised", True),
    ("contrast", "contrast", "Contrast", True),
    ("minus", "minus", "Smaller", False),
    ("plus", "plus", "Larger", False),
    ("one_to_one", "one_to_one", "1 : 1", False),
    ("fit", "fit", "Fit", False),
    ("reset", "reset", "Reset", False),
)
"""Name, sign, word, and whether it stays lit."""


_LEFT_OUT: Final = frozenset({"one_to_one", "fit"})
"""On a small panel: Larger and Smaller reach any size, Reset fits. Fewer buttons, not smaller ones."""


class Toolbar(QFrame):
    """One row; what does not apply to the picture is not there."""

    pressed = pyqtSignal(str)
    """The name of the button that was tapped."""

    def __init__(self, scale: Scale, icons: Icons, *, compact: bool) -> None:
        super().__init__()
        self.buttons: dict[str, ToolButton] = {}
        layout = QHBoxLayout(self)
        layout.setContentsMargins(scale.gap_px, scale.px(1.5), scale.gap_px, scale.px(1.5))
        layout.setSpacing(scale.gap_px)
        for name, sign, word, stays in _BUTTONS:
            if compact and name in _LEFT_OUT:
                continue
            button = ToolButton(name, sign, word, scale, icons)
            button.setCheckable(stays)
            button.clicked.connect(lambda _checked, name=name: self.pressed.emit(name))
            self.buttons[name] = button
            layout.addWidget(button)

    def show_state(
        self, *, ai_on: bool, has_ai: bool, heatmap: bool | None, split: bool | None, contrast: bool
    ) -> None:
        """Light and hide buttons. `heatmap` and `split` are None where the picture has none."""
        ai = self.buttons["ai"]
        ai.say("eye" if ai_on else "eye_off", "AI on" if ai_on else "AI off")
        ai.setVisible(has_ai)
        for name, state in (("heatmap", heatmap), ("split", split)):
            self.buttons[name].setVisible(state is not None)
            self.buttons[name].setChecked(bool(state))
        self.buttons["contrast"].setChecked(contrast)
