# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The drift page: one HTML file with everything in it, plots too, that needs no network to be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import jinja2
from matplotlib.figure import Figure

from appliance.domain.drift import DriftExam, DriftReport, FeatureDrift
from appliance.store.drift import DriftStore
from appliance.svg import as_svg

PLOTTED: Final = 4
"""Features of a scanner, the furthest first."""
REPORTS_PLOTTED: Final = 60
_WIDTH_IN: Final = 7.0
_HEIGHT_IN: Final = 2.2
_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Drift</title><style>
body { font: 16px/1.5 sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; }
table { border-collapse: collapse; }
td, th { border: 1px solid #888; padding: .2em .6em; text-align: left; }
</style></head><body><h1>Each scanner against its baseline</h1>
{% if not scanners %}<p>No scanner has been compared yet.</p>{% endif %}
{% for report, plots in scanners %}
<h2>{{ report.scanner }}: {{ words[report.state.value] }}</h2>
<p>{{ report.made_at_utc }}. {% if report.needed_exams %}
{{ report.needed_exams }} more exams are needed.{% else %}
{{ report.recent_exams }} newest exams against {{ report.baseline_exams }} of the baseline.{% endif %}</p>
{% if report.advice %}<ul>
{% for sentence in report.advice %}<li>{{ sentence }}</li>{% endfor %}</ul>{% endif %}
{% for plot in plots %}{{ plot|safe }}{% endfor %}
{% if report.features %}<table>
<tr><th>feature</th><th>measure</th><th>distance</th><th>bound</th><th></th></tr>
{% for one in report.features %}<tr><td>{{ one.feature }}</td><td>{{ one.measure }}</td>
<td>{{ "%.3f"|format(one.distance) }}</td><td>{{ "%.3f"|format(one.bound) }}</td>
<td>{{ "beyond" if one.is_beyond else "within" }}</td></tr>
{% endfor %}</table>{% endif %}
{% endfor %}</body></html>
"""
_WORDS: Final = {
    "GATHERING": "not enough exams yet",
    "NONE_SEEN": "nothing beyond its bound",
    "DRIFT": "drift",
}


def drift_page(store: DriftStore, reports: Sequence[DriftReport]) -> str:
    """The whole page. Raises StoreError."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    scanners = [(report, _plots(store, report)) for report in reports]
    return environment.from_string(_PAGE).render(scanners=scanners, words=_WORDS)


def _plots(store: DriftStore, report: DriftReport) -> list[str]:
    baseline = store.baseline(report.scanner)
    if baseline is None or not report.features:
        return []
    usual = store.baseline_exams(report.scanner, baseline)
    recent = store.newest_exams(report.scanner, after=baseline.last_exam_id, limit=report.recent_exams)
    numbers = [one for one in report.features if one.baseline_mean is not None]
    furthest = {one.feature: one for one in reversed(numbers)}
    names = list(dict.fromkeys(one.feature for one in numbers))[:PLOTTED]
    plots = [_element(_distributions(furthest[name], usual, recent)) for name in names]
    return [*plots, _element(_course(store, report.scanner))]


def _distributions(one: FeatureDrift, usual: Sequence[DriftExam], recent: Sequence[DriftExam]) -> Figure:
    """Shares below each value: the largest gap of the two lines is the KS distance."""
    figure = Figure(figsize=(_WIDTH_IN, _HEIGHT_IN), layout="constrained")
    axes = figure.add_subplot()
    for exams, label, style in ((usual, "baseline", "--"), (recent, "newest", "-")):
        values = sorted(exam.numbers[one.feature] for exam in exams if one.feature in exam.numbers)
        if values:
            axes.ecdf(values, label=f"{label} ({len(values)})", linestyle=style, color="black")
    axes.set_xlabel(one.feature)
    axes.set_ylabel("share of exams")
    axes.legend(loc="lower right")
    return figure


def _course(store: DriftStore, scanner: str) -> Figure:
    """How far the furthest feature was, comparison by comparison."""
    past = [one for one in reversed(store.reports(scanner, limit=REPORTS_PLOTTED)) if one.features]
    figure = Figure(figsize=(_WIDTH_IN, _HEIGHT_IN), layout="constrained")
    axes = figure.add_subplot()
    worst = [report.features[0].distance / report.features[0].bound for report in past]
    axes.plot(range(1, len(worst) + 1), worst, marker="o", color="black")
    axes.axhline(1.0, linestyle="--", color="black")
    axes.set_xlabel("comparison")
    axes.set_ylabel("of the bound")
    axes.set_ylim(bottom=0)
    return figure


def _element(figure: Figure) -> str:
    """The plot as a part of the page; its labels are text that a screen reader can find."""
    return as_svg(figure, letters="none")  # matplotlib wrote it, and escapes its texts
