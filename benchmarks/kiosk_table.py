# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The screen's own benchmark as a table."""

from __future__ import annotations

from typing import Any, Final

from benchmarks.table import Table, table

KIOSK_WORDS: Final = {
    "open_cold_ms": "3000 x 2500 picture on the screen after the tap, files not in memory, ms",
    "open_kept_ms": "the same, files in memory, ms",
    "pan_fit_ms": "pan, whole picture, ms a step",
    "pan_large_ms": "pan, enlarged, ms a step",
    "zoom_ms": "zoom, ms a step",
    "contrast_ms": "contrast, ms a step",
    "slice_first_pass_ms": "next CT slice, first time, ms",
    "slice_ms": "next CT slice, seen before, ms",
    "rows_5000_ms": "list of 5,000 rows, ms",
    "read_store_ms": "reading 60 exams from the store, ms",
    "make_state_ms": "making the screen's state of them, ms",
    "resident_mib": "resident memory over 1,000 exams, MiB",
    "growth_mib": "its growth from the second to the last tenth, MiB",
    "start_ms": "process start to the list on the screen, ms",
}
"""What the numbers of `benchmarks/kiosk_screen.py` mean."""


def kiosk_table(kiosk: dict[str, Any]) -> Table:
    """Median, 95th percentile and maximum of each."""
    rows = [
        (words, *(f"{kiosk[name][key]:,.1f}" for key in ("p50", "p95", "max")))
        for name, words in KIOSK_WORDS.items()
        if name in kiosk
    ]
    return table(("The screen", "median", "p95", "max"), rows)
