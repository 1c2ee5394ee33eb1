# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from PyQt6.QtCore import Qt
from pytestqt.qtbot import QtBot

from appliance.domain.acquisition import Urgency
from appliance.store.decisions import Choice
from ui.controller import KioskController
from ui.kiosk import KioskWindow
from ui.records import StoreTrouble
from ui.store_source import StoreSource


@pytest.fixture
def kiosk(clinic: Any, qtbot: QtBot) -> Iterator[KioskController]:
    window = KioskWindow((1280, 800), (344.0, 194.0))
    qtbot.addWidget(window)
    controller = KioskController(
        window, lambda: StoreSource(clinic.layout, clinic.clock), clinic.clock, interval_s=0.02
    )
    yield controller
    controller.stop()


def selected(kiosk: KioskController) -> str | None:
    assert kiosk.state is not None
    return kiosk.state.selected.exam_id if kiosk.state.selected else None


def order(kiosk: KioskController) -> list[str]:
    assert kiosk.state is not None
    return [row.exam_id for row in kiosk.state.rows]


# Trace: REQ-049
def test_what_a_person_looks_at_never_changes_by_itself(clinic: Any, kiosk: KioskController) -> None:
    clinic.land("a")
    kiosk.take_board(clinic.read())
    assert selected(kiosk) == "a"
    clinic.land("stat", urgency=Urgency.STAT)
    kiosk.take_board(clinic.read())
    assert order(kiosk) == ["stat", "a"]
    assert selected(kiosk) == "a"


def test_the_list_stands_still_after_a_touch_and_settles_later(clinic: Any, kiosk: KioskController) -> None:
    clinic.land("first")
    kiosk.take_board(clinic.read())
    kiosk._window.touched.emit()
    clinic.land("stat", urgency=Urgency.STAT)
    kiosk.take_board(clinic.read())
    assert order(kiosk) == ["first"]
    assert kiosk.state is not None
    assert kiosk.state.arrivals == "1 new urgent"
    clinic.clock.advance(5)
    kiosk.refresh()
    assert order(kiosk) == ["stat", "first"]


def test_the_bar_of_arrivals_settles_at_once(clinic: Any, kiosk: KioskController, qtbot: QtBot) -> None:
    clinic.land("first")
    kiosk.take_board(clinic.read())
    kiosk._window.show()
    kiosk._window.touched.emit()
    clinic.land("stat", urgency=Urgency.STAT)
    kiosk.take_board(clinic.read())
    qtbot.mouseClick(kiosk._window.worklist._arrivals, Qt.MouseButton.LeftButton)
    assert order(kiosk) == ["stat", "first"]


def test_trouble_keeps_the_exam_on_the_screen_and_says_so(clinic: Any, kiosk: KioskController) -> None:
    clinic.land("a")
    kiosk.take_board(clinic.read())
    kiosk.take_trouble(StoreTrouble(what="The disk is gone.", remedy="Mount it.", since_ns=0))
    assert selected(kiosk) == "a"
    assert kiosk.state is not None
    assert kiosk.state.health is not None
    assert kiosk.state.health.word == "STORE CLOSED"
    kiosk.take_board(clinic.read())
    assert kiosk.state.health.word == "OK"


# Trace: REQ-048
def test_a_decision_is_saving_until_the_store_shows_it(
    clinic: Any, kiosk: KioskController, qtbot: QtBot
) -> None:
    clinic.land("a")
    kiosk.start()
    qtbot.waitUntil(lambda: selected(kiosk) == "a")
    bar = kiosk._window.decisions
    kiosk._window.decided.emit("a", 1, Choice.KEEP.value, "Other reason")
    assert bar._decided.text() == "Saving…"
    qtbot.waitUntil(lambda: bar._decided.text().startswith("Kept at "))


# Trace: REQ-048
def test_a_decision_that_is_not_saved_says_why(clinic: Any, kiosk: KioskController, qtbot: QtBot) -> None:
    clinic.land("a")
    kiosk.start()
    qtbot.waitUntil(lambda: selected(kiosk) == "a")
    clinic.database.read("PRAGMA user_version=9999")
    kiosk._window.decided.emit("a", 1, Choice.KEEP.value, "")
    qtbot.waitUntil(lambda: kiosk._window.decisions._decided.text().startswith("Not saved."))


def flagged(clinic: Any, make: Any) -> None:
    urgent = make.finding("Pneumothorax", 0.9, code="36118008")
    clinic.answer(clinic.land("a"), triage=clinic.triage(urgent))


def test_opening_an_exam_marks_that_one_seen(clinic: Any, kiosk: KioskController, qtbot: QtBot) -> None:
    clinic.land("a")
    clinic.land("b")
    kiosk.start()
    qtbot.waitUntil(lambda: selected(kiosk) is not None)
    assert clinic.database.read("SELECT count(*) FROM deed") == [(0,)]  # on the screen is not opened
    kiosk._window.worklist.opened.emit("b")
    unread = lambda: {row.exam_id: row.unread for row in kiosk.state.rows if kiosk.state}  # noqa: E731  a probe
    qtbot.waitUntil(lambda: unread() == {"a": True, "b": False})
    kiosk._window.worklist.opened.emit("b")
    assert clinic.database.read("SELECT acquisition_id, deed FROM deed") == [("b", "seen")]


def test_the_oldest_unread_opens_on_a_tap(clinic: Any, kiosk: KioskController, qtbot: QtBot) -> None:
    for name in ("a", "b"):
        clinic.land(name)
        clinic.clock.advance(60)
    kiosk._window.show()
    kiosk.start()
    button = kiosk._window.worklist.unread
    qtbot.waitUntil(lambda: button.text() == "Oldest unread\n2 min")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: button.text() == "Oldest unread\n1 min")
    assert selected(kiosk) == "a"
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: button.text() == "None unread")
    assert not button.isEnabled()


def test_telling_the_physician_is_one_tap_and_on_disk(
    clinic: Any, make: Any, kiosk: KioskController, qtbot: QtBot
) -> None:
    flagged(clinic, make)
    kiosk.start()
    qtbot.waitUntil(lambda: selected(kiosk) == "a")
    banner = kiosk._window.urgent
    banner.told.click()
    assert kiosk._window.decisions._decided.text() == "Saving…"
    qtbot.waitUntil(lambda: banner._title.text().startswith("Physician told at "))
    assert clinic.database.read("SELECT deed FROM deed") == [("told",)]
    assert "av" not in kiosk._window.decisions._decided.text()  # neither saving nor not saved


def test_an_answer_that_is_not_saved_says_why_and_is_not_lit(
    clinic: Any, make: Any, kiosk: KioskController, qtbot: QtBot
) -> None:
    flagged(clinic, make)
    kiosk.start()
    qtbot.waitUntil(lambda: selected(kiosk) == "a")
    clinic.database.read("PRAGMA user_version=9999")
    kiosk._window.urgent.told.click()
    qtbot.waitUntil(lambda: kiosk._window.decisions._decided.text().startswith("Not saved."))
    assert kiosk._window.urgent._title.text() == "Tell the physician"


def test_a_reading_that_comes_after_the_end_touches_no_window(
    clinic: Any, kiosk: KioskController, qtbot: QtBot
) -> None:
    clinic.land("a")
    kiosk.take_board(clinic.read())
    before = kiosk.state
    kiosk.stop()
    clinic.land("b")
    kiosk.take_board(clinic.read())
    assert kiosk.state is before
