# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A run as one page, whole in one file: tables, pictures, promises. No script, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import jinja2
from markupsafe import Markup, escape

from appliance.svg import as_svg
from benchmarks.guard import Judgement
from benchmarks.plots import plots_of
from benchmarks.tables import tables_of

TEMPLATE: Final = "run.html.j2"


def as_page(report: dict[str, Any], judgements: Sequence[Judgement]) -> str:
    """The page. The same report gives the same bytes."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["bold"] = bold
    pictures = [
        (title, Markup(as_svg(figure, letters="none")))  # noqa: S704 - matplotlib escapes its texts
        for title, figure in plots_of(report)
    ]
    return environment.get_template(TEMPLATE).render(
        report=report,
        tables=tables_of(report),
        pictures=pictures,
        judged=[judgement for judgement in judgements if judgement.value is not None],
    )


def bold(cell: str) -> Markup:
    """What stands between `**` in a table's cell."""
    parts = [escape(part) for part in cell.split("**")]
    return Markup("").join(
        Markup("<b>{}</b>").format(part) if index % 2 else part for index, part in enumerate(parts)
    )
