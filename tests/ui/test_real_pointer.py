# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kiosk as a process on a real X server, with a pointer that comes from outside of it."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtCore import QPoint
from PyQt6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from appliance.clock import NS_PER_S, SystemClock
from appliance.domain.quality import Verdict
from appliance.store.decisions import Choice, Decisions
from tests.ui.clinic import check
from ui.kiosk import KioskWindow
from ui.main import NEEDED_BY
from ui.store_source import StoreSource
from ui.view_state import Attention, board_state

REPOSITORY = Path(__file__).parents[2]
SIZE = (1920, 1080)
SCREEN_MM = (344.0, 194.0)
"""As the settings have it when nobody changes them."""
PATIENCE_S = 60.0
"""A busy machine starts a kiosk in a second, not in a minute."""
ROW_TAPS = 4
"""One a second: opening an exam that is open changes nothing."""


def what_is_missing() -> str:
    """Programs and libraries that this test needs and this machine lacks; "" when there are all."""
    missing = [program for program in ("Xvfb", "xdotool") if shutil.which(program) is None]
    for library in NEEDED_BY["xcb"]:
        try:
            ctypes.CDLL(library)
        except OSError:
            missing.append(library)
    return ", ".join(missing)


pytestmark = pytest.mark.skipif(
    bool(what_is_missing()),
    reason=f"not installed: {what_is_missing()} (packaging/setup/system_libraries.sh peers)",
)


@pytest.fixture
def display() -> Iterator[str]:
    """An X server on a number that the server found free; ended by its own process id."""
    read_end, write_end = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write_end), "-screen", "0", f"{SIZE[0]}x{SIZE[1]}x24", "-nolisten", "tcp"],
        pass_fds=(write_end,),
        stderr=subprocess.DEVNULL,
    )
    os.close(write_end)
    try:
        with os.fdopen(read_end) as told:
            number = told.readline().strip()
        assert number, "the X server did not start"
        yield f":{number}"
    finally:
        _end(server)


@pytest.fixture
def start_kiosk(display: str) -> Iterator[Callable[[Path], None]]:
    started: list[subprocess.Popen[bytes]] = []

    def start(data: Path) -> None:
        environment = {**os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
        command = [sys.executable, "-m", "ui", "--data", str(data)]
        started.append(subprocess.Popen(command, cwd=REPOSITORY, env=environment))
        _xdotool(display, "search", "--sync", "--onlyvisible", "--name", "^Scanside$")

    yield start
    for process in started:
        _end(process)


def test_a_pointer_from_outside_opens_an_exam_and_orders_its_repeat(
    clinic: Any, display: str, start_kiosk: Callable[[Path], None], qtbot: QtBot
) -> None:
    dark = check("exposure", Verdict.REPEAT, "Badly underexposed. Correct the settings and repeat.")
    for exam_id in ("first", "second"):
        exam = clinic.land(exam_id)
        clinic.answer(exam, quality=clinic.quality(dark), triage="none", denoise="none")
        clinic.view(exam)
        clinic.clock.advance(60)
    row, repeat = _places(clinic, "second", qtbot)
    start_kiosk(clinic.layout.data)
    clock = SystemClock()
    for _ in range(ROW_TAPS):  # the window is there, its list comes with the first reading
        clock.sleep(1.0)
        _tap(display, row)
    clock.sleep(1.0)
    _tap(display, repeat)
    decisions = Decisions(clinic.database)
    assert _wait(clock, PATIENCE_S, lambda: decisions.latest("second") is not None)
    decision = decisions.latest("second")
    assert decision is not None
    assert decision.choice is Choice.REPEAT
    assert decisions.latest("first") is None, "nothing was decided about the one that was not tapped"


def _places(clinic: Any, exam_id: str, qtbot: QtBot) -> tuple[QPoint, QPoint]:
    """Where the row of `exam_id` and the Repeat button are on a screen of this size."""
    clock = SystemClock()
    with StoreSource(clinic.layout, clock) as source:
        board = source.read()
    state = board_state(board, trouble=None, attention=Attention(), now_ns=clock.monotonic_ns())
    window = KioskWindow(SIZE, SCREEN_MM)
    qtbot.addWidget(window)
    window.show_state(state, clock="08:41")
    window.show()
    qtbot.waitExposed(window)
    order = [row.exam_id for row in state.rows]
    assert order.index(exam_id) > 0, "it is not the one that opens by itself"
    view = window.worklist.view
    rect = view.visualRect(window.worklist.model.index(order.index(exam_id)))
    viewport = view.viewport()
    assert viewport is not None
    return viewport.mapTo(window, rect.center()), _middle(window.decisions.repeat, window)


def _middle(widget: QWidget, window: QWidget) -> QPoint:
    return widget.mapTo(window, widget.rect().center())


def _tap(display: str, point: QPoint) -> None:
    _xdotool(display, "mousemove", str(point.x()), str(point.y()), "click", "1")


def _xdotool(display: str, *words: str) -> None:
    environment = {**os.environ, "DISPLAY": display}
    subprocess.run(
        ["xdotool", *words], env=environment, check=True, timeout=PATIENCE_S, stdout=subprocess.DEVNULL
    )


def _wait(clock: SystemClock, seconds: float, done: Callable[[], bool]) -> bool:
    until_ns = clock.monotonic_ns() + seconds * NS_PER_S
    while clock.monotonic_ns() < until_ns:
        if done():
            return True
        clock.sleep(0.05)
    return False


def _end(process: subprocess.Popen[Any]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
