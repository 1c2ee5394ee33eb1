# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""All pieces of a run, and their tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.pieces.contrast import measure_contrast
from benchmarks.pieces.decoding import measure_decoding
from benchmarks.pieces.preprocessing import measure_preprocessing
from benchmarks.pieces.series_reading import measure_series_reading
from benchmarks.pieces.turns import Piece
from benchmarks.plan import Workshop
from benchmarks.table import Table, table


@dataclass(frozen=True, slots=True, kw_only=True)
class PiecesReport:
    """Each by turns with what it is compared with."""

    pieces: tuple[Piece, ...]


def measure_pieces(workshop: Workshop) -> PiecesReport:
    """Letterboxing, decoding, reading a series, contrast."""
    found: list[Piece] = []
    for name, measure in (
        ("preparing", measure_preprocessing),
        ("decoding", measure_decoding),
        ("series", measure_series_reading),
        ("contrast", measure_contrast),
    ):
        workshop.say(f"pieces: {name}")
        (place := workshop.folder / name).mkdir()
        found += measure(replace(workshop, folder=place))
    return PiecesReport(pieces=tuple(found))


def piece_table(report: dict[str, Any]) -> Table:
    """Ratio and goal of each."""
    return table(
        ("Piece", "what", "ratio", "by the clock", "goal", "kept", "p50 ms, both sides", ""),
        [
            (
                piece["name"],
                piece["words"],
                f"**{piece['ratio']:.2f}**",
                f"{piece['ratio_by_clock']:.2f}",
                f"at {'least' if piece['at_least'] else 'most'} {piece['goal']:g}",
                "yes" if piece["kept"] else "NO",
                f"{piece['ours_ms']['p50']:.2f}, {piece['against_ms']['p50']:.2f}",
                piece["note"],
            )
            for piece in report["pieces"]
        ],
    )


def watch_table(report: dict[str, Any]) -> Table:
    """What the folder door saw."""
    return table((f"{report['files']:,} files into {report['folders']:,} folders", ""), _watched(report))


def _watched(report: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "watched by events", "yes" if report["by_events"] else "no: the system's limits are too low"
    yield "until the tree is watched, s", f"{report['ready_s']:.1f}"
    for words, name in (("one at a time", "isolated_ms"), ("all at once", "burst_ms")):
        spread = report[name]
        times = (
            "no events"
            if spread is None
            else " / ".join(f"{spread[key]:.2f}" for key in ("p50", "p99", "max"))
        )
        yield f"rename to notice, {words}: p50 / p99 / max ms", times
    yield (
        "without an event / not found by a listing either",
        f"{report['events_missed']} / {report['missed']}",
    )
    if report["overflow_files"] == 0:
        yield "one listing of the tree, s", f"{report['listing_s']:.2f}"
        return
    words = f"{report['overflow_files']:,} / {report['overflow_told']:,} / {report['overflow_missed']}"
    yield "written beyond the kernel's queue / told / not found by a listing either", words
    yield "one listing of the tree, s", f"{report['listing_s']:.2f}"


def start_table(report: dict[str, Any]) -> Table:
    """From the command to answers."""
    again, answers = report["again_s"], report["again_all_s"]
    return table(
        ("From the command, a radiograph in the inbox", "first verdict, s", "all answers, s"),
        [
            (
                "an empty data folder: every network proves itself",
                f"{report['first_s']:.1f}",
                f"{report['first_all_s']:.1f}",
            ),
            (
                f"later starts, p50 / max of {again['n']}",
                f"{again['p50']:.1f} / {again['max']:.1f}",
                f"{answers['p50']:.1f} / {answers['max']:.1f}",
            ),
        ],
    )
