# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside callbacks`: whom to call back, and who has done it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from appliance.commands.options import DEFAULT_DATA, Data
from appliance.commands.say import AsJson, errors_in_words, say_json, table

if TYPE_CHECKING:
    from appliance.monitor.reports.disagreements import CallBack
    from appliance.store.connection import Database

callbacks = typer.Typer(no_args_is_help=True, help="Disagreements of people, AI and outcomes, to be called.")

MONTH_DAYS: Final = 31
First = Annotated[
    str | None, typer.Option("--from", metavar="DAY", help="First day of the exams, such as 2026-01-01.")
]
Last = Annotated[str | None, typer.Option("--to", metavar="DAY", help="Last day; today unless given.")]
Reference = Annotated[str, typer.Argument(help="As `scanside callbacks list` shows it.")]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who called.")]
Note = Annotated[str, typer.Option("--note", metavar="SENTENCE", help="What came of it.")]


@callbacks.command("list")
def say_list(
    *, data: Data = DEFAULT_DATA, first: First = None, last: Last = None, as_json: AsJson = False
) -> None:
    """List the patients, open ones and those who went home first. Holds names: do not pass it on."""
    with errors_in_words(), _store(data, change=False) as database:
        from appliance.monitor.reports.callbacks_report import COLUMNS, row_of  # noqa: PLC0415

        listed = _listed(database, first, last)
        rows = [row_of(one) for one in listed]
        if as_json:
            for row in rows:
                say_json(dict(zip((column.name for column in COLUMNS), row, strict=True)))
            return
        title = "To be called back" if rows else "Nobody has to be called back"
        table(
            title,
            tuple(column.title for column in COLUMNS),
            [tuple("" if cell is None else str(cell) for cell in row) for row in rows],
        )


@callbacks.command("called")
def called(
    reference: Reference,
    *,
    by: By,
    note: Note = "",
    data: Data = DEFAULT_DATA,
    first: First = None,
    last: Last = None,
    as_json: AsJson = False,
) -> None:
    """Write down that somebody has called and that it is not closed yet: nobody answered, comes tomorrow."""
    _write_down(reference, "called", (by, note), data, (first, last), as_json=as_json)


@callbacks.command("done")
def done(
    reference: Reference,
    *,
    by: By,
    note: Note = "",
    data: Data = DEFAULT_DATA,
    first: First = None,
    last: Last = None,
    as_json: AsJson = False,
) -> None:
    """Close a call-back, with name and time. It opens again when the disagreement becomes another one."""
    _write_down(reference, "closed", (by, note), data, (first, last), as_json=as_json)


def _write_down(
    reference: str,
    status: str,
    words: tuple[str, str],
    data: Path,
    days: tuple[str | None, str | None],
    *,
    as_json: bool,
) -> None:
    from appliance.commands.words import one_line  # noqa: PLC0415  (--help stays quick)
    from appliance.errors import ConfigError  # noqa: PLC0415
    from appliance.store.call_backs import CallBacks, CallStatus  # noqa: PLC0415

    with errors_in_words(), _store(data, change=True) as database:
        name = one_line(words[0], "--by")
        note = one_line(words[1], "--note") if words[1] else ""
        one = next((one for one in _listed(database, *days) if one.reference == reference), None)
        if one is None:
            raise ConfigError(
                "There is no call-back of this reference in the period.",
                remedy="See: scanside callbacks list. For older exams name the days with --from and --to.",
            )
        CallBacks(database).write_down(
            one.key, kind=one.kind.value, status=CallStatus(status), by_name=name, note=note
        )
        if as_json:
            say_json({"reference": reference, "status": status, "by": name})
        else:
            typer.echo(f"{reference}: {status} by {name}.")


def _listed(database: Database, first: str | None, last: str | None) -> tuple[CallBack, ...]:
    from appliance.monitor.reports.exams import period_of  # noqa: PLC0415
    from appliance.monitor.reports.writing import list_call_backs  # noqa: PLC0415

    today = database.clock.now_utc().astimezone().date()
    return list_call_backs(database, period_of(first, last, today=today, days=MONTH_DAYS))


def _store(data: Path, *, change: bool) -> Database:
    from appliance.commands.existing_store import existing_store  # noqa: PLC0415

    return existing_store(data, change=change)
