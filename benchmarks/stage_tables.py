# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""From the close of a file to the first pixels of its verdict, stage by stage with its percentiles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from benchmarks.table import Table, table

FIRST_VERDICT: Final = (
    *("noticed", "complete", "claimed", "landed", "waited", "decoded", "prepared", "inferred"),
    *("interpreted", "written", "painted"),
)
"""Stages of the quality lane as they pass; `complete` and `claimed` are parts of `landed`."""
LANE: Final = "quality"
PERCENTILES: Final = ("p50", "p95", "p99", "max")


def stage_tables(latencies: dict[str, Any]) -> Iterator[Table]:
    """One table for each kind of image; none for runs of before painting was measured."""
    for name, times in latencies.items():
        if times.get("painted") is None:
            continue
        rows = [
            (f"{stage} (in landed)" if stage in {"complete", "claimed"} else stage, *numbers_of(spread))
            for stage in FIRST_VERDICT
            if (spread := times["stages"].get(f"{LANE}.{stage}")) is not None
        ]
        rows.append(("**committed, from the close**", *numbers_of(times["quality"])))
        rows.append(("**painted, from the close**", *numbers_of(times["painted"])))
        yield table((f"{name}, first verdict, ms", *PERCENTILES), rows)


def numbers_of(spread: dict[str, float]) -> tuple[str, ...]:
    """Whole milliseconds, or a tenth below ten."""
    return tuple(f"{spread[key]:,.0f}" if spread[key] >= 10 else f"{spread[key]:.1f}" for key in PERCENTILES)
