# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks`: measure the appliance on this machine against the naive pipeline."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from appliance.clock import SystemClock
from appliance.errors import ScansideError
from benchmarks.appliance_run import MeasuringError
from benchmarks.backlog import measure_backlog
from benchmarks.guard import Judgement, judge, read_budgets
from benchmarks.idle import measure_idle
from benchmarks.latency import measure_radiographs
from benchmarks.machine import describe_machine
from benchmarks.plan import FULL, QUICK, Plan, Workshop
from benchmarks.report import SERIES, Measured, as_json
from benchmarks.series import measure_series
from benchmarks.studies import RADIOGRAPHS

BACKLOG: Final = "backlog"
IDLE: Final = "idle"
NAMES: Final = (*RADIOGRAPHS, SERIES, BACKLOG, IDLE)
IN_A_QUICK_RUN: Final = (*RADIOGRAPHS, SERIES)


def main(
    *,
    quick: Annotated[
        bool, typer.Option("--quick", help="Below three minutes: ratios only, guarded with a margin.")
    ] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write everything that was measured into this file.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help=f"Measure only this (again: more). One of {', '.join(NAMES)}.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Work in this folder and leave it there. Default: a temporary one.")
    ] = None,
) -> None:
    """Measure. Exit code 1: a promise of budgets.toml was not kept."""
    names = tuple(only) if only else (IN_A_QUICK_RUN if quick else NAMES)
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        raise typer.BadParameter(f"There is no {', '.join(unknown)}; there are {', '.join(NAMES)}.")
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="scanside-bench-") as temporary:
        try:
            measured = _measure(QUICK if quick else FULL, names, folder or Path(temporary), console)
        except (MeasuringError, ScansideError) as error:
            console.print(f"Not measured: {error}", markup=False)
            raise typer.Exit(1) from error
    if not publish(measured, json_file):
        raise typer.Exit(1)


def publish(measured: Measured, json_file: Path | None) -> bool:
    """Write and show what was measured. False: a promise was not kept."""
    report = as_json(measured)
    if json_file is not None:
        json_file.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    judgements = judge(report, read_budgets())
    _show(report, judgements)
    return all(judgement.kept is not False for judgement in judgements)


def _measure(plan: Plan, names: tuple[str, ...], folder: Path, console: Console) -> Measured:
    machine = describe_machine()
    columns = (SpinnerColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("starting", total=None)

        def workshop(name: str) -> Workshop:
            place = folder / name
            place.mkdir(parents=True)
            return Workshop(
                plan=plan,
                folder=place,
                clock=SystemClock(),
                say=lambda words: progress.update(task, description=words),
            )

        radiographs = tuple(name for name in RADIOGRAPHS if name in names)
        return Measured(
            machine=machine,
            quick=plan is QUICK,
            radiographs=measure_radiographs(workshop("dx"), radiographs) if radiographs else None,
            series=measure_series(workshop("ct")) if SERIES in names else None,
            backlog=measure_backlog(workshop(BACKLOG)) if BACKLOG in names else None,
            idle=measure_idle(workshop(IDLE)) if IDLE in names else None,
            load_after_1min=round(os.getloadavg()[0], 2),
        )


def _show(report: dict[str, Any], judgements: tuple[Judgement, ...]) -> None:
    console = Console()
    ratios = Table(title="Appliance against the naive pipeline", title_justify="left")
    for column in ("what", "times sooner", "appliance p50 ms", "p95 ms", "naive p50 ms"):
        ratios.add_column(column)
    for name, ratio in report["ratio_to_naive"].items():
        times = report["latency_ms"][name]
        ours, theirs = ("first_slice", "naive_first_slice") if name == SERIES else ("triage", "naive_done")
        ratios.add_row(
            name,
            f"{ratio:.1f}",
            f"{times[ours]['p50']:.0f}",
            f"{times[ours]['p95']:.0f}",
            f"{times[theirs]['p50']:.0f}",
        )
    console.print(ratios)
    if judgements:
        promises = Table(title="Promises (budgets.toml)", title_justify="left")
        for column in ("budget", "measured", "limit", "kept"):
            promises.add_column(column)
        for judgement in judgements:
            budget = judgement.budget
            bound = "at least" if budget.at_least else "at most"
            promises.add_row(
                budget.name,
                "not measured" if judgement.value is None else f"{judgement.value:g}",
                f"{bound} {budget.limit:g} {budget.unit}",
                {True: "yes", False: "NO", None: ""}[judgement.kept],
            )
        console.print(promises)
    load = f"{report['machine']['load_1min']} to {report['load_after_1min']}"
    console.print(f"Load of the machine: {load}, on {report['machine']['cores']} cores.")


if __name__ == "__main__":
    typer.run(main)
