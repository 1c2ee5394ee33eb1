# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside store`: is the store whole, and what is to be done when it is not?"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Annotated

import typer

from appliance.clock import SystemClock
from appliance.commands.options import DEFAULT_DATA, Config, Data
from appliance.commands.say import AsJson, errors_in_words, say_json
from appliance.config import load_settings
from appliance.errors import ExitCode
from appliance.layout import Layout

store = typer.Typer(no_args_is_help=True, help="The store: check it, make it anew.")
PROCESSES = ("run", "watcher", "worker", "sender", "keeper", "signals")


@store.callback()
def _store() -> None:
    """The store: check it, make it anew."""


@store.command("check")
def check(
    *,
    rebuild: Annotated[
        bool,
        typer.Option("--rebuild", help="If it is damaged and its disk works: move it aside, make a new one."),
    ] = False,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Try the disk, then read the whole store, twice if need be. Exit code 1 when it is damaged.

    With --rebuild a damaged store is moved aside, never deleted, and a new one is made of the originals in
    the spool. Nothing may run meanwhile. Results are made anew, and everything is sent again.
    """
    from appliance.domain.record import to_plain  # noqa: PLC0415  (--help stays quick)
    from appliance.processes.lock import only_one  # noqa: PLC0415
    from appliance.processes.rebuild import look_at_store  # noqa: PLC0415
    from appliance.processes.rebuild import rebuild as make_anew  # noqa: PLC0415

    with errors_in_words(), ExitStack() as locks:
        settings, layout = load_settings(config), Layout(data=data.resolve())
        if rebuild:
            for process in PROCESSES:
                locks.enter_context(only_one(layout.run, process))
        state = look_at_store(layout)
        if as_json:
            say_json(to_plain(state))
        elif state.disk_trouble is not None:
            typer.echo(f"{state.disk_trouble}. Mend the disk first: nothing can be said of the store.")
        else:
            typer.echo("The store is whole." if state.whole else "\n".join(("Damaged:", *state.faults)))
        if state.whole or state.disk_trouble is not None or not rebuild:
            raise typer.Exit(ExitCode.OK if state.whole else ExitCode.FOUND_FAULTS)
        made = make_anew(settings, layout, SystemClock())
        if as_json:
            say_json(to_plain(made))
        else:
            typer.echo(
                f"A new store was made of {made.files} originals and {made.ledger_rows} rows of the old one,"
                f" which lies in {made.old_store}. Start the appliance: results are made anew."
            )
            if made.damaged_files:
                typer.echo(f"{made.damaged_files} originals are damaged: have them sent again.")
