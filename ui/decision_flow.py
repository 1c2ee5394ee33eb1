# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a tap on Repeat, Keep or Undo to a decision: at once, or over one page of reasons."""

from __future__ import annotations

from typing import Final

from PyQt6.QtCore import QObject, pyqtSignal

from appliance.store.decisions import Choice
from ui.decision_panel import DecisionBar, ReasonPage
from ui.decision_state import KEEP_REASONS
from ui.language import tr
from ui.repeat_reasons import Reason
from ui.theme import Scale
from ui.view_state import ExamState

_KEEP: Final = tuple(Reason(kept=reason, shown=reason) for reason in KEEP_REASONS)


class DecisionFlow(QObject):
    """Owns the two buttons and the two pages; never more than two taps to a decision."""

    decided = pyqtSignal(str, int, str, str)
    """exam_id, version, a Choice, reason ("" for none)."""
    page_wanted = pyqtSignal(object)
    """A ReasonPage to be shown."""
    page_left = pyqtSignal()

    def __init__(self, scale: Scale, *, compact: bool) -> None:
        super().__init__()
        self._exam: ExamState | None = None
        self.bar = DecisionBar(scale, compact=compact)
        self.keep_reasons = ReasonPage(tr("Why is this image kept?"), scale, compact=compact, columns=2)
        self.repeat_reasons = ReasonPage(
            tr("A repeat is a dose. Why repeat?"), scale, compact=compact, columns=3
        )
        self.bar.repeat_wanted.connect(self._repeat)
        self.bar.keep_wanted.connect(self._keep)
        self.bar.undo_wanted.connect(lambda: self._decide(Choice.WITHDRAWN, ""))
        for page, choice in ((self.keep_reasons, Choice.KEEP), (self.repeat_reasons, Choice.REPEAT)):
            page.reason_given.connect(lambda reason, choice=choice: self._decide(choice, reason))
            page.back_wanted.connect(self.page_left)

    @property
    def pages(self) -> tuple[ReasonPage, ...]:
        """Both pages of reasons."""
        return (self.keep_reasons, self.repeat_reasons)

    def show_state(self, exam: ExamState | None, *, notice: str) -> None:
        """This is the exam that a tap is about. The pages follow: no name stays on them behind its back."""
        self._exam = exam
        if exam is None:
            for page in self.pages:
                page.about("", "")
            return
        self.keep_reasons.about(exam.patient.name, exam.verdict.cause)
        self.repeat_reasons.about(exam.patient.name, exam.decision.cost or exam.verdict.cause)
        self.bar.show_state(exam.decision, notice=notice)

    def _repeat(self) -> None:
        exam = self._exam
        if exam is None:
            return
        if not exam.decision.repeat_needs_reason:
            self._decide(Choice.REPEAT, exam.decision.repeat_reason)
            return
        self.repeat_reasons.offer(exam.decision.repeat_reasons)
        self.page_wanted.emit(self.repeat_reasons)

    def _keep(self) -> None:
        exam = self._exam
        if exam is None:
            return
        if not exam.decision.keep_needs_reason:
            self._decide(Choice.KEEP, "")
            return
        self.keep_reasons.offer(_KEEP)
        self.page_wanted.emit(self.keep_reasons)

    def _decide(self, choice: Choice, reason: str) -> None:
        if self._exam is not None:
            self.decided.emit(self._exam.exam_id, self._exam.version, choice.value, reason)
        self.page_left.emit()
