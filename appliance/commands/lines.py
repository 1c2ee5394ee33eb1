# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Result lines as JSON or as a table that fits a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from appliance.commands.say import say_json, table
from appliance.domain.quality import Verdict

COLUMNS: Final = ("acquisition", "quality control", "triage", "denoise", "seconds")


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
    """One line, in COLUMNS. What gave no answer says so, with the reason, in the place of the answer."""
    files = line["files"]
    name = "/".join(Path(files[0]).parts[-2:]) if files else "?"
    more = f" +{len(files) - 1}" if len(files) > 1 else ""
    what = " ".join(filter(None, (line["modality"], name + more)))
    if line["completeness"] not in (None, "COMPLETE"):
        what += f"\n{line['completeness']}: {line['evidence']}"
    if line["status"] not in ("done", "refused"):
        return (what, f"{line['status']}: {line['reason']}", "", "", "")
    return (what, quality_words(line), triage_words(line), denoise_words(line), _seconds(line))


def quality_words(line: dict[str, Any]) -> str:
    """The worst verdict first, each check that did not pass with what was measured and what to do."""
    checks = line["quality"]
    passed = sum(check["verdict"] == Verdict.OK.value for check in checks)
    unchecked = sum(check["verdict"] == Verdict.NOT_CHECKED.value for check in checks)
    words = [
        f"{verdict} {check['criterion']}{_measured(check)}: {check['advice']}"
        for verdict in (Verdict.REPEAT.value, Verdict.CHECK.value)
        for check in checks
        if check["verdict"] == verdict
    ]
    if not passed and not words:
        return "NOT CHECKED"
    return "\n".join((*words, f"{passed} OK, {unchecked} not checked"))


def _measured(check: dict[str, Any]) -> str:
    if check["value"] is None:
        return ""
    unit = "" if check["unit"] in (None, "1") else f" {check['unit']}"
    return f" {check['value']:.3g}{unit}"


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
    """From the first sight of the last file to each commit, then where the time went."""
    timings = line["timings_ms"]
    prefix = "committed."
    committed = [
        f"{name[len(prefix) :]} {ms / 1000:.2f}" for name, ms in timings.items() if name.startswith(prefix)
    ]
    stages = [f"{name} {ms / 1000:.2f}" for name, ms in timings.items() if not name.startswith(prefix)]
    return "\n".join((", ".join(committed), "(" + ", ".join(stages) + ")")) if timings else ""
