# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages of the first run under one row: Back, where one is, Later, Next."""

from __future__ import annotations

from collections.abc import Mapping

from PyQt6.QtWidgets import QFrame, QHBoxLayout, QStackedWidget, QVBoxLayout

from ui.device_state import DeviceLine
from ui.first_run_lines import summary
from ui.first_run_pages import ExposureStep, ModelsStep, PinsStep, SummaryStep, TimeStep
from ui.first_run_parts import IncomingStep, LanguageStep, OutgoingStep, ProfileStep, StepPage
from ui.first_run_state import STEPS, Draft, Step
from ui.icons import Icons
from ui.labels import ElidedLabel
from ui.language import tr
from ui.large_button import LargeButton
from ui.theme import Scale


class FirstRunFrame(QFrame):
    """Draws; what is tapped is somebody else's to answer."""

    def __init__(self, scale: Scale, *, compact: bool) -> None:
        super().__init__()
        icons, columns = Icons(), 2 if compact else 3
        self.language = LanguageStep(scale, icons, columns=4 if compact else 3)
        self.profile = ProfileStep(scale, icons, columns=2)
        self.incoming = IncomingStep(scale, icons, columns=2)
        self.outgoing = OutgoingStep(scale, icons, columns=2)
        self.time = TimeStep(scale, icons, columns=2)
        self.pins = PinsStep(scale, icons, columns=2)
        self.models = ModelsStep(scale, icons, columns=columns)
        self.exposure = ExposureStep(scale, icons, columns=1)
        self.summary = SummaryStep(scale, icons, columns=columns)
        self.steps: dict[Step, StepPage | ModelsStep] = {
            Step.LANGUAGE: self.language,
            Step.PROFILE: self.profile,
            Step.INCOMING: self.incoming,
            Step.OUTGOING: self.outgoing,
            Step.TIME: self.time,
            Step.PINS: self.pins,
            Step.MODELS: self.models,
            Step.EXPOSURE: self.exposure,
            Step.SUMMARY: self.summary,
        }
        self.back = LargeButton(tr("Back"), scale, low=True)
        self.later = LargeButton(tr("Later"), scale, low=True)
        self.next = LargeButton(tr("Next"), scale, low=True)
        self._title = ElidedLabel("message_title")
        self._count = ElidedLabel("caption")
        self._stack = QStackedWidget()
        for page in self.steps.values():
            self._stack.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._head(scale))
        column.addWidget(self._stack, stretch=1)

    def _head(self, scale: Scale) -> QFrame:
        titles = QVBoxLayout()
        titles.setSpacing(0)
        titles.addStretch(1)
        titles.addWidget(self._title)
        titles.addWidget(self._count)
        titles.addStretch(1)
        head = QFrame()
        head.setProperty("role", "bar")
        row = QHBoxLayout(head)
        row.setContentsMargins(scale.px(3), scale.px(1), scale.px(3), scale.px(1))
        row.setSpacing(scale.gap_px)
        row.addWidget(self.back, stretch=2)
        row.addLayout(titles, stretch=5)
        row.addWidget(self.later, stretch=2)
        row.addWidget(self.next, stretch=2)
        return head

    def show_step(self, step: Step) -> None:
        """Bring that page to the front."""
        number = STEPS.index(step) + 1
        self._title.setText(tr(step.value))
        self._count.setText(tr("Page {number} of {count}", number=number, count=len(STEPS)))
        self._stack.setCurrentWidget(self.steps[step])

    def show_draft(self, draft: Draft, found: Mapping[Step, tuple[DeviceLine, ...]]) -> None:
        """What has been answered, and what was found of it."""
        for step, page in self.steps.items():
            page.show_draft(draft)
            if isinstance(page, StepPage) and page is not self.summary:
                page.show_found(found.get(step, ()))
        self.summary.show_written(found.get(Step.SUMMARY, ()))
        self.summary.show_found(summary(draft, found))

    def show_work(self, step: Step, *, trying: bool, testing: bool, writing: bool, written: bool) -> None:
        """What is on its way; what is tapped meanwhile waits."""
        busy = trying or writing
        is_last = step is STEPS[-1]
        self.back.setEnabled(step is not STEPS[0] and not busy)
        self.later.setVisible(not written)
        self.next.setEnabled(not busy and (not is_last or written))
        self.next.say(tr("Checking…") if trying else tr("Done") if is_last else tr("Next"))
        self.outgoing.echo.setEnabled(self.outgoing.has_pacs and not busy)
        self.outgoing.echo.say(tr("Testing…") if trying else tr("Test connections"))
        self.exposure.test.setEnabled(not testing)
        self.exposure.test.say(tr("Testing…") if testing else tr("Test now"))
        self.summary.write.setEnabled(not busy)
        self.summary.write.setVisible(not written)
        self.summary.write.say(tr("Saving…") if writing else tr("Write the settings"))
