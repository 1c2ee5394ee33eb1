# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""From answered exams in the store to a report: baseline, too few, drift, a person's new baseline, page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from appliance.clock import ManualClock
from appliance.domain.acquisition import Instance
from appliance.domain.drift import DriftState
from appliance.domain.finding import Code, Decision, Finding
from appliance.domain.job import Lane
from appliance.domain.record import to_json
from appliance.domain.result import LaneResult
from appliance.layout import Layout
from appliance.monitor import drift
from appliance.monitor.drift_features import drift_exam, scanner_of
from appliance.monitor.drift_page import PLOTTED, drift_page
from appliance.monitor.drift_watch import fix_baseline, report_on, scanner_due, take_exams
from appliance.monitor.metrics import DeviceMetrics, as_text
from appliance.store.connection import Database
from appliance.store.drift import DriftStore
from appliance.watching import DriftSettings

SETTINGS = DriftSettings(baseline_exams=100, recent_exams=50, every_exams=50)
SCANNER = "DX FDX 4711"


class Room:
    """One scanner that is answered exam by exam."""

    def __init__(self, database: Database, layout: Layout, make_instance: Callable[..., Instance]) -> None:
        self.database = database
        self.layout = layout
        self.store = DriftStore(database)
        self._make_instance = make_instance
        self._rng = np.random.default_rng(1)
        self._count = 0

    def answer(self, count: int, *, exposure: float = 1.0) -> None:
        blank = self._make_instance()
        with self.database.transaction() as write:
            for _ in range(count):
                self._count += 1
                name = str(self._count)
                index = float(round(np.exp(self._rng.normal(6, 0.3)) * exposure))
                instance = replace(
                    blank,
                    patient=replace(
                        blank.patient, patient_name="CANARY^JANE", patient_id="CANARY", age_years=40.0
                    ),
                    equipment=replace(
                        blank.equipment, manufacturer_model_name="FDX", device_serial_number="4711"
                    ),
                    exposure=replace(blank.exposure, exposure_index=index),
                )
                write(
                    "INSERT INTO file (sha256, path, size_bytes, door, source, urgency, landed_at_utc,"
                    " boot_id, noticed_ns, landed_ns, status, acquisition_id, arrival, instance)"
                    " VALUES (?, ?, 1, 'folder', 'x', 1, '2026-01-01T00:00:00+00:00', 'b', 1, 2, 'accepted',"
                    " ?, 1, ?)",
                    (name, name, name, to_json(instance)),
                )
                finding = Finding(
                    task="chest_triage",
                    code=Code(value="1", scheme="SCT", meaning="Pneumothorax"),
                    probability=float(self._rng.beta(1, 8)),
                    sensitive_threshold=0.2,
                    specific_threshold=0.5,
                    decision=Decision.ABSENT,
                )
                result = LaneResult(acquisition_id=name, version=1, lane=Lane.TRIAGE, findings=(finding,))
                write(
                    "INSERT INTO result VALUES (?, 1, 'triage', ?, '2026-01-01T00:00:00+00:00', 3, 'b')",
                    (name, to_json(result)),
                )
        while take_exams(self.store, self.layout, at_once=64):
            pass


@pytest.fixture
def room(
    tmp_path: Path, make_instance: Callable[..., Instance], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Room]:
    monkeypatch.setattr(drift, "DRAWS", 500)
    layout = Layout(data=tmp_path)
    layout.create()
    with Database.open(layout.database, data=tmp_path, clock=ManualClock()) as database:
        yield Room(database, layout, make_instance)


def test_the_first_exams_are_the_baseline_and_a_shift_is_found(room: Room) -> None:
    clock = ManualClock()
    room.answer(49)
    assert scanner_due(room.store, SETTINGS) is None
    room.answer(1)
    assert scanner_due(room.store, SETTINGS) == SCANNER
    few = report_on(room.store, SCANNER, SETTINGS, clock)
    assert (few.state, few.needed_exams) == (DriftState.GATHERING, 50)
    assert scanner_due(room.store, SETTINGS) is None
    room.answer(50)
    waits = report_on(room.store, SCANNER, SETTINGS, clock)
    assert (waits.state, waits.baseline_exams, waits.needed_exams) == (DriftState.GATHERING, 100, 50)
    room.answer(50)
    same = report_on(room.store, SCANNER, SETTINGS, clock)
    assert (same.state, same.recent_exams, same.advice) == (DriftState.NONE_SEEN, 50, ())
    room.answer(50, exposure=2.0)
    shifted = report_on(room.store, SCANNER, SETTINGS, clock)
    assert shifted.state is DriftState.DRIFT
    assert shifted.features[0].feature == "exposure_index"
    assert "physicist" in shifted.advice[0]
    metrics = DeviceMetrics(layout=room.layout, clock=clock, processes=(), version="1")
    assert f'scanside_drift_alarm{{scanner="{SCANNER}"}} 1.0' in as_text(metrics).decode()
    page = drift_page(room.store, room.store.latest_reports())
    assert page.count("<svg") == PLOTTED + 1
    assert "CANARY" not in page
    assert "CANARY" not in str(room.database.read("SELECT * FROM drift_exam"))
    assert fix_baseline(room.store, SCANNER, SETTINGS) == 100
    after = report_on(room.store, SCANNER, SETTINGS, clock)
    assert after.state is DriftState.GATHERING


def test_old_exams_are_forgotten_but_the_baseline_is_kept(room: Room) -> None:
    for _ in range(8):
        room.answer(50)
        report_on(room.store, SCANNER, SETTINGS, ManualClock())
    kept = room.database.read("SELECT count(*), min(exam_id) FROM drift_exam")[0]
    assert kept == (200, 1)


def test_a_header_that_says_nothing_gives_nothing(room: Room, make_instance: Callable[..., Instance]) -> None:
    room.answer(1)
    (answered,) = room.store.answered_after(0, limit=9)
    blank = make_instance(pixels=None)
    exam = drift_exam(replace(answered, first=replace(blank, pixels=None), results=()), room.layout)
    assert (exam.numbers, exam.words, exam.detector) == ({}, {}, "")
    assert scanner_of(blank) == "DX no model no serial number"


def test_grey_is_that_of_the_view_and_a_name_is_short_and_plain(
    room: Room, make_instance: Callable[..., Instance]
) -> None:
    room.answer(1)
    (answered,) = room.store.answered_after(0, limit=9)
    view = room.layout.view_of(answered.acquisition_id, 1)
    view.mkdir(parents=True)
    np.save(view / "pixels.npy", np.full((64, 64), 7, np.uint16))
    long = replace(answered.first.equipment, manufacturer_model_name="M\x1b[31m" + "x" * 99)
    exam = drift_exam(replace(answered, first=replace(answered.first, equipment=long)), room.layout)
    assert exam.numbers["grey_mean"] == exam.numbers["grey_p95"] == 7
    assert len(exam.scanner) == 48
    assert exam.scanner.isprintable()
