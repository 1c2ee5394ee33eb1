# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from appliance.clock import NS_PER_S
from appliance.domain.acquisition import Urgency
from appliance.domain.quality import Verdict
from ui.deadline_state import DeadlineState, deadline_of, receipt_of
from ui.records import ExamRecord


def only(clinic: Any) -> ExamRecord:
    (exam,) = clinic.read().exams
    assert isinstance(exam, ExamRecord)
    return exam


def line(clinic: Any, painted_ns: int | None = None) -> str:
    return receipt_of(only(clinic), painted_ns=painted_ns, now_ns=clinic.clock.monotonic_ns())


@pytest.mark.parametrize(
    ("passed_s", "left_s", "fraction", "over"),
    [
        (-1.0, 4.0, 1.0, False),
        (0.0, 3.0, 1.0, False),
        (1.5, 1.5, 0.5, False),
        (3.0, 0.0, 0.0, True),
        (9, 0, 0, True),
    ],
)
def test_what_is_left(passed_s: float, left_s: float, fraction: float, over: bool) -> None:
    deadline = DeadlineState(landed_ns=7 * NS_PER_S, limit_s=3.0)
    now_ns = round((7 + passed_s) * NS_PER_S)
    assert deadline.left_s(now_ns) == pytest.approx(left_s)
    assert deadline.fraction_left(now_ns) == pytest.approx(fraction)
    assert deadline.is_over(now_ns) is over


@pytest.mark.parametrize(("slices", "limit_s"), [(1, 3.0), (24, 10.0)])
def test_the_limit_goes_with_the_kind(clinic: Any, slices: int, limit_s: float) -> None:
    clinic.land("a", slices=slices)
    deadline = deadline_of(only(clinic))
    assert deadline is not None
    assert deadline.limit_s == limit_s
    assert line(clinic) == f"Due {limit_s:g} s after landing"
    clinic.clock.advance(limit_s)
    assert line(clinic) == f"Was due {limit_s:g} s after landing"


def test_no_clock_runs_for_what_already_waited_or_has_its_answer(clinic: Any, make: Any) -> None:
    exam = clinic.land("a", urgency=Urgency.BACKFILL)
    clinic.clock.advance(100)
    assert deadline_of(only(clinic)) is None
    assert line(clinic) == ""
    clinic.answer(exam, quality=clinic.quality(make.check("x", Verdict.OK)))
    assert deadline_of(only(clinic)) is None
    assert line(clinic) == "Verdict saved 100.0 s after landing"  # nobody stood beside it: not late


def test_the_receipt_tells_the_painting_or_honestly_the_commit(clinic: Any, make: Any) -> None:
    exam = clinic.land("a")
    landed_ns = clinic.clock.monotonic_ns()
    clinic.clock.advance(0.8)
    clinic.answer(exam, quality=clinic.quality(make.check("x", Verdict.OK)))
    assert line(clinic) == "Verdict saved 0.8 s after landing"
    assert line(clinic, landed_ns + 900_000_000) == "Verdict 0.9 s after landing"
    assert line(clinic, landed_ns + 3_100_000_000) == "Verdict 3.1 s after landing: late"


def test_a_late_commit_is_called_late(clinic: Any, make: Any) -> None:
    exam = clinic.land("a")
    clinic.clock.advance(3.1)
    clinic.answer(exam, quality=clinic.quality(make.check("x", Verdict.OK)))
    assert line(clinic) == "Verdict saved 3.1 s after landing: late"


def test_after_a_restart_no_time_is_made_up(clinic: Any, make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    exam = clinic.land("a")
    monkeypatch.setattr(clinic.clock, "boot_id", lambda: "another")
    assert deadline_of(only(clinic)) is None
    assert line(clinic) == "Landed before the last start: time unknown"
    clinic.answer(exam, quality=clinic.quality(make.check("x", Verdict.OK)))
    assert line(clinic) == "Time from landing to verdict unknown"
