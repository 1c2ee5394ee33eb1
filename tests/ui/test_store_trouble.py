# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A store that is not there, is no store, or is not read any more: the running screen says so."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from ui.controller import KioskController
from ui.kiosk import KioskWindow
from ui.store_source import StoreSource, open_store
from ui.view_state import Attention, board_state


@pytest.fixture
def kiosk(clinic: Any, qtbot: QtBot) -> Iterator[KioskController]:
    window = KioskWindow((1280, 800), (344.0, 194.0))
    qtbot.addWidget(window)
    opened = KioskController(
        window, lambda: open_store(clinic.layout, clinic.clock), clinic.clock, interval_s=0.02
    )
    yield opened
    opened.stop()


def says_no_connection(kiosk: KioskController, qtbot: QtBot) -> None:
    """With what to do, on a screen that is not blank."""
    kiosk.start()
    kiosk._window.show()

    def message() -> str:
        shown = kiosk.state.message if kiosk.state is not None else None
        return "" if shown is None or not shown.remedy else shown.title

    qtbot.waitUntil(lambda: message() == "No connection to the exam store")
    assert kiosk.state is not None
    assert kiosk.state.health is not None
    assert kiosk.state.health.word == "STORE CLOSED"
    image = kiosk._window.grab().toImage()
    across, down = range(0, image.width(), 7), range(0, image.height(), 7)
    assert len({image.pixel(x, y) for x in across for y in down}) > 10


def test_a_missing_store_is_said_with_what_to_do(clinic: Any, qtbot: QtBot, kiosk: KioskController) -> None:
    clinic.database.close()
    for file in clinic.layout.database.parent.iterdir():
        file.unlink()
    says_no_connection(kiosk, qtbot)


def test_a_malformed_store_is_said_with_what_to_do(clinic: Any, qtbot: QtBot, kiosk: KioskController) -> None:
    clinic.database.close()
    for file in clinic.layout.database.parent.iterdir():
        file.unlink()
    clinic.layout.database.write_bytes(b"no database at all" * 400)
    says_no_connection(kiosk, qtbot)


class DyingSource:
    """A store whose reading ends its thread."""

    def __init__(self, source: StoreSource, *, dies: threading.Event) -> None:
        self._source = source
        self._dies = dies
        self.read = source.read
        self.decide = source.decide
        self.close = source.close

    def changed(self) -> bool:
        if self._dies.is_set():
            raise SystemExit
        return self._source.changed()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_reader_that_dies_is_said_and_started_anew(clinic: Any, qtbot: QtBot) -> None:
    window = KioskWindow((1280, 800), (344.0, 194.0))
    qtbot.addWidget(window)
    dies = threading.Event()
    kiosk = KioskController(
        window,
        lambda: DyingSource(StoreSource(clinic.layout, clinic.clock), dies=dies),
        clinic.clock,
        interval_s=0.01,
    )
    try:
        kiosk.start()
        qtbot.waitUntil(lambda: kiosk.state is not None and kiosk.state.health is not None)
        dies.set()
        qtbot.waitUntil(lambda: not kiosk.poller._thread.is_alive())
        clinic.clock.advance(5.5)
        dies.clear()
        kiosk.refresh()
        assert kiosk.state is not None
        assert kiosk.state.health is not None
        assert kiosk.state.health.word == "SCREEN STOPPED"
        assert kiosk.state.health.stale
        qtbot.waitUntil(lambda: kiosk.poller.silent_s() < 1)
        kiosk.refresh()
        assert kiosk.state.health.word != "SCREEN STOPPED"
    finally:
        kiosk.stop()


def test_a_reader_that_hangs_before_the_first_reading_is_said(clinic: Any) -> None:
    state = board_state(None, trouble=None, attention=Attention(), now_ns=0, poller_silent_s=6.0)
    assert state.message is not None
    assert "stopped reading" in state.message.title
