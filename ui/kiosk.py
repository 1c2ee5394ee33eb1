# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main window: panels in their places for this panel's size and this room's work.

It draws a `BoardState` and reports what was tapped; it decides nothing and reads nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QScroller,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from appliance.store.decisions import Choice
from ui.decision_panel import DecisionBar, KeepReasonPage
from ui.findings_panel import FindingsCard
from ui.findings_state import NOT_A_DIAGNOSIS
from ui.icons import Icons
from ui.image_view import ZOOM_STEP, ImageView
from ui.labels import PlainLabel
from ui.message_page import MessagePage
from ui.picture_painter import Tools
from ui.rooms import Rooms, list_scale
from ui.slice_strip import SliceStrip
from ui.theme import scale_for, stylesheet
from ui.toolbar import Toolbar
from ui.top_bar import TopBar
from ui.verdict_panel import ChecksCard, VerdictBand
from ui.view_state import BoardState, ExamState, Profile
from ui.worklist_panel import WorklistPanel

WIDE_FROM_MM: Final = 260.0
"""From this width of the panel the list stands beside the picture; below, one thing at a time."""
LIST_MM: Final = 70.0
CARD_MM: Final = 82.0
COMPACT_CARD_MM: Final = 58.0


class KioskWindow(QWidget):
    """The whole screen."""

    exam_opened = pyqtSignal(str)
    settle_wanted = pyqtSignal()
    decided = pyqtSignal(str, int, str, str)
    """exam_id, version, "keep" or "repeat", reason ("" for none)."""
    touched = pyqtSignal()

    def __init__(
        self, size_px: tuple[int, int], screen_mm: tuple[float, float], *, profile: Profile = "scanner"
    ) -> None:
        super().__init__()
        self.scale = scale_for(size_px, screen_mm)
        self.is_compact = profile == "rural" or size_px[0] / self.scale.px_per_mm < WIDE_FROM_MM
        self.setWindowTitle("Scanside")
        self.setStyleSheet(stylesheet(self.scale))
        icons = Icons()
        self._exam: ExamState | None = None
        self.top_bar = TopBar(self.scale, icons, brief=self.is_compact)
        self.worklist = WorklistPanel(list_scale(profile, self.scale, size_px[1]), icons, self)
        self.image = ImageView(self.scale)
        self.slices = SliceStrip(self.scale)
        self.toolbar = Toolbar(self.scale, icons, compact=self.is_compact)
        self.verdict = VerdictBand(self.scale, icons, compact=self.is_compact)
        self.checks = ChecksCard(self.scale, icons)
        self.findings = FindingsCard(self.scale, icons)
        self.stages = PlainLabel("caption", wrap=True)
        self.message = MessagePage(self.scale.px(14), icons, self.scale.gap_px)
        self._icons = icons
        self._bars = [self.top_bar]
        self.decisions = DecisionBar(self.scale, compact=self.is_compact)
        self.reasons = KeepReasonPage(self.scale, compact=self.is_compact)
        self.pages = QStackedWidget()
        self.rooms = Rooms(profile, self.scale, icons, compact=self.is_compact)
        self._arrange(findings_first=profile == "fracture")
        self.worklist.opened.connect(self._open)
        self.rooms.opened.connect(self._open)
        self.rooms.touched.connect(self.touched)
        self.worklist.settle_wanted.connect(self.settle_wanted)
        self.worklist.view.pressed.connect(lambda _index: self.touched.emit())
        self.toolbar.pressed.connect(self._use_tool)
        self.image.changed.connect(self._follow_image)
        self.image.touched.connect(self.touched)
        self.slices.slice_wanted.connect(self.image.set_slice)
        self.decisions.repeat_wanted.connect(self._repeat)
        self.decisions.keep_wanted.connect(self._keep)
        self.reasons.reason_given.connect(self._keep_because)
        self.reasons.back_wanted.connect(self._leave_reasons)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # no button starts out as the chosen one
        self.setFocus()
        self.resize(*size_px)

    # Where things are

    def _arrange(self, *, findings_first: bool) -> None:
        px = self.scale.px
        picture_row = QHBoxLayout()
        picture_row.setSpacing(0)
        picture_row.addWidget(self.image, stretch=1)
        picture_row.addWidget(self.slices)
        card = self._card_column(findings_first=findings_first)
        exam = QFrame()
        body = QHBoxLayout()
        body.setSpacing(0)
        middle = QVBoxLayout()
        middle.setSpacing(0)
        middle.addLayout(picture_row, stretch=1)
        self.rooms.plug_in(middle, picture_row, self.image, self.toolbar)
        page = QVBoxLayout(exam)
        page.setContentsMargins(0, 0, 0, 0)
        page.setSpacing(0)
        page.addWidget(self.top_bar)
        page.addLayout(body, stretch=1)
        if self.is_compact or self.rooms.wall is not None:
            self.rooms.add_way_back(self.top_bar, self._show_list)
        if self.is_compact:
            body.addLayout(middle, stretch=1)
            body.addWidget(card)
            foot = QHBoxLayout()
            foot.setContentsMargins(0, 0, px(2), 0)
            foot.addWidget(self.toolbar, stretch=3)
            foot.addWidget(self.decisions, stretch=2)
            page.addLayout(foot)
        else:
            middle.addWidget(self.toolbar)
            if self.rooms.wall is None:
                self.worklist.setFixedWidth(px(LIST_MM))
                body.addWidget(self.worklist)
            self.worklist.setVisible(self.rooms.wall is None)
            body.addLayout(middle, stretch=1)
            body.addWidget(card)
        self._exam_page: QWidget = exam
        self._list_page = self.rooms.wall or (self._list_of_exams() if self.is_compact else exam)
        message = QFrame()
        column = QVBoxLayout(message)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._device_bar())
        column.addWidget(self.message, stretch=1)
        self._message_page = message
        for widget in dict.fromkeys((self._list_page, self._exam_page, message, self.reasons)):
            self.pages.addWidget(widget)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self.pages)

    def _card_column(self, *, findings_first: bool) -> QFrame:
        px = self.scale.px
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        QScroller.grabGesture(scroll.viewport(), QScroller.ScrollerGestureType.TouchGesture)
        inside = QWidget()
        cards = QVBoxLayout(inside)
        cards.setContentsMargins(0, 0, 0, 0)
        cards.setSpacing(px(2))
        for widget in (self.findings, self.checks) if findings_first else (self.checks, self.findings):
            cards.addWidget(widget)
        cards.addWidget(self.stages)
        cards.addStretch(1)
        scroll.setWidget(inside)
        column = QFrame()
        column.setProperty("role", "column")
        column.setFixedWidth(px(COMPACT_CARD_MM if self.is_compact else CARD_MM))
        layout = QVBoxLayout(column)
        layout.setContentsMargins(px(2), px(2), px(2), px(2))
        layout.setSpacing(px(2))
        layout.addWidget(self.verdict)
        layout.addWidget(scroll, stretch=1)
        layout.addWidget(PlainLabel("caption", NOT_A_DIAGNOSIS))
        if not self.is_compact:
            layout.addWidget(self.decisions)
        return column

    def _list_of_exams(self) -> QFrame:
        page = QFrame()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._device_bar())
        self.rooms.add_day(layout, self.worklist)
        layout.addWidget(self.worklist, stretch=1)
        return page

    def _device_bar(self) -> TopBar:
        """A bar for a page without a patient."""
        bar = TopBar(self.scale, self._icons, brief=False)
        self._bars.append(bar)
        return bar

    # What is shown

    def show_state(self, state: BoardState, *, clock: str, notice: str = "") -> None:
        """Draw `state`. `clock`: the time of day; `notice`: what becomes of a decision just taken."""
        for bar in self._bars:
            bar.health.show_state(state.health, clock)
        self.worklist.show_state(state)
        self._show_exam(state.selected, notice)
        if state.message is not None:
            self.message.show_state(state.message)
            self.pages.setCurrentWidget(self._message_page)
        elif self.pages.currentWidget() is self._message_page:
            self.pages.setCurrentWidget(self._list_page)

    def show_exam_page(self) -> None:
        """On a small panel: the picture instead of the list."""
        if self.pages.currentWidget() is self._list_page:
            self.pages.setCurrentWidget(self._exam_page)

    def _show_exam(self, exam: ExamState | None, notice: str) -> None:
        changes = exam is None or self._exam is None or exam.exam_id != self._exam.exam_id
        self._exam = exam
        if changes:
            self.image.show_state(None)  # the old picture goes before the new name comes
            self._leave_reasons()
        self.top_bar.patient.show_state(exam.patient if exam else None)
        self.image.show_state(exam.picture if exam else None)
        if exam is None:
            return
        self.verdict.show_state(exam.verdict)
        self.checks.show_state(exam.verdict)
        self.findings.show_state(exam.findings)
        self.decisions.show_state(exam.decision, notice=notice)
        steps = "   ".join(f"{stage.name}: {stage.seconds or stage.kind.value}" for stage in exam.stages)
        self.stages.show_text(f"{exam.rank}\n{steps}")

    def _follow_image(self) -> None:
        tools = self.image.tools
        self.toolbar.show_state(
            ai_on=tools.ai_on,
            has_ai=self.image.has_ai(),
            heatmap=tools.heatmap_on if self.image.has_heatmap() and tools.ai_on else None,
            split=tools.split_on if self.image.has_denoised() else None,
            contrast=tools.contrast_mode,
        )
        picture = self.image.picture
        doubtful = self._exam.picture.doubtful_slices if self._exam else ()
        self.slices.show_state(picture.slices if picture else 1, self.image.slice_index, doubtful)
        self.toolbar.setEnabled(picture is not None)

    # What is tapped

    def _open(self, exam_id: str) -> None:
        self.touched.emit()
        self.exam_opened.emit(exam_id)
        self.show_exam_page()

    def _show_list(self) -> None:
        self.pages.setCurrentWidget(self._list_page)

    def _repeat(self) -> None:
        if self._exam is not None:
            reason = self._exam.decision.repeat_reason
            self.decided.emit(self._exam.exam_id, self._exam.version, Choice.REPEAT.value, reason)

    def _keep(self) -> None:
        if self._exam is None:
            return
        if self._exam.decision.keep_needs_reason:
            self.reasons.ask(self._exam.patient.name, self._exam.verdict.cause)
            self.pages.setCurrentWidget(self.reasons)
            self.setFocus()
        else:
            self.decided.emit(self._exam.exam_id, self._exam.version, Choice.KEEP.value, "")

    def _keep_because(self, reason: str) -> None:
        if self._exam is not None:
            self.decided.emit(self._exam.exam_id, self._exam.version, Choice.KEEP.value, reason)
        self._leave_reasons()

    def _leave_reasons(self) -> None:
        if self.pages.currentWidget() is self.reasons:
            self.pages.setCurrentWidget(self._exam_page)

    def _use_tool(self, name: str) -> None:
        self.touched.emit()
        tools = self.image.tools
        switches: dict[str, Tools] = {
            "ai": replace(tools, ai_on=not tools.ai_on),
            "heatmap": replace(tools, heatmap_on=not tools.heatmap_on),
            "split": replace(tools, split_on=not tools.split_on),
            "contrast": replace(tools, contrast_mode=not tools.contrast_mode),
        }
        if name in switches:
            self.image.set_tools(switches[name])
        elif name in {"plus", "minus"}:
            self.image.zoom(ZOOM_STEP if name == "plus" else 1 / ZOOM_STEP)
        else:
            {"fit": self.image.fit, "one_to_one": self.image.one_to_one, "reset": self.image.reset}[name]()
