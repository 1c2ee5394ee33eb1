# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Buttons that answer with one tap: three on a finding, and those of the first look."""

from __future__ import annotations

from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtGui import QIcon
from PyQt6.QtWidgets import QGridLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from appliance.store.opinions import Act, FirstLook, Stance
from ui import theme
from ui.commands import DeedCommand, OpinionCommand
from ui.findings_state import FindingLine
from ui.icons import Icons
from ui.language import tr
from ui.reveal_state import Reveal
from ui.theme import Scale

_TICK_MM = 4.0


class OpinionRow(QWidget):
    """Agree, Disagree, Unsure on one finding. The chosen one is lit and ticked; another tap changes it."""

    tapped = pyqtSignal(object)
    """An OpinionCommand."""

    def __init__(self, line: FindingLine, scale: Scale, icons: Icons, *, compact: bool) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(scale.gap_px)
        self.buttons: dict[Stance, QPushButton] = {}
        words = {
            Stance.AGREE: tr("Agree"),
            Stance.DISAGREE: tr("Disagree"),
            Stance.UNSURE: tr("Unsure"),
        }
        for place, (stance, word) in enumerate(words.items()):
            button = answer_button(word, scale)
            chosen = line.stance is stance
            name = tr("{word}: {question}", word=word, question=line.question)
            if chosen:
                button.setProperty("chosen", "yes")
                tick = icons.pixmap("tick", theme.BACKGROUND, scale.px(_TICK_MM))
                button.setText(f" {word}")
                button.setIcon(QIcon(tick))
                button.setIconSize(QSize(tick.width(), tick.height()))
                name = tr("{name} Chosen.", name=name)
            else:
                command = OpinionCommand(subject=line.subject, stance=stance)
                button.clicked.connect(lambda _checked, command=command: self.tapped.emit(command))
            button.setAccessibleName(name)
            if compact:  # three beside each other would be narrower than a glove
                grid.addWidget(button, place // 2, place % 2, 1, 1 if place < len(words) - 1 else 2)
            else:
                grid.addWidget(button, 0, place)
            self.buttons[stance] = button


class FirstLookBar(QWidget):
    """What the person has to say, or ask, before the AI's answer is shown."""

    tapped = pyqtSignal(object)
    """A DeedCommand."""

    def __init__(self, exam_id: str, version: int, asked: Reveal, scale: Scale) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(scale.gap_px)
        answers: dict[str, tuple[Act, FirstLook | None]] = {
            tr("Nothing seen"): (Act.FIRST_LOOK, FirstLook.NOTHING),
            tr("Something here"): (Act.FIRST_LOOK, FirstLook.SOMETHING),
        }
        if asked is Reveal.AFTER_ASKING:
            answers = {tr("Show AI"): (Act.AI_ASKED, None)}
        for word, (act, first_look) in answers.items():
            button = answer_button(word, scale)
            command = DeedCommand(exam_id=exam_id, version=version, act=act, first_look=first_look)
            button.clicked.connect(lambda _checked, command=command: self.tapped.emit(command))
            column.addWidget(button)


def answer_button(word: str, scale: Scale) -> QPushButton:
    """A button that gloves can hit."""
    button = QPushButton(word)
    button.setProperty("role", "answer")
    button.setAccessibleName(word)
    button.setMinimumWidth(scale.touch_px)
    button.setFixedHeight(scale.touch_px)
    button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
