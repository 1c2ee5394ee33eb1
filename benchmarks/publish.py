# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What becomes of a run: signed JSON, a page, a row for tables, and what the person at the command sees."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from appliance.device_key import device_key
from appliance.durable import write_whole
from appliance.layout import Layout
from appliance.models.keys import grouped
from benchmarks.guard import Judgement, judge, read_budgets
from benchmarks.page import as_page
from benchmarks.report import SERIES
from benchmarks.signed import sign, signer_of
from benchmarks.targets import as_row


def publish(report: dict[str, Any], *, into: Path, json_file: Path | None, layout: Layout) -> bool:
    """Write and show what was measured. False: a promise was not kept.

    With a data folder the device's key signs, and its screen shows the run too (device page). Raises
    ConfigError for a damaged key.
    """
    is_device = layout.database.exists()
    if is_device:
        report = sign(report, device_key(layout.keys))
    judgements = judge(report, read_budgets())
    text = (json.dumps(report, indent=1, allow_nan=False) + "\n").encode("utf-8")
    into.mkdir(parents=True, exist_ok=True)
    name = _name_of(report)
    files = {
        into / f"{name}.json": text,
        into / f"{name}.html": as_page(report, judgements).encode("utf-8"),
        into / f"{name}.md": (as_row(report) + "\n").encode("utf-8"),
    }
    if json_file is not None:
        files[json_file] = text
    if is_device:
        layout.bench.mkdir(parents=True, exist_ok=True)
        files[layout.bench / f"{name}.json"] = text
    for file, content in files.items():
        write_whole(file, content)
    shutil.rmtree(into / "parts", ignore_errors=True)
    _show(report, judgements)
    signer = signer_of(report, name=name)
    console = Console()
    if signer is None:
        console.print(f"Not signed: {layout.data} is no data folder of an appliance (--data).", markup=False)
    else:
        console.print(f"Signed with this device's key {grouped(signer[:16])} ...", markup=False)
    console.print("Written: " + ", ".join(str(file) for file in files), markup=False)
    return all(judgement.kept is not False for judgement in judgements)


def _name_of(report: dict[str, Any]) -> str:
    """By the time at which it began, as files may be called: 2026-12-01T093015."""
    began = str(report["began_at_utc"]).partition("+")[0].replace(":", "")
    return f"{'quick' if report['quick'] else 'run'}-{began}"


def _show(report: dict[str, Any], judgements: tuple[Judgement, ...]) -> None:
    console = Console()
    if report["ratio_to_naive"]:
        console.print(_ratios(report))
    judged = [judgement for judgement in judgements if judgement.value is not None]
    if judged:
        console.print(_promises(judged))
    left = len(judgements) - len(judged)
    if left:
        console.print(f"{left} more promises were not measured in this run.")
    load = f"{report['machine']['load_1min']} to {report['load_after_1min']}"
    console.print(f"Load of the machine: {load}, on {report['machine']['cores']} cores.")


def _ratios(report: dict[str, Any]) -> Table:
    table = Table(title="Appliance against the naive pipeline", title_justify="left")
    for column in ("what", "times sooner", "appliance p50 ms", "p95 ms", "naive p50 ms"):
        table.add_column(column)
    for name, ratio in report["ratio_to_naive"].items():
        times = report["latency_ms"][name]
        ours, theirs = (
            ("first_slice", "naive_first_slice") if name == SERIES else ("all_answers", "naive_done")
        )
        table.add_row(
            name,
            f"{ratio:.1f}",
            f"{times[ours]['p50']:.0f}",
            f"{times[ours]['p95']:.0f}",
            f"{times[theirs]['p50']:.0f}",
        )
    return table


def _promises(judged: list[Judgement]) -> Table:
    table = Table(title="Promises (budgets.toml)", title_justify="left")
    for column in ("budget", "measured", "limit", "kept"):
        table.add_column(column)
    for judgement in judged:
        budget = judgement.budget
        bound = "at least" if budget.at_least else "at most"
        unit = "" if budget.unit == "1" else f" {budget.unit}"
        table.add_row(
            budget.name,
            f"{judgement.value:.4g}",
            f"{bound} {budget.limit:g}{unit}",
            "yes" if judgement.kept else "NO",
        )
    return table
