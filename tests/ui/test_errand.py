# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from pytestqt.exceptions import capture_exceptions
from pytestqt.qtbot import QtBot

from ui.errand import Errand


@pytest.fixture
def errand(qtbot: QtBot) -> Iterator[Errand]:
    del qtbot
    made = Errand("test")
    yield made
    made.stop()


def test_the_result_comes_where_the_screen_is(errand: Errand, qtbot: QtBot) -> None:
    threads: list[str] = []
    errand.done.connect(lambda _: threads.append(threading.current_thread().name))
    with qtbot.waitSignal(errand.done) as done:
        assert errand.run(lambda _gives_up: threading.current_thread().name)
    assert done.args == ["test"]
    assert threads == [threading.main_thread().name]
    assert not errand.is_busy
    with qtbot.waitSignal(errand.done):
        assert errand.run(lambda _gives_up: 2)


def test_one_at_a_time(errand: Errand, qtbot: QtBot) -> None:
    gate = threading.Event()
    assert errand.run(lambda _gives_up: gate.wait())
    assert not errand.run(lambda _gives_up: 2)
    with qtbot.waitSignal(errand.done):
        gate.set()


def test_stop_has_it_give_up_and_tells_nothing(errand: Errand, qtbot: QtBot) -> None:
    def until_told(gives_up: object) -> str:
        while not gives_up():  # type: ignore[operator]
            pass
        return "late"

    with qtbot.assertNotEmitted(errand.done, wait=50):
        errand.run(until_told)
        errand.stop()
        assert not errand.run(lambda _gives_up: 1)
    assert not any(thread.name == "test" for thread in threading.enumerate())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_does_not_make_it_busy_for_ever(errand: Errand, qtbot: QtBot) -> None:
    def breaks(_gives_up: object) -> int:
        raise RuntimeError("a fault")

    with capture_exceptions(), qtbot.assertNotEmitted(errand.done):
        errand.run(breaks)
        qtbot.waitUntil(lambda: not errand.is_busy)
