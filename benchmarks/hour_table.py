# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The replayed hour as a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from benchmarks.table import Table, table

KINDS: Final = {"projection": "radiographs", "volume": "CT series"}


def hour_table(report: dict[str, Any]) -> Table:
    """One row for each pace and kind of image."""
    hours = report["hours"]
    minutes = hours[0]["seconds"] / 60
    return table(
        (
            f"The busiest hour's pace, {minutes:g} minutes of it",
            "came",
            "late",
            "first verdict p50 / p95 / max s (deadline)",
            "all answers p50 / max s",
            "lanes waiting: most, at the end",
            "last answer after the end, s",
            "processor, % of a core",
            "package joules",
        ),
        [row for hour in hours for row in _rows(hour)],
    )


def _rows(hour: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    left = ", ".join(f"{lane} {count}" for lane, count in hour["waiting_at_end"].items()) or "none"
    drained = "longer than was waited for" if hour["drained_s"] is None else f"{hour['drained_s']:.0f}"
    joules = (
        "not told by this machine" if hour["joules_package"] is None else f"{hour['joules_package']:,.0f}"
    )
    common = (f"{hour['most_waiting']}, {left}", drained, f"{hour['cpu_percent']:.0f}", joules)
    for number, kind in enumerate(hour["kinds"]):
        yield (
            f"x {hour['factor']:g}, {KINDS[kind['kind']]}",
            str(kind["arrived"]),
            f"**{kind['late']}**" if kind["late"] else "0",
            f"{_seconds(kind['quality_ms'], 'p50', 'p95', 'max')} ({kind['deadline_s']:g})",
            _seconds(kind["all_answers_ms"], "p50", "max"),
            *(common if number == 0 else [""] * len(common)),
        )


def _seconds(spread: dict[str, float] | None, *keys: str) -> str:
    return "none" if spread is None else " / ".join(f"{spread[key] / 1000:.2f}" for key in keys)
