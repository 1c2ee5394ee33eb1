# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside run`: the whole appliance on this machine, until Ctrl-C."""

from __future__ import annotations

import signal
from threading import Event
from typing import Annotated

import typer

from appliance.clock import SystemClock
from appliance.commands.options import DEFAULT_DATA, Config, Data
from appliance.commands.say import AsJson, errors_in_words, say_json
from appliance.errors import ConfigError
from appliance.layout import Layout
from appliance.monitor.fault import SETTINGS, clear_fault, leave_fault


def run(
    *,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    kiosk: Annotated[bool, typer.Option("--kiosk", help="Also open the kiosk on this screen.")] = False,
    as_json: AsJson = False,
) -> None:
    """Watch the inbox and the DICOM port, check, triage, denoise, keep and send results.

    Copy DICOM files into DATA/inbox, or send them: storescu -aec SCANSIDE localhost 11112 FILE.
    Results: `scanside results --data DATA`, and DICOM objects under DATA/results.
    The inbox is never touched. Stop with Ctrl-C; whatever was not finished goes on at the next start.
    """
    from appliance.configuration.last_good import settings_for_running  # noqa: PLC0415
    from appliance.logs import start_logs  # noqa: PLC0415  (--help stays quick)
    from appliance.processes.supervisor import supervise  # noqa: PLC0415
    from appliance.processes.table import KIOSK, rows_for  # noqa: PLC0415

    start_logs("run")
    with errors_in_words():
        layout = Layout(data=data.resolve())
        try:
            running = settings_for_running(config, layout)
        except ConfigError as error:
            leave_fault(layout.run, "run", what=error.what, remedy=error.remedy, clock=SystemClock())
            raise
        layout.create()
        clear_fault(layout.run, "run")
        clear_fault(layout.run, SETTINGS)
        settings = running.settings
        if running.words is not None:
            typer.echo(f"scanside: {running.words[0]}\n  {running.words[1]}", err=True)
        stop = Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        listener = settings.listener
        door = f"{listener.ae_title} on {listener.host}:{listener.port}" if listener.enabled else "off"
        if as_json:
            say_json({"inbox": str(layout.inbox), "dicom": door, "data": str(layout.data)})
        else:
            typer.echo(f"Watching {layout.inbox}\nDICOM     {door}\nStop with Ctrl-C.")
        rows = (*rows_for(settings), *((KIOSK,) if kiosk else ()))
        code = supervise(layout=layout, config=config, clock=SystemClock(), stop=stop, rows=rows)
        raise typer.Exit(code)
