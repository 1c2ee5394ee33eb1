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

from ui.decision_flow import DecisionFlow
from ui.device_page import DevicePage, DeviceVisit
from ui.findings_panel import FindingsCard
from ui.findings_state import NOT_A_DIAGNOSIS
from ui.icons import Icons
from ui.image_view import ZOOM_STEP, ImageView
from ui.labels import FittedLabel, PlainLabel
from ui.language import RIGHT_TO_LEFT, language, tr
from ui.language_page import LanguagePage
from ui.look_switches import SwitchBoard
from ui.message_page import MessagePage
from ui.picture_tools import Held, Tools, after_tap, preset_name
from ui.rooms import Rooms, list_scale
from ui.safety_layer import SafetyLayer
from ui.slice_column import SliceColumn
from ui.theme import scale_for, stylesheet
from ui.toolbar import Toolbar, tools_beside_decisions
from ui.top_bar import TopBar
from ui.urgent_panel import UrgentBanner
from ui.verdict_panel import ChecksCard, VerdictBand
from ui.view_state import STAGE_WORDS, BoardState, ExamState, Profile
from ui.worklist_panel import WorklistPanel

WIDE_FROM_MM: Final = 260.0
"""From this width of the panel the list stands beside the picture; below, one thing at a time."""
LIST_MM: Final = 70.0
CARD_MM: Final = 82.0
COMPACT_CARD_MM: Final = 58.0
LEAST_SCROLL_MM: Final = 8.0
"""Of the cards under the verdict: a line, and a sign that there is more. A 7 inch panel has no more left."""


class KioskWindow(QWidget):
    """The whole screen."""

    exam_opened = pyqtSignal(str)
    settle_wanted = pyqtSignal()
    decided = pyqtSignal(str, int, str, str)
    """exam_id, version, a Choice, reason ("" for none)."""
    verdict_painted = pyqtSignal(str)
    """A verdict has just been drawn, in the list or on the card: its exam_id."""
    tapped = pyqtSignal(object)
    """A Command: any other answer of a person."""
    touched = pyqtSignal()
    language_wanted = pyqtSignal(str)
    """Its code. The words of a window are fixed when it is built: another one takes its place."""

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
        self.slices = SliceColumn(self.scale, icons)
        most = tools_beside_decisions(size_px[0], self.scale) if self.is_compact else None
        self.toolbar = Toolbar(self.scale, icons, compact=self.is_compact, most=most)
        self.verdict = VerdictBand(self.scale, icons, compact=self.is_compact)
        self.checks = ChecksCard(self.scale, icons)
        self.findings = FindingsCard(self.scale, icons, compact=self.is_compact)
        self.urgent = UrgentBanner(self.scale, compact=self.is_compact)
        self.stages = PlainLabel("caption", wrap=True)
        self.message = MessagePage(self.scale.px(14), icons, self.scale.gap_px)
        self._icons = icons
        self._bars = [self.top_bar]
        self.switches = SwitchBoard(self.scale, icons)
        self.flow = DecisionFlow(self.scale, compact=self.is_compact)
        self.decisions, self.reasons = self.flow.bar, self.flow.keep_reasons
        self.languages = LanguagePage(self.scale, compact=self.is_compact)
        self.pages = QStackedWidget()
        if language() in RIGHT_TO_LEFT:
            self.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        if not self.is_compact:
            self.switches.add_to(self.top_bar.layout_row)
        self.rooms = Rooms(profile, self.scale, icons, compact=self.is_compact)
        self._arrange(findings_first=profile == "fracture")
        self.device = DevicePage(self.scale, icons, compact=self.is_compact)
        self.visit = DeviceVisit(self.pages, self.device)
        self._connect()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # no button starts out as the chosen one
        self.setFocus()
        self.resize(*size_px)

    def _connect(self) -> None:
        for bar in self._bars:
            bar.health.clicked.connect(self.visit.open)
        if self.rooms.wall is not None:
            self.rooms.wall.device.clicked.connect(self.visit.open)
        self.worklist.opened.connect(self._open)
        self.rooms.opened.connect(self._open)
        self.rooms.touched.connect(self.touched)
        self.worklist.settle_wanted.connect(self.settle_wanted)
        self.worklist.languages.setVisible(self.is_compact)  # beside a narrow list it would cost a row
        self.worklist.languages_wanted.connect(lambda: self.pages.setCurrentWidget(self.languages))
        self.languages.back_wanted.connect(self._show_list)
        self.languages.language_wanted.connect(self.language_wanted)
        self.worklist.view.pressed.connect(lambda _index: self.touched.emit())
        for answers in (self.findings, self.urgent):
            answers.tapped.connect(self.tapped)
        self.toolbar.pressed.connect(self._use_tool)
        self.toolbar.held.connect(self._hold_tool)
        self.image.changed.connect(self._follow_image)
        self.image.touched.connect(self.touched)
        self.slices.slice_wanted.connect(self.image.set_slice)
        self.flow.decided.connect(self.decided)
        self.flow.page_wanted.connect(self._ask_reason)
        self.flow.page_left.connect(self._leave_reasons)
        self.worklist.verdict_painted.connect(self.verdict_painted)
        self.verdict.painted.connect(self._tell_painted)

    # Where things are

    def _arrange(self, *, findings_first: bool) -> None:
        px = self.scale.px
        picture_row = QHBoxLayout()
        picture_row.setSpacing(0)
        if language() in RIGHT_TO_LEFT:  # pictures side by side are "left" and "right" in every language
            picture_row.setDirection(QHBoxLayout.Direction.RightToLeft)
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
            foot.setContentsMargins(*((px(2), 0, 0, 0) if language() in RIGHT_TO_LEFT else (0, 0, px(2), 0)))
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
        self._stack_pages(exam)

    def _stack_pages(self, exam: QFrame) -> None:
        """One page at a time, and what is said over all of them."""
        self._exam_page: QWidget = exam
        self._list_page = self.rooms.wall or (self._list_of_exams() if self.is_compact else exam)
        message = QFrame()
        column = QVBoxLayout(message)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._device_bar())
        column.addWidget(self.message, stretch=1)
        self._message_page = message
        for widget in dict.fromkeys(
            (self._list_page, self._exam_page, message, *self.flow.pages, self.languages)
        ):
            self.pages.addWidget(widget)
        dated = (self.worklist, self.verdict, self.checks, self.findings, self.decisions)
        slim_on, not_on = (exam, self.reasons) if self.is_compact else (None, None)
        self.safety = SafetyLayer(self.scale, self.pages, dated, slim_on=slim_on, not_on=not_on)
        self.safety.exam_wanted.connect(self._open)
        self.setLayout(self.safety.column())

    def _card_column(self, *, findings_first: bool) -> QFrame:
        px = self.scale.px
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setMinimumHeight(px(LEAST_SCROLL_MM))
        QScroller.grabGesture(scroll.viewport(), QScroller.ScrollerGestureType.TouchGesture)
        inside = QWidget()
        cards = QVBoxLayout(inside)
        cards.setContentsMargins(0, 0, 0, 0)
        cards.setSpacing(px(2))
        cards.addWidget(self.urgent)
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
        layout.setSpacing(px(1 if self.is_compact else 2))
        layout.addWidget(self.verdict)
        layout.addWidget(scroll, stretch=1)
        reminder = FittedLabel("caption")
        reminder.show_fitted(tr(NOT_A_DIAGNOSIS), px(3.2))
        layout.addWidget(reminder)
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
        self.switches.add_to(bar.layout_row)
        return bar

    # What is shown

    def show_state(self, state: BoardState, *, clock: str, notice: str = "") -> None:
        """Draw `state`. `clock`: the time of day; `notice`: what becomes of a decision just taken."""
        for bar in self._bars:
            bar.health.show_state(state.health, clock)
        self.worklist.show_state(state)
        self.safety.show_state(state)
        self._show_exam(state.selected, notice)
        if state.message is not None:
            self.message.show_state(state.message)
            self.visit.go(self._message_page)
        elif self.visit.under() is self._message_page:
            self.visit.go(self._list_page)

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
        self.flow.show_state(exam, notice=notice)
        self.image.show_state(exam.picture if exam else None)
        if exam is None:
            return
        receipt = "" if self.is_compact else exam.receipt  # on a small panel it stands with the stages
        self.verdict.show_state(exam.verdict, deadline=exam.deadline, receipt=receipt)
        self.checks.show_state(exam.verdict)
        self.findings.show_state(exam.findings)
        self.urgent.show_state(exam.urgent)
        steps = "   ".join(
            f"{stage.name}: {stage.seconds or tr(STAGE_WORDS[stage.kind])}" for stage in exam.stages
        )
        self.stages.show_text(f"{exam.rank}\n{steps}" + (f"   {exam.receipt}" if self.is_compact else ""))

    def _follow_image(self) -> None:
        tools = self.image.tools
        self.toolbar.show_state(
            ai_on=tools.ai_on,
            has_ai=self.image.has_ai(),
            heatmap=tools.heatmap_on if self.image.has_heatmap() and tools.ai_on else None,
            compare=tools.compare if self.image.has_denoised() else None,
            contrast=tools.contrast_mode,
            preset=preset_name(self.image.contrast) if self._exam and self._exam.picture.is_ct else None,
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

    def _ask_reason(self, page: QWidget) -> None:
        self.pages.setCurrentWidget(page)
        self.setFocus()

    def _tell_painted(self) -> None:
        if self._exam is not None:
            self.verdict_painted.emit(self._exam.exam_id)

    def _leave_reasons(self) -> None:
        if self.pages.currentWidget() in self.flow.pages:
            self.pages.setCurrentWidget(self._exam_page)

    def _use_tool(self, name: str) -> None:
        self.touched.emit()
        tools = self.image.tools
        switches: dict[str, Tools] = {
            "ai": replace(tools, ai_on=not tools.ai_on),
            "heatmap": replace(tools, heatmap_on=not tools.heatmap_on),
            "split": replace(tools, compare=after_tap(tools.compare)),
            "contrast": replace(tools, contrast_mode=not tools.contrast_mode),
        }
        if name in switches:
            self.image.set_tools(switches[name])
        elif name in {"plus", "minus"}:
            self.image.zoom(ZOOM_STEP if name == "plus" else 1 / ZOOM_STEP)
        else:
            {
                "fit": self.image.fit,
                "one_to_one": self.image.one_to_one,
                "preset": self.image.use_next_preset,
                "reset": self.image.reset,
            }[name]()

    def _hold_tool(self, name: str, is_down: bool) -> None:
        self.touched.emit()
        held = {"ai": Held.PEEK, "split": Held.FLICKER}[name]
        self.image.hold(held if is_down else Held.NOTHING)
