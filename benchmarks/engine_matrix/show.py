# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The matrix of engines as tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from benchmarks.table import Table, table

BY_CORE: Final = ("f32_core_gflops", "int8_core_gops", "copy_core_gb_s")
NOT_TOLD: Final = "not told by this machine"


def engine_tables(matrix: dict[str, Any]) -> Iterator[Table]:
    """What the machine computes at most, what each network reaches of it, and what the appliance takes."""
    yield table(
        (
            "The machine's best, threads",
            "f32 GFLOP/s",
            "int8 GOP/s",
            "copy GB/s",
            "of one core, by processor time",
        ),
        [
            (
                f"{peak['threads']}",
                f"{peak['f32_gflops']:,.0f}",
                f"{peak['int8_gops']:,.0f}",
                f"{peak['copy_gb_s']:.1f}",
                " / ".join(f"{peak[key]:,.0f}" for key in BY_CORE),
            )
            for peak in matrix["peaks"]
        ],
    )
    yield table(
        (
            *("Network", "engine", "threads x streams", "p50 / p95 / p99 / max ms", "images/s", "CPU ms"),
            *("GFLOP/s by the clock", "of the peak, by processor time", "MiB", "joules an image"),
        ),
        [_row(row) for row in matrix["rows"]],
    )
    yield table(
        ("What the appliance takes", "engine", "times the best, clock", "times the best, processor time"),
        [
            (
                pick["task"],
                f"{pick['engine']} {pick['precision']}, {pick['threads']} threads",
                *(
                    "-" if pick[key] is None else f"{pick[key]:.2f}"
                    for key in ("times_the_best", "times_least_cpu")
                ),
            )
            for pick in matrix["picks"]
        ],
    )


def _row(row: dict[str, Any]) -> tuple[str, ...]:
    head = (row["task"], f"{row['engine']} {row['precision']}", f"{row['threads']} x {row['streams']}")
    if row["image_ms"] is None:
        return (*head, str(row["reason"]), *[""] * 6)
    times = " / ".join(f"{row['image_ms'][key]:.1f}" for key in ("p50", "p95", "p99", "max"))
    share, cpu_ms = row["share_of_peak"], row["cpu_ms"]
    return (
        *head,
        times,
        f"{row['images_per_s']:,.1f}",
        "" if cpu_ms is None else f"{cpu_ms:.1f}",
        f"{row['gflops']:,.0f}",
        "" if share is None else f"{100 * share:.0f} %",
        f"{row['resident_mib']:,.0f}",
        _joules(row),
    )


def _joules(row: dict[str, Any]) -> str:
    told = [
        f"{row[name]:.3f} ({words})"
        for name, words in (("joules_package", "package"), ("joules_gpu", "GPU"))
        if row[name] is not None
    ]
    return ", ".join(told) or NOT_TOLD
