# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside update settle` and `judge`: what the launcher asks of software that is about to run, or on trial.

Their last line of standard output is the reason; the launcher keeps it for the screen.
"""

from __future__ import annotations

from typing import Annotated

import typer

from appliance.clock import SystemClock
from appliance.commands.options import DEFAULT_DATA, Config, Data
from appliance.commands.say import AsJson, errors_in_words, say_json
from appliance.config import load_settings
from appliance.errors import ExitCode, ScansideError
from appliance.layout import Layout


def settle_store(*, data: Data = DEFAULT_DATA, config: Config = None, as_json: AsJson = False) -> None:
    """Bring the store to what this software reads, whichever software wrote it. Nothing may run meanwhile.

    A newer store is put aside: a copy from before, what people said, and every image that came since make the
    one that this software goes on with.
    """
    from appliance.domain.record import to_plain  # noqa: PLC0415  (--help stays quick)
    from appliance.processes.trial import settle  # noqa: PLC0415
    from appliance.updates.places import own_root, read_software  # noqa: PLC0415

    with errors_in_words():
        root = own_root()
        software = read_software(root) if root is not None else None
        why = software.note if software is not None else "asked for"
        try:
            done = settle(load_settings(config), Layout(data=data.resolve()), SystemClock(), why=why)
        except ScansideError as error:
            typer.echo(error.what)
            raise
        if as_json:
            say_json({"stepped_back": None if done is None else to_plain(done)})
        elif done is None:
            typer.echo("The store is as this software reads it.")
        else:
            typer.echo(
                f"The store went from version {done.from_version} back to {done.to_version}; {done.files}"
                f" images that came since were taken in again. The newer one lies in {done.newer_store}."
            )


def judge_trial(
    *,
    limit_s: Annotated[float, typer.Option("--limit-s", min=1, help="Give up after this long.")] = 600.0,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Wait until every process works and the test exam came out right. Exit code 1: not within the limit."""
    from appliance.processes.trial import judge  # noqa: PLC0415  (--help stays quick)

    with errors_in_words():
        missing = judge(load_settings(config), Layout(data=data.resolve()), SystemClock(), limit_s=limit_s)
        if as_json:
            say_json({"proved": not missing, "missing": missing})
        else:
            typer.echo(missing or "It has proved itself.")
        raise typer.Exit(ExitCode.FOUND_FAULTS if missing else ExitCode.OK)
