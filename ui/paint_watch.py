# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m ui.paint_watch DATA [--newest]`: the kiosk on a store, telling when it painted what.

For measurements. With --newest the newest exam is always the open one, as if somebody at the console tapped
it: a list of exams that wait longer fills the screen, and a new one below it would not be painted.

Prints one line of JSON when the window is up and one for each verdict at its first painting, with the
monotonic time, which all processes of a boot share. Ends when its input ends.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

from PyQt6 import sip
from PyQt6.QtCore import QSocketNotifier
from PyQt6.QtWidgets import QApplication

from appliance.clock import SystemClock
from appliance.layout import Layout
from appliance.settings_for_people import KioskSettings
from ui.controller import KioskController
from ui.kiosk import KioskWindow
from ui.records import BoardRecord
from ui.store_source import StoreSource

NEWEST: Final = "--newest"
PANEL_PX: Final = (1920, 1080)
PANEL_MM: Final = (344.0, 194.0)
"""15.6 inch, full HD: the scanner's console (KIOSK.md, screen A)."""


def main(arguments: list[str]) -> int:
    """Show the store in the folder that is given, with the poll interval as shipped."""
    data = Path(arguments[0])
    application = QApplication(["paint_watch"])
    clock = SystemClock()
    window = KioskWindow(PANEL_PX, PANEL_MM)
    controller = KioskController(
        window,
        lambda: StoreSource(Layout(data=data), clock),
        clock,
        interval_s=KioskSettings().poll_interval_s,
    )
    controller.first_painted.connect(lambda exam_id, painted_ns: _tell(exam=exam_id, painted_ns=painted_ns))
    ends = QSocketNotifier(sip.voidptr(sys.stdin.fileno()), QSocketNotifier.Type.Read)
    ends.activated.connect(application.quit)
    controller.start()
    window.show()
    controller.poller.board_read.connect(lambda board: _tell(read=len(board.exams)))
    if NEWEST in arguments:
        controller.poller.board_read.connect(lambda board: _open_newest(window, board))
    try:
        return application.exec()
    finally:
        ends.setEnabled(False)
        controller.stop()
        window.close()


def _open_newest(window: KioskWindow, board: BoardRecord) -> None:
    if board.exams:
        newest = max(board.exams, key=lambda exam: exam.entry.sequence)
        window.exam_opened.emit(newest.entry.acquisition_id)


def _tell(**words: object) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
