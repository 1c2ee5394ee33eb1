# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The report of an export: `report.html` for people, `report.json` with the same numbers.

The page is complete in one file, works without scripts and forbids them.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import jinja2
from markupsafe import Markup

from calibration.statistics import Estimate
from export import report_plots
from export.gate_report import as_plain
from export.report_parts import Report

HTML: Final = "report.html"
JSON: Final = "report.json"
TEMPLATE: Final = "report.html.j2"
FORMAT: Final = 1
"""Of report.json."""
NOT_KNOWN: Final = "not known"
KIB: Final = 1024


def write(report: Report, out: Path) -> tuple[Path, Path]:
    """Write both into the folder `out`, and return (HTML, JSON). The same report gives the same bytes."""
    out.mkdir(parents=True, exist_ok=True)
    html, plain = out / HTML, out / JSON
    html.write_text(page(report), encoding="utf-8")
    body = {"format": FORMAT, "failures": list(report.failures)} | as_plain(report)
    plain.write_text(json.dumps(body, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
    return html, plain


def page(report: Report) -> str:
    """The HTML page. Everything that came from a card or a manifest is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": number,
        "percent": percent,
        "estimate": estimate,
        "share": share,
        "kib": kib,
        "picture": picture,
    }
    plots: dict[str, Callable[..., bytes]] = {
        name: getattr(report_plots, name) for name in dir(report_plots) if name.endswith("_plot")
    }
    return environment.get_template(TEMPLATE).render(report=report, **plots)


def number(value: float | None, digits: int = 3) -> str:
    """A number with that many decimals; "not known" where there is none."""
    return NOT_KNOWN if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def percent(value: float | None, digits: int = 1) -> str:
    """A share as per cent."""
    return NOT_KNOWN if value is None or not math.isfinite(value) else f"{100 * value:.{digits}f} %"


def estimate(found: Estimate | None, digits: int = 3) -> str:
    """A value with its interval."""
    if found is None or not math.isfinite(found.value):
        return NOT_KNOWN
    if not math.isfinite(found.low):
        return f"{found.value:.{digits}f} (interval not known)"
    return f"{found.value:.{digits}f} ({found.low:.{digits}f} to {found.high:.{digits}f})"


def share(found: Estimate | None) -> str:
    """A share with its interval, in per cent, and of how many."""
    if found is None or not math.isfinite(found.value):
        return NOT_KNOWN
    return f"{100 * found.value:.1f} % ({100 * found.low:.1f} to {100 * found.high:.1f}) of {found.n}"


def kib(size_bytes: int) -> str:
    """A file's size."""
    return f"{size_bytes / KIB:,.0f} KiB"


def picture(png: bytes, words: str, **attributes: Any) -> Markup:
    """An inline image; `words` say what it shows to who cannot see it."""
    more = "".join(f' {name}="{Markup.escape(str(value))}"' for name, value in sorted(attributes.items()))
    code = base64.b64encode(png).decode("ascii")
    return Markup('<img src="data:image/png;base64,{}" alt="{}"{}>').format(code, words, Markup(more))  # noqa: S704 - the format escapes its arguments; `more` was escaped above
