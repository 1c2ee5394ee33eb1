# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside demo`: synthetic studies with planted faults, through the whole appliance."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from appliance.clock import SystemClock
from appliance.commands.lines import COLUMNS, table_row
from appliance.commands.say import AsJson, errors_in_words, say_json, table

DEFAULT_DATA: Final = Path("demo-data")


def demo(
    *,
    data: Annotated[
        Path, typer.Option(help="Where the demonstration lives. Cleared first, if it is an earlier one.")
    ] = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """Run bundled synthetic studies through watch folder, worker, store, outputs and kiosk.

    Needs no hospital, no patient, no GPU and no network. Prints what was planted in each study and what the
    appliance said about it, and leaves a picture of the kiosk and the DICOM results in the data folder.
    """
    from appliance.commands.results import stored_lines  # noqa: PLC0415  (--help stays quick)
    from appliance.selftest.demonstration import show  # noqa: PLC0415

    with errors_in_words():
        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        with bar:
            shown_bar = bar.add_task("", total=None)
            shown = show(
                data,
                clock=SystemClock(),
                progress=lambda phase, done, total: bar.update(
                    shown_bar, description=phase, completed=done, total=total
                ),
            )
        lines = list(stored_lines(shown.layout))
        picture = _picture(shown.layout.data)
        planted = {study.folder.name: study.planted for study in shown.studies}
        rows: list[tuple[str, ...]] = []
        for line in lines:
            study = next(
                (name for name in planted if any(f"/{name}/" in file for file in line["files"])), None
            )
            if as_json:
                say_json({**line, "planted": planted.get(study) if study else None})
            rows.append((planted.get(study, "") if study else "", *table_row(line)))
        if as_json:
            return
        table("What was planted, and what the appliance says", ("planted", *COLUMNS), rows)
        typer.echo(
            "The patients are drawn: what a model suspects in a drawing says nothing about the model.\n"
        )
        where = shown.layout.data
        typer.echo(f"Kiosk picture   {picture}" if picture else "Kiosk picture   none: see above")
        typer.echo(f"DICOM results   {shown.layout.results}")
        typer.echo(f"Log             {shown.log}")
        typer.echo(
            "\nTry next\n"
            f"  {_command()} kiosk --data {shlex.quote(str(where))}\n"
            "      the screen itself\n"
            f"  {_command()} process FILE-OR-FOLDER\n"
            "      your own DICOM files, once\n"
            f"  {_command()} run --data mydata\n"
            "      the service: copy files into mydata/inbox, or send them:\n"
            "      storescu -aec SCANSIDE localhost 11112 FILE\n"
            f"  {_command()} doctor\n"
            "      is this machine ready?"
        )


def _command() -> str:
    """How a person calls this program from where they stand."""
    here = Path(sys.executable).with_name("scanside")
    if shutil.which("scanside") == str(here) or not here.exists():
        return "scanside"
    return shlex.quote(os.path.relpath(here))


def _picture(data: Path) -> Path | None:
    """The kiosk, rendered without a display. None, with words on standard error, where Qt cannot start."""
    picture = data / "kiosk.png"
    command = [sys.executable, "-m", "ui", "--data", str(data), "--screenshot", str(picture)]
    done = subprocess.run(command, check=False)
    return picture if done.returncode == 0 and picture.exists() else None
