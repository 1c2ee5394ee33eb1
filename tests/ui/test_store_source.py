# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from appliance.clock import ManualClock, SystemClock
from appliance.domain.job import Lane
from appliance.domain.quality import Verdict
from appliance.errors import StoreError
from appliance.layout import Layout
from appliance.store.decisions import Choice
from appliance.store.opinions import Act, Opinions
from ui.store_source import StoreSource


def test_a_reading_holds_what_the_store_the_processes_and_the_disk_say(clinic: Any, make: Any) -> None:
    acquisition = clinic.land("a")
    clinic.answer(acquisition, quality=clinic.quality(make.check("x", Verdict.OK)))
    folder = clinic.view(acquisition)
    clinic.clock.advance(42)
    board = clinic.read()
    (exam,) = board.exams
    assert exam.entry.acquisition_id == "a"
    assert exam.view_folder == folder
    assert exam.waiting_s(clinic.clock.monotonic_ns()) == pytest.approx(42)
    result = exam.result(Lane.QUALITY)
    assert result is not None
    assert result.quality[0].criterion == "x"
    assert exam.result(Lane.TRIAGE) is None
    assert board.health.counts.leased == 2
    assert 0 < (board.health.disk_used_fraction or 0) < 1
    worker = board.health.sign("worker")
    assert worker is not None
    assert worker.state == "waiting"


def test_changes_are_noticed_once(clinic: Any) -> None:
    with StoreSource(clinic.layout, clinic.clock) as source:
        assert source.changed()
        assert not source.changed()
        clinic.land("a")
        assert source.changed()
        assert not source.changed()


def test_a_decision_is_kept_and_read_back(clinic: Any) -> None:
    clinic.land("a")
    with StoreSource(clinic.layout, clinic.clock) as source:
        assert source.read().exams[0].decision is None
        source.decide("a", 1, Choice.KEEP, "Patient cannot repeat")
        decision = source.read().exams[0].decision
    assert decision is not None
    assert (decision.choice, decision.reason) == (Choice.KEEP, "Patient cannot repeat")


def test_a_decision_on_older_images_no_longer_counts(clinic: Any) -> None:
    clinic.land("a", slices=2)
    with StoreSource(clinic.layout, clinic.clock) as source:
        source.decide("a", 1, Choice.KEEP, None)
        clinic.land("a", slices=3, version=2)
        assert source.read().exams[0].decision is None


def test_waiting_is_unknown_after_a_reboot(clinic: Any) -> None:
    clinic.land("a")
    with StoreSource(clinic.layout, SystemClock()) as source:
        exam = source.read().exams[0]
    assert exam.waiting_s(SystemClock().monotonic_ns()) is None


def test_a_missing_store_is_words(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="There is no store"):
        StoreSource(Layout(data=tmp_path), ManualClock())
    assert list(tmp_path.iterdir()) == [], "looking creates nothing"


def test_what_people_answered_costs_two_queries_however_many_exams_there_are(clinic: Any) -> None:
    for number in range(7):
        clinic.land(f"e{number}")
    Opinions(clinic.database).did("e3", 1, Act.SEEN)
    asked: list[str] = []
    with StoreSource(clinic.layout, clinic.clock) as source:
        connection = source._database._connection
        connection.exec_trace = lambda _cursor, sql, _values: bool(asked.append(sql)) or True
        exams = source.read().exams
    assert [exam.entry.acquisition_id for exam in exams if exam.deeds] == ["e3"]
    assert sum("FROM opinion" in sql or "FROM deed" in sql for sql in asked) == 2
    assert len(asked) > 7
