# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A result that another connection commits reaches the painted window: real store, poller and paint."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from appliance.clock import NS_PER_MS, SystemClock
from appliance.domain.quality import Verdict
from appliance.settings_for_people import KioskSettings
from appliance.store.connection import Database
from appliance.store.decisions import Choice, Decisions
from appliance.store.jobs import Jobs
from appliance.store.results import Results
from tests.ui.clinic import Clinic
from ui.controller import KioskController
from ui.kiosk import KioskWindow
from ui.store_source import StoreSource
from ui.verdict_state import VerdictKind

LIMIT_MS = 300.0
"""budgets.toml, commit_to_screen."""
ROUNDS = 15
PATIENCE_MS = 5000


class SameClockClinic(Clinic):
    """Lands exams at the machine's own time."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.database.close()
        self.clock = SystemClock()  # type: ignore[assignment]
        self.database = Database.open(self.layout.database, data=self.layout.data, clock=self.clock)
        self._jobs = Jobs(self.database, max_attempts=1)
        self.signs_of_life()


@pytest.fixture
def live(tmp_path: Any) -> Iterator[SameClockClinic]:
    opened = SameClockClinic(tmp_path)
    yield opened
    opened.database.close()


@pytest.fixture
def kiosk(live: SameClockClinic, qtbot: QtBot) -> Iterator[KioskController]:
    window = KioskWindow((1920, 1080), (344.0, 194.0))
    qtbot.addWidget(window)
    controller = KioskController(
        window,
        lambda: StoreSource(live.layout, live.clock),
        live.clock,
        interval_s=KioskSettings().poll_interval_s,
    )
    window.show()
    qtbot.waitExposed(window)
    controller.start()
    yield controller
    controller.stop()


def commit(live: SameClockClinic, verdict: Verdict, make: Any) -> int:
    """The next check's answer, over a connection of its own. Returns when it was committed, ns."""
    with Database.open(live.layout.database, data=live.layout.data, clock=live.clock) as other:
        job = Jobs(other, max_attempts=1).lease(worker="w", lease_s=60)
        assert job is not None
        result = live.quality(make.check("field_of_view", verdict, "Cut off."))
        result = replace(result, acquisition_id=job.acquisition_id, version=job.version, lane=job.lane)
        assert Results(other).commit(job, result)
        return live.clock.monotonic_ns()


def test_a_committed_verdict_is_painted_in_time(
    live: SameClockClinic, kiosk: KioskController, make: Any, qtbot: QtBot
) -> None:
    pauses_ms = np.random.default_rng(1).integers(20, 300, ROUNDS)
    took_ms = []
    for number, pause_ms in enumerate(pauses_ms):
        exam_id = f"exam{number}"
        live.land(exam_id)
        qtbot.wait(int(pause_ms))
        with qtbot.waitSignal(kiosk.first_painted, timeout=PATIENCE_MS) as painted:
            committed_ns = commit(live, Verdict.REPEAT, make)
        assert painted.args[0] == exam_id
        took_ms.append((painted.args[1] - committed_ns) / NS_PER_MS)
        Decisions(live.database).decide(exam_id, 1, Choice.KEEP, reason=None)
        jobs = Jobs(live.database, max_attempts=1)
        while (job := jobs.lease(worker="w", lease_s=60)) is not None:
            jobs.fail(job, reason="not part of this")
    assert min(took_ms) > 0
    assert float(np.median(took_ms)) < LIMIT_MS, took_ms


def test_the_receipt_is_the_time_of_this_screen(
    live: SameClockClinic, kiosk: KioskController, make: Any, qtbot: QtBot
) -> None:
    live.land("a")
    qtbot.waitUntil(lambda: kiosk.state is not None and kiosk.state.selected is not None)
    assert kiosk.ring.is_running
    with qtbot.waitSignal(kiosk.first_painted, timeout=PATIENCE_MS) as painted:
        commit(live, Verdict.OK, make)
    kiosk.refresh()
    assert kiosk.state is not None
    assert kiosk.state.selected is not None
    assert kiosk.state.selected.verdict.kind is VerdictKind.YES
    (exam,) = live.read().exams
    assert exam.landed_ns is not None
    seconds = (painted.args[1] - exam.landed_ns) / 1e9
    assert kiosk.state.selected.receipt.startswith(f"Verdict {seconds:.1f} s after landing")
    assert not kiosk.ring.is_running
    assert not kiosk._window.verdict.ring.isVisible()


def test_the_ring_moves_by_itself_and_the_words_change_at_the_deadline(
    live: SameClockClinic, kiosk: KioskController, qtbot: QtBot
) -> None:
    live.land("a")
    band = kiosk._window.verdict
    qtbot.waitUntil(lambda: kiosk.ring.is_running)
    first = band.ring.fraction
    qtbot.waitUntil(lambda: 0 < band.ring.fraction < first)
    qtbot.waitUntil(lambda: band.word.text() == "NOT CHECKED", timeout=PATIENCE_MS)
    assert band.property("kind") == "late"
    assert band.ring.fraction == 0.0
    assert not kiosk.ring.is_running


def test_a_stopped_kiosk_leaves_no_timer_running(
    live: SameClockClinic, kiosk: KioskController, qtbot: QtBot
) -> None:
    live.land("a")
    qtbot.waitUntil(lambda: kiosk.ring.is_running)
    kiosk.stop()
    assert not kiosk.ring.is_running


def test_undo_appends_to_the_ledger_and_the_screen_is_open_again(
    live: SameClockClinic, kiosk: KioskController, qtbot: QtBot
) -> None:
    live.land("a")
    qtbot.waitUntil(lambda: kiosk.state is not None and kiosk.state.selected is not None)
    bar = kiosk._window.decisions
    kiosk._window.decided.emit("a", 1, Choice.REPEAT.value, "Positioning")
    assert bar.undo.isVisible()
    qtbot.waitUntil(lambda: bar._decided.text().startswith("Repeat ordered at "))
    assert kiosk._window.decisions.undo.isVisible()
    bar.undo.click()
    assert not bar.undo.isVisible()
    qtbot.waitUntil(lambda: not bar._decided.text().startswith(("Saving", "Repeat ordered")))
    rows = live.database.read("SELECT decision, reason FROM decision ORDER BY decision_id")
    assert rows == [("repeat", "Positioning"), ("withdrawn", None)]
    assert Decisions(live.database).latest("a") is None


def test_the_same_decision_twice_does_not_stay_at_saving(
    live: SameClockClinic, kiosk: KioskController, qtbot: QtBot
) -> None:
    live.land("a")
    qtbot.waitUntil(lambda: kiosk.state is not None and kiosk.state.selected is not None)
    bar = kiosk._window.decisions
    for _ in range(2):
        kiosk._window.decided.emit("a", 1, Choice.KEEP.value, "Other reason")
        assert bar._decided.text() == "Saving…"
        qtbot.waitUntil(lambda: bar._decided.text().startswith("Kept at "))


def test_the_watch_tells_each_first_painting_and_ends_with_its_input(
    live: SameClockClinic, make: Any
) -> None:
    exam = live.land("a")
    live.answer(exam)
    exam = live.land("b")
    process = subprocess.Popen(
        [sys.executable, "-m", "ui.paint_watch", str(live.layout.data)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )
    with process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert json.loads(process.stdout.readline()) == {"read": 2}
        committed_ns = commit(live, Verdict.REPEAT, make)
        said = next(line for line in map(json.loads, process.stdout) if "exam" in line)
        assert said["exam"] == "b"
        assert said["painted_ns"] > committed_ns
        process.stdin.close()
        assert process.wait(timeout=20) == 0
