# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from appliance.clock import SystemClock
from appliance.layout import Layout
from appliance.store.connection import Database
from appliance.store.decisions import Choice, Decisions
from ui.poller import DecisionCommand, Poller
from ui.store_source import StoreSource

KEEP = DecisionCommand(exam_id="a", version=1, choice=Choice.KEEP, reason=None)


@pytest.fixture
def poller(clinic: Any) -> Iterator[Poller]:
    made = Poller(lambda: StoreSource(clinic.layout, clinic.clock), SystemClock(), interval_s=0.02)
    yield made
    made.stop()


def test_it_reads_at_once_and_after_every_change(clinic: Any, poller: Poller, qtbot: QtBot) -> None:
    with qtbot.waitSignal(poller.board_read) as first:
        poller.start()
    assert first.args[0].exams == ()
    with qtbot.waitSignal(poller.board_read) as second:
        clinic.land("a")
    assert [exam.entry.acquisition_id for exam in second.args[0].exams] == ["a"]


def test_it_is_silent_while_nothing_changes(poller: Poller, qtbot: QtBot) -> None:
    with qtbot.waitSignal(poller.board_read):
        poller.start()
    with qtbot.assertNotEmitted(poller.board_read, wait=300):
        pass


def test_a_store_that_is_not_there_is_told_once_and_found_later(tmp_path: Path, qtbot: QtBot) -> None:
    layout = Layout(data=tmp_path / "later")
    clock = SystemClock()
    poller = Poller(lambda: StoreSource(layout, clock), clock, interval_s=0.02)
    try:
        with qtbot.waitSignal(poller.failed) as failed:
            poller.start()
        assert "There is no store" in failed.args[0].what
        with qtbot.assertNotEmitted(poller.failed, wait=200):
            pass
        with (
            qtbot.waitSignal(poller.board_read),
            Database.open(layout.database, data=layout.data, clock=clock),
        ):
            pass
    finally:
        poller.stop()


def test_a_decision_reaches_the_store(clinic: Any, poller: Poller, qtbot: QtBot) -> None:
    clinic.land("a")
    with qtbot.waitSignal(poller.board_read):
        poller.start()
    with qtbot.waitSignal(poller.board_read) as read:
        poller.decide(KEEP)
    assert read.args[0].exams[0].decision.choice is Choice.KEEP


def test_a_decision_taken_just_before_the_end_is_kept(clinic: Any, poller: Poller, qtbot: QtBot) -> None:
    clinic.land("a")
    with qtbot.waitSignal(poller.board_read):
        poller.start()
    poller.decide(KEEP)
    poller.stop()
    assert Decisions(clinic.database).latest("a") is not None


def test_a_decision_that_cannot_be_written_is_told(clinic: Any, poller: Poller, qtbot: QtBot) -> None:
    with qtbot.waitSignal(poller.board_read):
        poller.start()
    clinic.database.read("PRAGMA user_version=9999")  # a store of newer software: nothing may be written
    with qtbot.waitSignal(poller.not_saved) as told:
        poller.decide(KEEP)
    assert told.args[0] is KEEP
    assert "Install the newer software" in told.args[1]


def test_no_thread_is_left(poller: Poller, qtbot: QtBot) -> None:
    with qtbot.waitSignal(poller.board_read):
        poller.start()
    assert any(thread.name == "store-poller" for thread in threading.enumerate())
    poller.stop()
    assert not any(thread.name == "store-poller" for thread in threading.enumerate())


def test_a_store_that_is_only_half_made_is_found_when_it_is_whole(
    tmp_path: Path, clinic: Any, qtbot: QtBot
) -> None:
    """A file without our tables: what a reader sees that comes in between creation and migration."""
    layout = Layout(data=tmp_path / "half")
    layout.database.parent.mkdir(parents=True)
    sqlite3.connect(layout.database).close()
    poller = Poller(lambda: StoreSource(layout, clinic.clock), SystemClock(), interval_s=0.02)
    try:
        with qtbot.waitSignal(poller.failed) as failed:
            poller.start()
        assert "is of version 0" in failed.args[0].what
        with (
            qtbot.waitSignal(poller.board_read),
            Database.open(layout.database, data=layout.data, clock=clinic.clock),
        ):
            pass
    finally:
        poller.stop()


def test_what_nobody_thought_of_is_trouble_and_not_a_dead_thread(
    clinic: Any, poller: Poller, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(poller.board_read):
        poller.start()
    with qtbot.waitSignal(poller.failed) as failed:
        clinic.database.read("ALTER TABLE decision RENAME TO elsewhere")
        clinic.land("a")
    assert "The store cannot be read" in failed.args[0].what
    with qtbot.waitSignal(poller.board_read):
        clinic.database.read("ALTER TABLE elsewhere RENAME TO decision")
