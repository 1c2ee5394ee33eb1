# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When this kiosk first had each exam's verdict on its screen. In memory only; no Qt."""

from __future__ import annotations

from typing import Final

from appliance.clock import NS_PER_MS
from appliance.domain.job import Lane
from ui.records import BoardRecord, ExamRecord

REMEMBERED: Final = 500
"""Exams; more than the list can show."""


class PaintedTimes:
    """Told of each painting of a verdict; keeps the first one of each version of each exam.

    A verdict that was there before this kiosk began is not one that it saw come: it gets no time. Nor does
    one that was there when a person opened the exam: it waited for them.
    """

    def __init__(self, began_ns: int) -> None:
        self._began_ns = began_ns
        self._painted_ns: dict[tuple[str, int], int | None] = {}

    def opened(self, board: BoardRecord | None, exam_id: str) -> None:
        """A person opens this exam now."""
        exam = _find(board, exam_id)
        if exam is not None and self._came_here(exam):
            self._keep(exam, None)

    def note(self, board: BoardRecord | None, exam_id: str, now_ns: int) -> bool:
        """This exam's verdict has just been painted. True: for the first time."""
        exam = _find(board, exam_id)
        return exam is not None and self._came_here(exam) and self._keep(exam, now_ns)

    def _keep(self, exam: ExamRecord, painted_ns: int | None) -> bool:
        """False where something is kept of it already."""
        key = (exam.entry.acquisition_id, exam.entry.version)
        if key in self._painted_ns:
            return False
        self._painted_ns[key] = painted_ns
        while len(self._painted_ns) > REMEMBERED:
            del self._painted_ns[next(iter(self._painted_ns))]
        return True

    def of(self, exam: ExamRecord) -> int | None:
        """Monotonic time of the first painting; None: not seen to come, or it waited to be opened."""
        return self._painted_ns.get((exam.entry.acquisition_id, exam.entry.version))

    def _came_here(self, exam: ExamRecord) -> bool:
        lane = exam.entry.lane(Lane.QUALITY)
        took_ms = lane.landed_to_committed_ms if lane is not None else None
        if exam.landed_ns is None or took_ms is None:
            return False
        return exam.landed_ns + took_ms * NS_PER_MS >= self._began_ns


def _find(board: BoardRecord | None, exam_id: str) -> ExamRecord | None:
    exams = board.exams if board is not None else ()
    return next((exam for exam in exams if exam.entry.acquisition_id == exam_id), None)
