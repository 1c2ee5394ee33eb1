# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A comparison for people and for programs: a page whole in one file, pictures, `waits.csv`, JSON lines."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import jinja2
from markupsafe import Markup

from appliance.durable import write_whole
from appliance.simulation import plots
from appliance.simulation.arrivals import S_PER_MIN
from appliance.simulation.comparison import Comparison, Estimate, GroupWaits, OrderWaits
from appliance.spreadsheet import inert
from appliance.svg import as_svg

TEMPLATE: Final = "report.html.j2"
COLUMNS: Final = (
    *("order", "ceiling_min", "group", "is_looked_for", "exams"),
    *("mean_min", "mean_low_min", "mean_high_min"),
    *("p95_min", "p95_low_min", "p95_high_min"),
    *("worst_min", "worst_low_min", "worst_high_min", "longest_min"),
)
_DIGITS: Final = 2
PICTURES: Final = {"waits": plots.waits_plot, "curves": plots.curves_plot, "choice": plots.choice_plot}


def write(comparison: Comparison, folder: Path) -> tuple[Path, ...]:
    """Write all files into `folder`, which is made. The same comparison gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    figures = {name: draw(comparison) for name, draw in PICTURES.items()}
    contents = {
        "index.html": page(
            comparison, {name: as_svg(figure, letters="none") for name, figure in figures.items()}
        ),
        "waits.csv": as_csv(comparison),
    }
    written = []
    for name, text in contents.items():
        write_whole(folder / name, text.encode("utf-8"))
        written.append(folder / name)
    for name, figure in figures.items():
        write_whole(folder / f"{name}.png", plots.as_png(figure))
        written.append(folder / f"{name}.png")
    return tuple(written)


def lines(comparison: Comparison) -> Iterator[dict[str, Any]]:
    """One object for each order and group."""
    for of_order in comparison.orders:
        for group in of_order.groups:
            yield _line(of_order, group)


def as_csv(comparison: Comparison) -> str:
    """The same as a table that no spreadsheet runs."""
    out = io.StringIO()
    table = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    table.writeheader()
    for line in lines(comparison):
        table.writerow(line | {name: inert(line[name]) for name in ("group", "order")})
    return out.getvalue()


def page(comparison: Comparison, pictures: dict[str, str]) -> str:
    """The page. Scripts are forbidden in it; names that came from a file are escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["estimate"] = words
    drawn = {name: Markup(svg) for name, svg in pictures.items()}  # noqa: S704 - matplotlib escapes its texts
    return environment.get_template(TEMPLATE).render(comparison=comparison, pictures=drawn)


def words(estimate: Estimate, digits: int = 1) -> str:
    """A number with its interval."""
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.{digits}f}"
    return f"{estimate.value:.{digits}f} ({estimate.low:.{digits}f} to {estimate.high:.{digits}f})"


def _line(of_order: OrderWaits, group: GroupWaits) -> dict[str, Any]:
    ceiling_s = of_order.order.ceiling_s
    line: dict[str, Any] = {
        "order": of_order.order.name,
        "ceiling_min": None if math.isinf(ceiling_s) else ceiling_s / S_PER_MIN,
        "group": group.group,
        "is_looked_for": group.is_looked_for,
        "exams": group.exams,
    }
    for name in ("mean", "p95", "worst"):
        estimate: Estimate = getattr(group, f"{name}_min")
        for part, value in (("", estimate.value), ("_low", estimate.low), ("_high", estimate.high)):
            line[f"{name}{part}_min"] = None if value is None else round(value, _DIGITS)
    return line | {"longest_min": round(group.longest_min, _DIGITS)}
