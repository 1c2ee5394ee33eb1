# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The patient-still-here clock of one exam: what is left of the time in which a check is of use. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.clock import NS_PER_MS, NS_PER_S
from appliance.domain.acquisition import Urgency
from appliance.domain.deadline import deadline_s
from appliance.domain.job import Lane
from ui.language import tr
from ui.records import ExamRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineState:
    """When an exam landed and how long its check may take."""

    landed_ns: int
    limit_s: float

    def left_s(self, now_ns: int) -> float:
        """Seconds until the deadline; 0 after it."""
        return max(0.0, self.limit_s - (now_ns - self.landed_ns) / NS_PER_S)

    def fraction_left(self, now_ns: int) -> float:
        """1 at landing, 0 from the deadline on."""
        return min(1.0, self.left_s(now_ns) / self.limit_s)

    def is_over(self, now_ns: int) -> bool:
        """Whether the deadline has passed."""
        return self.left_s(now_ns) <= 0.0


def deadline_of(exam: ExamRecord) -> DeadlineState | None:
    """The clock of an exam without an answer; None where none runs.

    None when it has its answer, when its landing was before the last start (the time is not known), and for
    exams that already waited when the device started: no patient stands beside those.
    """
    waits = exam.result(Lane.QUALITY) is None and exam.entry.urgency is not Urgency.BACKFILL
    if not waits or exam.landed_ns is None:
        return None
    return DeadlineState(landed_ns=exam.landed_ns, limit_s=deadline_s(exam.entry.kind))


def receipt_of(exam: ExamRecord, *, painted_ns: int | None, now_ns: int) -> str:
    """One line under the word: how long the answer took, or by when it is due.

    `painted_ns`: when this kiosk first had the answer on its screen; None where it did not see it come: then
    the time of the commit is told, and called that.
    """
    lane = exam.entry.lane(Lane.QUALITY)
    if lane is None or lane.result is None:
        return _waiting_line(exam, now_ns)
    if painted_ns is not None and exam.landed_ns is not None:
        took_s = (painted_ns - exam.landed_ns) / NS_PER_S
        if _is_late(exam, took_s):
            return tr("Verdict {seconds} s after landing: late", seconds=f"{took_s:.1f}")
        return tr("Verdict {seconds} s after landing", seconds=f"{took_s:.1f}")
    if lane.landed_to_committed_ms is None:
        return tr("Time from landing to verdict unknown")
    took_s = lane.landed_to_committed_ms * NS_PER_MS / NS_PER_S
    if _is_late(exam, took_s):
        return tr("Verdict saved {seconds} s after landing: late", seconds=f"{took_s:.1f}")
    return tr("Verdict saved {seconds} s after landing", seconds=f"{took_s:.1f}")


def _waiting_line(exam: ExamRecord, now_ns: int) -> str:
    if exam.landed_ns is None:
        return tr("Landed before the last start: time unknown")
    deadline = deadline_of(exam)
    if deadline is None:
        return ""
    if deadline.is_over(now_ns):
        return tr("Was due {seconds} s after landing", seconds=f"{deadline.limit_s:g}")
    return tr("Due {seconds} s after landing", seconds=f"{deadline.limit_s:g}")


def _is_late(exam: ExamRecord, took_s: float) -> bool:
    return took_s > deadline_s(exam.entry.kind) and exam.entry.urgency is not Urgency.BACKFILL
