# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks.faults FIGURE`: put a fault in as often as docs/reliability.md promises."""

from __future__ import annotations

import importlib
import json
import pkgutil
import tempfile
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import benchmarks.faults
from appliance.clock import SystemClock
from benchmarks.faults.figure import Run
from benchmarks.machine import plain_machine

OTHER_FILES: Final = frozenset({"__main__", "figure"})


def figures() -> dict[str, Any]:
    """Every file of this folder that has a `run`, by name."""
    found = {}
    for module in pkgutil.iter_modules(benchmarks.faults.__path__):
        if module.name not in OTHER_FILES:
            figure = importlib.import_module(f"{benchmarks.faults.__name__}.{module.name}")
            if hasattr(figure, "run"):
                found[module.name] = figure
    return found


def main(
    figure: Annotated[str, typer.Argument(help="Which; `list` names them.")],
    *,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Keep the counts here; a run that was interrupted goes on.")
    ] = None,
    amount: Annotated[
        float, typer.Option(min=0.0001, max=100.0, help="1: as often as promised; 0.1: a tenth.")
    ] = 1.0,
    folder: Annotated[Path | None, typer.Option(help="Work here. Default: a temporary folder.")] = None,
) -> None:
    """Run one figure to its end. Exit code 1: something was lost, doubled or let through."""
    known = figures()
    if figure not in known:
        typer.echo("\n".join(sorted(known)))
        raise typer.Exit(0 if figure == "list" else 2)
    with tempfile.TemporaryDirectory(prefix="scanside-faults-") as temporary, _bar() as bar:
        task = bar.add_task(figure, total=None)

        def progress(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total)

        report = json_file or Path(temporary) / "counts.json"
        work = folder or Path(temporary) / "work"
        work.mkdir(parents=True, exist_ok=True)
        run = Run(folder=work, report=report, amount=amount, progress=progress)
        known[figure].run(run)
        counts = run.counted() | {
            "figure": figure,
            "machine": plain_machine(),
            "at_utc": SystemClock().now_utc().isoformat(timespec="seconds"),
        }
        run.note(counts)
    typer.echo(json.dumps(counts, indent=2, sort_keys=True))
    if counts.get("failures"):
        raise typer.Exit(1)


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True))


if __name__ == "__main__":
    typer.run(main)
