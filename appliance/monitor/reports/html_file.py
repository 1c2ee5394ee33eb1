# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A report as one HTML page that needs nothing else: no script, no link, every word of a header escaped."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Final

from appliance.monitor.reports.page import Cell, Report

TEMPLATE: Final = "report.html.j2"
S_PER_MIN: Final = 60
S_PER_H: Final = 3600


def html_of(report: Report) -> bytes:
    """The page."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415  (only for a page)

    pages = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    pages.filters["shown"] = shown
    pages.filters["data_uri"] = _data_uri
    return pages.get_template(TEMPLATE).render(report=report).encode("utf-8")


def shown(cell: Cell, form: str) -> str:
    """A cell for people; a dash for what is not known."""
    if cell is None:
        return "\N{EN DASH}"
    if isinstance(cell, str):
        return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in cell)
    if form == "share":
        return f"{100 * cell:.1f} %"
    if form == "time":
        return _time(cell)
    return f"{cell:.3g}" if isinstance(cell, float) else str(cell)


def _time(seconds: float) -> str:
    if seconds < S_PER_MIN:
        return f"{seconds:.0f} s"
    if seconds < S_PER_H:
        return f"{seconds / S_PER_MIN:.1f} min"
    return f"{seconds / S_PER_H:.1f} h"


def _data_uri(svg: bytes) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg).decode("ascii")
