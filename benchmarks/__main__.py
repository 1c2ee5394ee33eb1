# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks`: measure this machine, compare two runs, list what was measured where."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from appliance.clock import SystemClock
from appliance.commands.options import DEFAULT_DATA, Data
from appliance.errors import ScansideError
from appliance.layout import Layout
from benchmarks.appliance_run import MeasuringError
from benchmarks.compare import compare_files
from benchmarks.painting import NotPaintedError
from benchmarks.publish import publish
from benchmarks.report import as_json
from benchmarks.run import IN_A_QUICK_RUN, NAMES, measure_run
from benchmarks.targets import write_targets

INTO: Final = Path("scanside-bench")
app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def run(
    *,
    quick: Annotated[
        bool, typer.Option("--quick", help="Below three minutes: ratios only, guarded with a margin.")
    ] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write everything that was measured into this file, too.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help=f"Measure only this (again: more). One of {', '.join(NAMES)}.")
    ] = None,
    into: Annotated[
        Path, typer.Option(help="Folder of the run. One that was interrupted goes on in it.")
    ] = INTO,
    soak_minutes: Annotated[
        float | None, typer.Option(min=0.1, help="Length of the part `soak`. Default: 5; 1 in a quick run.")
    ] = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Measure. Exit code 1: a promise of budgets.toml was not kept, or something could not be measured."""
    names = tuple(only) if only else (IN_A_QUICK_RUN if quick else NAMES)
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        raise typer.BadParameter(f"There is no {', '.join(unknown)}; there are {', '.join(NAMES)}.")
    console = Console(stderr=True)
    try:
        measured = measure_run(
            names,
            quick=quick,
            into=into,
            clock=SystemClock(),
            console=console,
            soak_minutes=soak_minutes,
        )
        kept = publish(as_json(measured), into=into, json_file=json_file, layout=Layout(data=data))
    except (MeasuringError, NotPaintedError, ScansideError) as error:
        console.print(f"Not measured: {error}", markup=False)
        raise typer.Exit(1) from error
    if not kept:
        raise typer.Exit(1)


@app.command()
def compare(
    before: Annotated[Path, typer.Argument(help="A run's JSON file.")],
    after: Annotated[Path, typer.Argument(help="Another one.")],
    *,
    across: Annotated[
        bool,
        typer.Option("--across", help="Compare although the machines differ; the differences are shown."),
    ] = False,
) -> None:
    """What moved from one run to another, and whether it is more than noise.

    Exit code 1: something became slower, or the files cannot be compared.
    """
    console = Console()
    try:
        slower = compare_files(before, after, across=across, console=console)
    except ScansideError as error:
        Console(stderr=True).print(f"Not compared: {error}", markup=False)
        raise typer.Exit(1) from error
    if slower:
        raise typer.Exit(1)


@app.command()
def targets(
    out: Annotated[Path, typer.Argument(help="Markdown file to write.")] = Path("docs/targets.md"),
    *,
    results: Annotated[
        Path | None, typer.Option(help="Folder of JSON files. Default: those that came with the software.")
    ] = None,
) -> None:
    """Write the table of everything that was measured on every machine, beside published figures."""
    try:
        write_targets(out, results)
    except (ScansideError, OSError) as error:
        Console(stderr=True).print(f"Not written: {error}", markup=False)
        raise typer.Exit(1) from error


if __name__ == "__main__":
    app()
