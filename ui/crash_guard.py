# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fault of this program ends it, so that the service starts it anew: no screen goes on half drawn."""

from __future__ import annotations

import sys
import threading
from types import TracebackType

import structlog
from PyQt6.QtCore import QCoreApplication, QTimer

from appliance.errors import ExitCode


def guard_against_faults() -> None:
    """From now on an exception in a slot or in a thread is logged without its words, and ends the process."""
    sys.excepthook = _end
    threading.excepthook = _log_thread


def _end(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    del kind
    structlog.get_logger().critical("fault of the screen", exc_info=error.with_traceback(trace))
    application = QCoreApplication.instance()
    if application is not None:
        application.exit(ExitCode.SOFTWARE)
        QTimer.singleShot(0, lambda: QCoreApplication.exit(ExitCode.SOFTWARE))  # where no loop runs yet


def _log_thread(what: threading.ExceptHookArgs) -> None:
    structlog.get_logger().critical("a thread of the screen ended", exc_info=what.exc_value)
