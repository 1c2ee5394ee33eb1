# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m appliance.processes NAME --data DIR [--config F] [--parent PID]`: one process of the table.

Started by the supervisor; dies with it, so that no half of an appliance is ever left running.
"""

from __future__ import annotations

import ctypes
import faulthandler
import importlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Annotated, Final, cast

import structlog
import typer

from appliance.clock import Clock, SystemClock
from appliance.config import Settings
from appliance.configuration.last_good import note_start, settings_for_running
from appliance.errors import ConfigError, EngineLostError, ExitCode, ScansideError, StoreError
from appliance.layout import Layout
from appliance.logs import start_logs
from appliance.monitor.fault import SETTINGS, clear_fault, fault_of, leave_fault
from appliance.monitor.service_manager import tell_stopping
from appliance.processes.lock import AlreadyRunningError
from appliance.processes.presence import in_the_trail
from appliance.processes.table import EVERY_ROW

PR_SET_PDEATHSIG: Final = 1
"""prctl(2): the signal that a child gets when its parent dies."""

TELLS_WHAT_IS_GOOD: Final = "monitor"
"""The process that sees whether the others stay up with these settings."""

Run = Callable[[Settings, Layout, Clock, Event], None]


def _program(name: str) -> Run:
    """The process's loop, imported only in the process that runs it."""
    module = importlib.import_module(f"appliance.processes.{name}")
    return cast("Run", getattr(module, f"run_{name}"))


def _settings(name: str, config: Path | None, layout: Layout, clock: Clock) -> Settings:
    """Those of the file, or the last good ones: then the screen is told. Raises ConfigError, OSError."""
    running = settings_for_running(config, layout)
    layout.create()
    if running.words is None:
        clear_fault(layout.run, SETTINGS)
    else:
        what, remedy = running.words
        structlog.get_logger().error("settings", reason=str(running.fault), runs_with=str(running.file))
        leave_fault(layout.run, SETTINGS, what=what, remedy=remedy, clock=clock)
    if name == TELLS_WHAT_IS_GOOD:
        note_start(layout, running)
    return running.settings


def main(
    name: str,
    data: Annotated[Path, typer.Option()],
    config: Annotated[Path | None, typer.Option()] = None,
    parent: Annotated[int | None, typer.Option()] = None,
) -> None:
    """Run one process of the appliance until it is told to stop, or its parent (a process id) has died."""
    if name not in {row.name for row in EVERY_ROW}:
        raise typer.BadParameter(f"there is no process {name}")
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if parent not in (None, os.getppid()):
        return  # it died before we could ask to be told
    faulthandler.enable()
    start_logs(name)
    log = structlog.get_logger()
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    layout = Layout(data=data.resolve())
    clock = SystemClock()

    def tell(error: Exception) -> None:
        what, remedy = fault_of(error)
        leave_fault(layout.run, name, what=what, remedy=remedy, clock=clock)

    try:
        settings = _settings(name, config, layout, clock)
        with in_the_trail(name, settings, layout, clock):
            _program(name)(settings, layout, clock, stop)
        tell_stopping()
    except ConfigError as error:
        log.error("settings", reason=str(error))
        tell(error)
        sys.exit(ExitCode.CONFIG)
    except AlreadyRunningError as error:
        log.error("already running", reason=str(error))
        sys.exit(ExitCode.ALREADY_RUNNING)
    except (StoreError, OSError) as error:
        log.error("store", reason=str(error))
        tell(error)
        sys.exit(ExitCode.STORE)
    except ScansideError as error:
        log.error("stopped", reason=str(error))
        tell(error)
        sys.exit(ExitCode.ENGINE_LOST if isinstance(error, EngineLostError) else ExitCode.SOFTWARE)
    except Exception as error:  # the process's one catch-all: Python would print the error's words
        log.error("fault of the software", exc_info=error)
        tell(error)
        sys.exit(ExitCode.SOFTWARE)


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False)  # the pretty ones show variables: patients among them
    app.command()(main)
    app()
