# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside report`: what the device has seen in a period, as a page, as tables and as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from appliance.commands.options import DEFAULT_DATA, Config, Data
from appliance.commands.say import AsJson, errors_in_words, say_json

report = typer.Typer(no_args_is_help=True, help="Rejects, performance, call-backs and shifts of a period.")

DEFAULT_OUT: Final = Path("scanside-reports")
QUARTER_DAYS: Final = 92
WEEK_DAYS: Final = 7

First = Annotated[
    str | None, typer.Option("--from", metavar="DAY", help="First day of the period, such as 2026-01-01.")
]
Last = Annotated[str | None, typer.Option("--to", metavar="DAY", help="Last day; today unless given.")]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the page and its tables.")]


@report.command("rejects")
def rejects(
    *,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    first: First = None,
    last: Last = None,
    out: Out = DEFAULT_OUT,
    as_json: AsJson = False,
) -> None:
    """Images taken again by room, view, body part, reason and month, and the trend of the exposures."""
    _write("rejects", data, config, (first, last, QUARTER_DAYS), out, as_json=as_json)


@report.command("performance")
def performance(
    *,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    first: First = None,
    last: Last = None,
    out: Out = DEFAULT_OUT,
    as_json: AsJson = False,
) -> None:
    """Sensitivity, specificity, PPV and NPV of each finding here, from the outcomes that were imported."""
    _write("performance", data, config, (first, last, QUARTER_DAYS), out, as_json=as_json)


@report.command("callbacks")
def callbacks(
    *,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    first: First = None,
    last: Last = None,
    out: Out = DEFAULT_OUT,
    as_json: AsJson = False,
) -> None:
    """Whom to call back. The one report that holds names and IDs of patients."""
    _write("callbacks", data, config, (first, last, WEEK_DAYS), out, as_json=as_json)


@report.command("shift")
def shift(
    *,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    first: First = None,
    last: Last = None,
    out: Out = DEFAULT_OUT,
    as_json: AsJson = False,
) -> None:
    """Flags of each shift against the budget, how many were confirmed, how soon they were acknowledged."""
    _write("shift", data, config, (first, last, WEEK_DAYS), out, as_json=as_json)


def _write(
    name: str,
    data: Path,
    config: Path | None,
    days: tuple[str | None, str | None, int],
    out: Path,
    *,
    as_json: bool,
) -> None:
    from appliance.clock import SystemClock  # noqa: PLC0415  (--help stays quick)
    from appliance.config import load_settings  # noqa: PLC0415
    from appliance.layout import Layout  # noqa: PLC0415
    from appliance.monitor.reports.exams import period_of  # noqa: PLC0415
    from appliance.monitor.reports.page import to_plain_report  # noqa: PLC0415
    from appliance.monitor.reports.writing import ReportName, make_report, write_report  # noqa: PLC0415
    from appliance.store.connection import Database  # noqa: PLC0415

    with errors_in_words():
        settings, layout, clock = load_settings(config), Layout(data=data.resolve()), SystemClock()
        first, last, default_days = days
        period = period_of(first, last, today=clock.now_utc().astimezone().date(), days=default_days)
        with Database.open_to_read(layout.database, data=layout.data, clock=clock) as database:
            made = make_report(ReportName(name), database, settings, period)
        files = [str(file.resolve()) for file in write_report(made, out)]
        if as_json:
            say_json({**to_plain_report(made), "files": files})
            return
        for part in made.parts:
            for words in (*part.words, *part.warnings):
                typer.echo(words)
        typer.echo(f"The page: {files[0]}")
        typer.echo(f"The tables: {len(files) - 1} CSV files beside it")
        if made.holds_patients:
            typer.echo("They hold names and IDs of patients: delete them when they have done their work.")
