# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Result lines as JSON or as a table that fits a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from appliance.commands.say import say_json, table
from appliance.domain.quality import Verdict

COLUMNS: Final = ("acquisition", "status", "quality", "triage", "denoise", "seconds")
_WORST_FIRST: Final = (Verdict.REPEAT.value, Verdict.CHECK.value, Verdict.OK.value)


def say_lines(lines: Iterable[dict[str, Any]], *, as_json: bool) -> int:
    """Print the lines; returns how many there were."""
    count = 0
    rows: list[tuple[str, ...]] = []
    for line in lines:
        count += 1
        if as_json:
            say_json(line)
        else:
            rows.append(table_row(line))
    if not as_json:
        table(f"{count} acquisitions and files", COLUMNS, rows)
    return count


def table_row(line: dict[str, Any]) -> tuple[str, ...]:
    """One line, in COLUMNS."""
    files = line["files"]
    name = Path(files[0]).name if files else "?"
    more = f" +{len(files) - 1}" if len(files) > 1 else ""
    what = " ".join(filter(None, (line["modality"], name + more)))
    status = line["status"] if line["reason"] is None else f"{line['status']}: {line['reason']}"
    return (what, status, quality_words(line), triage_words(line), denoise_words(line), _seconds(line))


def quality_words(line: dict[str, Any]) -> str:
    """The worst verdict, with the advice of each check that reached it."""
    checks = line["quality"]
    if not checks:
        return "NOT CHECKED" if line["kind"] else ""
    for verdict in _WORST_FIRST:
        reached = [check for check in checks if check["verdict"] == verdict]
        if reached and verdict != Verdict.OK.value:
            return f"{verdict}: " + " ".join(check["advice"] for check in reached)
        if reached:
            unchecked = sum(check["verdict"] == Verdict.NOT_CHECKED.value for check in checks)
            return f"OK ({len(reached)} checks, {unchecked} not checked)"
    return "NOT CHECKED"


def triage_words(line: dict[str, Any]) -> str:
    """What is suspected, as questions; or why nothing was said."""
    findings = line["findings"]
    flagged = [f for f in findings if f["decision"] != "ABSENT"]
    if flagged:
        return ", ".join(f"{f['code']['meaning']}? {f['probability']:.2f} {f['decision']}" for f in flagged)
    if findings:
        return "no finding flagged (does not mean normal)"
    return "; ".join(f"{r['task']}: {r['reason']}" for r in line["refusals"] if "denoise" not in r["task"])


def denoise_words(line: dict[str, Any]) -> str:
    """How many images were made, or why none."""
    if line["derived"]:
        return f"{len(line['derived'])} images"
    return "; ".join(r["reason"] for r in line["refusals"] if "denoise" in r["task"])


def _seconds(line: dict[str, Any]) -> str:
    timings = line["timings_ms"]
    committed = {name.split(".")[1]: ms for name, ms in timings.items() if name.startswith("committed.")}
    return ", ".join(f"{lane} {ms / 1000:.2f}" for lane, ms in committed.items())
