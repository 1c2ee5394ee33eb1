# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m ui.measure WHAT --data DIR`: how fast this machine's screen is, as JSON, without a display.

Started by benchmarks/kiosk_screen.py, which prepares the store under DIR and knows no Qt. Everything is
measured on the widgets that the kiosk shows, from an event to the end of the painting that it causes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from PyQt6.QtCore import QEvent, QPointF, Qt, QTimer
from PyQt6.QtGui import QMouseEvent, QPaintEvent
from PyQt6.QtWidgets import QApplication, QWidget

from appliance.clock import NS_PER_MS, Clock, SystemClock
from appliance.config import Settings
from appliance.layout import Layout
from ui.controller import KioskController
from ui.icons import Icons
from ui.image_view import ZOOM_STEP, ImageView
from ui.kiosk import KioskWindow
from ui.measure_frame import frame_numbers
from ui.picture_state import PictureState, picture_of
from ui.session import KioskSession
from ui.store_source import StoreSource
from ui.theme import scale_for
from ui.view_state import Attention, BoardState, board_state
from ui.worklist_panel import WorklistPanel
from ui.worklist_state import WorklistRow

PICTURE_PX: Final = (1200, 1000)
"""The image area that is measured, width and height."""
PANEL_PX: Final = (1920, 1080)
DRAGS: Final = 120
"""Steps of a finger in one measurement: two seconds at 60 a second."""
OPENINGS: Final = 5
"""Rounds over all radiographs, each from files that the page cache has dropped, then from kept ones."""
ROWS: Final = 5000
SWITCHES: Final = 1000
MIB: Final = 2**20


class What(str, Enum):
    """Parts that are measured in a process each."""

    PICTURE = "picture"
    LIST = "list"
    MEMORY = "memory"
    START = "start"
    FRAME = "frame"


class CountingView(ImageView):
    """Knows how often it was painted: a measurement of what was not painted would be a fine number."""

    paints = 0

    def paintEvent(self, a0: QPaintEvent | None) -> None:
        """As ever."""
        super().paintEvent(a0)
        self.paints += 1


class Stopwatch:
    """Milliseconds of one thing after the other."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def ms(self, action: Callable[[], object]) -> float:
        """How long `action` takes."""
        start_ns = self._clock.monotonic_ns()
        action()
        return (self._clock.monotonic_ns() - start_ns) / NS_PER_MS


def picture_numbers(data: Path, clock: Clock) -> dict[str, list[float]]:
    """Opening, moving, contrast and slices, in milliseconds from the event to the painted widget."""
    watch = Stopwatch(clock)
    view = CountingView(scale_for(PANEL_PX, Settings().kiosk.screen_mm))
    view.resize(*PICTURE_PX)
    _show(view)
    pictures = _pictures(data, clock)
    radiographs = [state for state in pictures if not state.is_volume]
    volume = next(state for state in pictures if state.is_volume)
    numbers: dict[str, list[float]] = {"open_cold_ms": [], "open_kept_ms": []}
    for _ in range(OPENINGS):
        for state in radiographs:
            view.show_state(None)
            _drop_from_cache(state)
            numbers["open_cold_ms"].append(watch.ms(partial(_open, view, state)))
            view.show_state(None)
            numbers["open_kept_ms"].append(watch.ms(partial(_open, view, state)))
    numbers["pan_fit_ms"] = _drag(view, watch)
    view.zoom(ZOOM_STEP**4)
    numbers["pan_large_ms"] = _drag(view, watch)
    view.fit()
    view.tools = type(view.tools)(contrast_mode=True)
    numbers["contrast_ms"] = _drag(view, watch)
    view.reset()
    numbers["zoom_ms"] = [watch.ms(partial(_zoom, view, step)) for step in range(DRAGS)]
    _open(view, volume)
    assert view.picture is not None
    for name in ("slice_first_pass_ms", "slice_ms"):
        numbers[name] = [watch.ms(partial(_slice, view, index)) for index in range(view.picture.slices)]
    view.close()
    measured = sum(len(times) for times in numbers.values())
    if view.paints < measured:
        raise RuntimeError(f"{measured} measurements, {view.paints} paintings: nothing was shown.")
    return numbers


def list_numbers(data: Path, clock: Clock) -> dict[str, list[float]]:
    """Reading the store, making the state, drawing a list of 5,000 rows."""
    watch = Stopwatch(clock)
    with StoreSource(Layout(data=data), clock) as source:
        board = source.read()
        reading = [watch.ms(source.read) for _ in range(10)]
    now_ns = clock.monotonic_ns()

    def make_state() -> BoardState:
        return board_state(board, trouble=None, attention=Attention(), now_ns=now_ns)

    state = make_state()
    rows = tuple(_row(state.rows[number % len(state.rows)], number) for number in range(ROWS))
    opening = []
    for _ in range(10):
        panel = WorklistPanel(scale_for(PANEL_PX, Settings().kiosk.screen_mm), Icons())
        panel.resize(380, 1000)
        _show(panel)
        many = BoardState(rows=rows, arrivals="", selected=None, health=None, message=None)
        opening.append(watch.ms(partial(_show_rows, panel, many)))
        panel.close()
        panel.deleteLater()
        QApplication.processEvents()
    making = [watch.ms(make_state) for _ in range(10)]
    return {"rows_5000_ms": opening, "read_store_ms": reading, "make_state_ms": making}


def memory_numbers(data: Path, clock: Clock, *, switches: int = SWITCHES) -> dict[str, list[float]]:
    """Resident MiB of a whole kiosk that is shown one exam after the other."""
    window = KioskWindow(PANEL_PX, Settings().kiosk.screen_mm)
    controller = KioskController(window, lambda: StoreSource(Layout(data=data), clock), clock, interval_s=1.0)
    with StoreSource(Layout(data=data), clock) as source:
        board = source.read()
    _show(window)
    controller.take_board(board)
    with_picture = [exam.entry.acquisition_id for exam in board.exams if exam.view_folder is not None]
    resident = []
    for number in range(switches):
        window.exam_opened.emit(with_picture[number % len(with_picture)])
        window.repaint()
        QApplication.processEvents()
        # An event loop does this by itself; between two calls from outside nobody would.
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        resident.append(_resident_mib())
    window.close()
    tenth = switches // 10
    return {
        "resident_mib": resident,
        "growth_mib": [max(resident[-tenth:]) - max(resident[tenth : 2 * tenth])],
    }


def wait_for_first_list(data: Path, clock: Clock) -> dict[str, list[float]]:
    """Run the kiosk until its list has rows and is painted: the monotonic time, in ms."""
    session = KioskSession(Layout(data=data), Settings(), clock, profile="scanner")
    painted: list[float] = []

    def note() -> None:
        painted.append(clock.monotonic_ns() / NS_PER_MS)
        session.quit()

    class Watcher(QWidget):
        """Sees every event of the application's list."""

        def eventFilter(self, a0: Any, a1: QEvent | None) -> bool:
            if not painted and a1 is not None and a1.type() is QEvent.Type.Paint:
                panel = a0.parent().parent() if a0.parent() is not None else None
                if isinstance(panel, WorklistPanel) and panel.model.rows:
                    QTimer.singleShot(0, note)  # when this painting is done
            return False

    watcher = Watcher()
    application = QApplication.instance()
    assert application is not None
    application.installEventFilter(watcher)
    session.run(PANEL_PX)
    return {"painted_at_monotonic_ms": painted[:1]}


def main(what: What, *, data: Annotated[Path, typer.Option(help="A store with pictures.")]) -> None:
    """Measure one part and print it as one line of JSON."""
    os.environ.setdefault("QT_ENABLE_HIGHDPI_SCALING", "0")
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    clock = SystemClock()
    if what is What.START:
        numbers = wait_for_first_list(data, clock)
    else:
        application = QApplication(["scanside"])
        parts: dict[What, Callable[[Path, Clock], dict[str, list[float]]]] = {
            What.PICTURE: picture_numbers,
            What.LIST: list_numbers,
            What.MEMORY: memory_numbers,
            What.FRAME: lambda _, clock: frame_numbers(PICTURE_PX, clock),
        }
        numbers = parts[what](data, clock)
        application.quit()
    typer.echo(json.dumps(numbers))


def _pictures(data: Path, clock: Clock) -> list[PictureState]:
    with StoreSource(Layout(data=data), clock) as source:
        return [picture_of(exam) for exam in source.read().exams if exam.view_folder is not None]


def _show(widget: QWidget) -> None:
    """On the platform's screen: a widget that was not exposed paints nothing."""
    widget.show()
    QApplication.processEvents()


def _open(view: ImageView, state: PictureState) -> None:
    view.show_state(state)
    view.repaint()


def _zoom(view: ImageView, step: int) -> None:
    view.zoom(1.03 if step % 40 < 20 else 1 / 1.03)
    view.repaint()


def _slice(view: ImageView, index: int) -> None:
    view.set_slice(index)
    view.repaint()


def _show_rows(panel: WorklistPanel, state: BoardState) -> None:
    panel.show_state(state)
    panel.repaint()
    panel.view.viewport().repaint()  # type: ignore[union-attr]


def _drag(view: ImageView, watch: Stopwatch) -> list[float]:
    """A finger in a circle: each of its steps, until the picture has followed."""
    start = QPointF(PICTURE_PX[0] / 2, PICTURE_PX[1] / 2)
    _mouse(view, QEvent.Type.MouseButtonPress, start)
    times = []
    for step in range(DRAGS):
        point = start + QPointF(3.0 * (step % 60 - 30), 2.0 * (step % 40 - 20))

        def move(point: QPointF = point) -> None:
            _mouse(view, QEvent.Type.MouseMove, point)
            view.repaint()

        times.append(watch.ms(move))
    _mouse(view, QEvent.Type.MouseButtonRelease, start)
    return times


def _mouse(view: ImageView, kind: QEvent.Type, point: QPointF) -> None:
    left = Qt.MouseButton.LeftButton
    event = QMouseEvent(kind, point, point, left, left, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(view, event)


def _drop_from_cache(state: PictureState) -> None:
    """The files come from the disk again, as for an exam of yesterday."""
    assert state.folder is not None
    for path in state.folder.iterdir():
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def _row(like: WorklistRow, number: int) -> WorklistRow:
    values = {name: getattr(like, name) for name in WorklistRow.__dataclass_fields__}
    return WorklistRow(**{**values, "exam_id": f"{like.exam_id}-{number}"})


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / MIB, 1)


if __name__ == "__main__":
    typer.run(main)
