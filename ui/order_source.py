# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The worklist as the screen reads it: which order each exam belongs to, and who has no image yet."""

from __future__ import annotations

from dataclasses import replace

from appliance.config import Settings
from appliance.domain.expected import ExpectedStep
from appliance.store.connection import Database
from appliance.store.expected import Expected, list_state
from appliance.store.performed import PerformedSteps
from ui.records import ExamRecord, ExpectedRecord


class OrderSource:
    """Beside the store's source, on its connection."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._settings = settings
        self._expected = Expected(database)
        self._performed = PerformedSteps(database)
        self._answers = -1
        self._listed: tuple[ExpectedStep, ...] = ()
        self._orders: dict[str, ExpectedStep | None] = {}

    @property
    def late_view_s(self) -> float:
        """How long a study is held open for its next view."""
        return self._settings.kiosk.late_view_s

    def matched(self, exams: tuple[ExamRecord, ...]) -> tuple[ExamRecord, ...]:
        """The exams with their orders; an order is looked for once for each answer of the worklist."""
        ended: dict[str, bool] = {}
        any_ended = self._performed.any_ended()
        self._refresh()
        found = []
        for exam in exams:
            name, first = exam.entry.acquisition_id, exam.entry.first
            if self._settings.worklist.host and name not in self._orders:
                self._orders[name] = self._expected.step_of(first)
            study = first.study_instance_uid
            if any_ended and study not in ended:
                ended[study] = self._performed.nothing_more_comes(study)
            order, over = self._orders.get(name), ended.get(study, False)
            changed = order is not None or over
            found.append(replace(exam, order=order, nothing_more_comes=over) if changed else exam)
        return tuple(found)

    def expected(self, exams: tuple[ExamRecord, ...]) -> ExpectedRecord | None:
        """Who is on the last good list and has no image yet."""
        if not self._settings.worklist.host:
            return None
        standing = self._expected.standing()
        begun = {exam.order for exam in exams}
        return ExpectedRecord(
            state=list_state(standing, self._settings.worklist),
            age_min=standing.age_min if standing else None,
            steps=self._expected.without_images([step for step in self._listed if step not in begun]),
        )

    def _refresh(self) -> None:
        standing = self._expected.standing()
        answers = standing.answers if standing else 0
        if answers != self._answers:
            self._answers, self._orders = answers, {}
            self._listed = self._expected.listed()
