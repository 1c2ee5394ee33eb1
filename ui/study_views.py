# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A second picture beside the open one, and the bar that says what stands there and offers the rest."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from PyQt6.QtCore import QRect, Qt, pyqtBoundSignal, pyqtSignal
from PyQt6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSizePolicy

from ui import theme
from ui.image_view import ZOOM_STEP, ImageView
from ui.labels import PlainLabel, restyle
from ui.language import tr
from ui.picture_tools import Tools
from ui.study_state import SideView, StudyState
from ui.theme import Scale

CAPTION_MM: Final = 5.0
EDGE_MM: Final = 0.9


class SidePicture(ImageView):
    """An `ImageView` whose caption is burnt in: no tool takes it away."""

    def __init__(self, scale: Scale) -> None:
        super().__init__(scale)
        self._scale_mm = scale
        self.side: SideView | None = None

    def show_side(self, side: SideView | None) -> None:
        """Draw another view, or nothing."""
        self.side = side
        self.setVisible(side is not None)
        self.setAccessibleName(side.caption if side is not None else "")
        self.show_state(side.picture if side is not None else None)
        self.update()

    def follow(self, tools: Tools) -> None:
        """AI and heatmap on or off, as on the open picture: never one clean and one marked side."""
        if (tools.ai_on, tools.heatmap_on) != (self.tools.ai_on, self.tools.heatmap_on):
            self.set_tools(replace(self.tools, ai_on=tools.ai_on, heatmap_on=tools.heatmap_on))

    def use(self, name: str) -> None:
        """The buttons that size the open picture size this one, too."""
        if name in {"plus", "minus"}:
            self.zoom(ZOOM_STEP if name == "plus" else 1 / ZOOM_STEP)
        elif name in {"fit", "one_to_one", "reset"}:
            {"fit": self.fit, "one_to_one": self.one_to_one, "reset": self.reset}[name]()

    def paintEvent(self, a0: QPaintEvent | None) -> None:
        """The picture, then what it is; an earlier one in amber all round."""
        super().paintEvent(a0)
        if self.side is None:
            return
        px = self._scale_mm.px
        colour = QColor(theme.AMBER if self.side.is_prior else theme.TEXT)
        painter = QPainter(self)
        font = QFont(self.font())
        font.setPixelSize(px(CAPTION_MM))
        font.setWeight(QFont.Weight.Bold)
        painter.setFont(font)
        edge = px(EDGE_MM)
        bar = QRect(0, 0, self.width(), px(CAPTION_MM) + 4 * edge)
        painter.fillRect(bar, QColor(theme.BACKGROUND))
        painter.setPen(colour)
        place = bar.adjusted(3 * edge, 0, -3 * edge, 0)
        words = painter.fontMetrics().elidedText(
            self.side.caption, Qt.TextElideMode.ElideRight, place.width()
        )
        painter.drawText(place, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), words)
        if self.side.is_prior:
            painter.setPen(QPen(colour, edge))
            half = edge // 2 + 1
            painter.drawRect(self.rect().adjusted(half, half, -half, -half))
        else:
            painter.setPen(QPen(QColor(theme.LINE), edge))
            painter.drawLine(0, 0, 0, self.height())
        painter.end()


class StudyBar(QFrame):
    """What stands side by side, in words, and the buttons for it."""

    prior_wanted = pyqtSignal()
    other_wanted = pyqtSignal()
    seen_wanted = pyqtSignal()

    def __init__(self, scale: Scale, *, compact: bool) -> None:
        super().__init__()
        self._compact = compact
        self.setProperty("role", "column")
        self.words = PlainLabel("detail", wrap=True)
        self.words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.prior = study_button(scale, tr("Show the earlier image"), self.prior_wanted)
        self.other = study_button(scale, tr("Show another view of this study"), self.other_wanted)
        self.seen = study_button(scale, tr("Seen: this exam"), self.seen_wanted)
        self.row = QHBoxLayout(self)
        edge = scale.px(1)
        self.row.setContentsMargins(scale.px(2), edge, scale.px(2), edge)
        self.row.setSpacing(scale.gap_px)
        self.row.addWidget(self.words, stretch=1)
        for button in (self.prior, self.other):
            self.row.addWidget(button)
            button.hide()
        self.seen.setText(tr("SEEN"))

    def show_state(self, study: StudyState | None, side: SideView | None) -> None:
        """Draw what there is. `side`: what stands in the second place now."""
        shows_prior = side is not None and side.is_prior
        has_prior = study is not None and study.prior is not None
        more = study is not None and (len(study.others) > 1 or (bool(study.others) and shows_prior))
        self.prior.setVisible(has_prior)
        self.prior.setText(tr("Hide prior") if shows_prior else tr("Prior"))
        self.prior.setAccessibleName(
            tr("Hide the earlier image") if shows_prior else tr("Show the earlier image")
        )
        self.other.setVisible(more)
        self.other.setText(tr("Other view"))
        self.words.setText(_words(study, side, compact=self._compact))
        self.words.setVisible(bool(self.words.text()))
        missing = study is not None and study.views_missing
        restyle(self.words, "role", "side_missing" if missing else "detail")
        buttons = (self.prior, self.other)
        self.setVisible(bool(self.words.text()) or any(not button.isHidden() for button in buttons))


def _words(study: StudyState | None, side: SideView | None, *, compact: bool) -> str:
    """On a small panel only what the burnt caption does not say already."""
    if study is None:
        return ""
    beside = ""
    if compact:
        if side is not None and side.is_flagged and not side.is_prior:
            beside = tr("Right: {questions}", questions=side.questions)
    elif side is not None:
        beside = tr("Left: {left}. Right: {right}.", left=study.caption, right=side.caption)
        if side.questions and not side.is_prior:
            beside = f"{beside} {side.questions}"
    named = f"{study.caption}." if compact and (study.views or side is not None) else ""
    return " ".join(part for part in (named, study.views, beside) if part)


def study_button(scale: Scale, name: str, wanted: pyqtBoundSignal) -> QPushButton:
    """A button of the bar, as high as a gloved finger needs; `name` is what a screen reader says."""
    button = QPushButton()
    button.setAccessibleName(name)
    button.setMinimumWidth(scale.px(18))
    button.setFixedHeight(scale.touch_px)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.clicked.connect(lambda _checked: wanted.emit())
    return button
