# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What a report says, before it is HTML, CSV or JSON: the three hold the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

Cell = str | int | float | None

SCHEMA: Final = 1
"""Of the JSON form; rises when a field changes its meaning or goes away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table."""

    name: str
    """For CSV and JSON: snake_case, with its unit."""
    title: str
    """For people."""
    form: str = "text"
    """How a number is shown: text, number, share (0 to 1, as percent), time (seconds), date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under columns."""

    name: str
    """Of its CSV file."""
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A plot, and what it shows, in words, for who cannot see it."""

    svg: bytes
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One section."""

    title: str
    words: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The whole."""

    name: str
    """rejects, performance, callbacks, shift."""
    title: str
    site: str
    period: str
    made_at_utc: str
    version: str
    holds_patients: bool
    """Names and IDs are in it, because its purpose needs them."""
    parts: tuple[Part, ...]


def to_plain_report(report: Report) -> dict[str, Any]:
    """The JSON form."""
    return {
        "schema": SCHEMA,
        "report": report.name,
        "title": report.title,
        "site": report.site,
        "period": report.period,
        "made_at_utc": report.made_at_utc,
        "version": report.version,
        "holds_patients": report.holds_patients,
        "parts": [
            {
                "title": part.title,
                "words": list(part.words),
                "warnings": list(part.warnings),
                "tables": {
                    table.name: [
                        dict(zip((column.name for column in table.columns), row, strict=True))
                        for row in table.rows
                    ]
                    for table in part.tables
                },
            }
            for part in report.parts
        ],
    }
