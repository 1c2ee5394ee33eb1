# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""How fast the screen is: opening, moving, contrast, slices, the list, memory, the start.

`python -m benchmarks.kiosk_screen [--json FILE]`

The parts run one after the other in processes of their own (`python -m ui.measure`): Qt lives there alone,
and the memory of one does not weigh on another.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from appliance.clock import NS_PER_MS, Clock, SystemClock
from benchmarks.guard import judge, read_budgets
from benchmarks.kiosk_store import EXAMS, write_store
from benchmarks.machine import plain_machine
from benchmarks.spread import Spread, spread_of

STARTS: Final = 7
PARTS: Final = ("picture", "list", "memory")
FAILED_AFTER_S: Final = 600.0
ROOT: Final = Path(__file__).resolve().parents[1]
Numbers = dict[str, list[float]]


def measure_screen(data: Path, clock: Clock) -> dict[str, Spread]:
    """Every number by its name. Raises CalledProcessError when a part could not be measured."""
    write_store(data, clock)
    found: Numbers = {}
    for part in PARTS:
        found |= _run(part, data)
    found["start_ms"] = [_start_ms(data, clock) for _ in range(STARTS)]
    return {name: spread_of(values) for name, values in found.items()}


def _start_ms(data: Path, clock: Clock) -> float:
    """From before the process is there until its list is painted: both clocks count from the boot."""
    start_ms = clock.monotonic_ns() / NS_PER_MS
    return _run("start", data)["painted_at_monotonic_ms"][0] - start_ms


def _run(part: str, data: Path) -> Numbers:
    done = subprocess.run(
        [sys.executable, "-m", "ui.measure", part, "--data", str(data)],
        cwd=ROOT,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        timeout=FAILED_AFTER_S,
    )
    numbers: Numbers = json.loads(done.stdout)
    return numbers


def report_of(numbers: dict[str, Spread], machine: dict[str, Any], load_after: float) -> dict[str, Any]:
    """As the other runs have it; `kiosk` holds the numbers."""
    return {
        "format": 1,
        "quick": False,
        "machine": machine,
        "load_after_1min": load_after,
        "engines": [],
        "kiosk": {"exams": EXAMS, **{name: asdict(spread) for name, spread in numbers.items()}},
    }


def main(
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write everything that was measured into this file.")
    ] = None,
) -> None:
    """Measure. Exit code 1: a promise of budgets.toml was not kept."""
    machine = plain_machine()
    with tempfile.TemporaryDirectory(prefix="scanside-bench-") as temporary:
        numbers = measure_screen(Path(temporary) / "data", SystemClock())
    report = report_of(numbers, machine, round(os.getloadavg()[0], 2))
    if json_file is not None:
        json_file.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    for name, spread in numbers.items():
        typer.echo(f"{name:24} median {spread.p50:8.2f}   p95 {spread.p95:8.2f}   max {spread.max:8.2f}")
    judged = [one for one in judge(report, read_budgets()) if one.value is not None]
    for one in judged:
        kept = "kept" if one.kept else "NOT KEPT"
        typer.echo(f"{one.budget.name}: {one.value:g} of {one.budget.limit:g} {one.budget.unit}: {kept}")
    if not all(one.kept for one in judged):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
