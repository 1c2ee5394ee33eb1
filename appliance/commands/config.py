# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside config`: the settings file, looked at, explained and brought up to date."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from appliance.commands.options import DEFAULT_DATA, Data
from appliance.commands.say import AsJson, errors_in_words, say_json, table
from appliance.errors import ExitCode
from appliance.layout import Layout

config = typer.Typer(
    no_args_is_help=True, help="The settings file: check it, explain it, bring it up to date."
)

SettingsFile = Annotated[
    Path | None, typer.Argument(metavar="[FILE]", help="The settings file; none: defaults and environment.")
]


@config.command("check")
def check(file: SettingsFile = None, *, as_json: AsJson = False) -> None:
    """Name every fault of the file and of the environment at once: where, what, why, and what to do.

    Exit code 0: the appliance starts with it. 78: it does not. Files that it names and that are not on this
    machine are told, too, but may lie on the device.
    """
    from appliance.configuration.checking import check_settings  # noqa: PLC0415  (--help stays quick)
    from appliance.domain.record import to_plain  # noqa: PLC0415

    with errors_in_words():
        checked = check_settings(file)
        if as_json:
            for fault in checked.faults:
                say_json(to_plain(fault))
        else:
            rows: list[tuple[str, ...]] = [
                ("CHECK" if fault.only_here else "FAIL", fault.where, fault.what, fault.remedy)
                for fault in checked.faults
            ]
            if rows:
                table("Settings", ("", "where", "what", "remedy"), rows)
            for change in checked.changes:
                typer.echo(f"Older form: {change.words}")
            if checked.changes:
                typer.echo(f"`scanside config migrate {file}` writes it anew.")
            typer.echo(
                "The appliance starts with these settings." if checked.holds else "It would not start."
            )
        raise typer.Exit(ExitCode.OK if checked.holds else ExitCode.CONFIG)


@config.command("show")
def show(
    file: SettingsFile = None,
    *,
    changed: Annotated[bool, typer.Option("--changed", help="Only what is not the default.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show every setting as it is in force, and where it comes from: default, line or environment.

    Passwords within addresses are masked; all other secrets lie in files of their own, which are named.
    """
    from appliance.configuration.effective import effective_settings  # noqa: PLC0415  (--help stays quick)
    from appliance.domain.record import to_plain  # noqa: PLC0415

    with errors_in_words():
        rows: list[tuple[str, ...]] = []
        for one in effective_settings(file):
            if changed and one.source == "default":
                continue
            if as_json:
                say_json(to_plain(one))
            else:
                rows.append((one.key, json.dumps(one.value, ensure_ascii=False), one.source))
        if not as_json:
            table(f"Settings of {file or 'no file'}", ("setting", "value", "from"), rows)


@config.command("migrate")
def migrate(
    file: Annotated[Path, typer.Argument(help="The settings file.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write an older settings file in the form of this software; the original stays beside it.

    Says every setting that it moves or drops. Comments stay. A file that would not hold is left alone.
    """
    from appliance.configuration.rewriting import migrated, write_migrated  # noqa: PLC0415  (--help stays quick)

    with errors_in_words():
        text, before, done = migrated(file.read_text(encoding="utf-8"))
        kept = write_migrated(file, text, before=before) if done and not dry_run else None
        if as_json:
            say_json(
                {
                    "form": before,
                    "done": [change.words for change in done],
                    "kept": None if kept is None else str(kept),
                }
            )
            return
        for change in done:
            typer.echo(f"  {change.words}")
        if not done:
            typer.echo(f"{file} is of the current form: nothing was changed.")
        elif kept is not None:
            typer.echo(f"{file} was written anew; the original is {kept}.")


@config.command("good")
def good(*, data: Data = DEFAULT_DATA, as_json: AsJson = False) -> None:
    """Print the last good settings: those with which the appliance last stayed up.

    Exit code 1 when there are none yet.
    """
    from appliance.configuration.last_good import kept_settings  # noqa: PLC0415  (--help stays quick)

    with errors_in_words():
        kept = kept_settings(Layout(data=data.resolve()))
        if as_json:
            say_json({"file": str(kept[0]) if kept else None})
        elif kept:
            typer.echo(kept[0].read_text(encoding="utf-8"), nl=False)
        else:
            typer.echo("None are kept yet: the appliance has to stay up for five minutes first.")
        raise typer.Exit(ExitCode.OK if kept else ExitCode.FOUND_FAULTS)
