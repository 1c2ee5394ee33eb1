# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The plots of the reports, as SVG. Lines and bars differ in more than their colour.

Names of rooms come from headers: none is taken for a formula of the plotting library's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from appliance.monitor.reports.alert_budget import Shift
from appliance.monitor.reports.disagreements import Week
from appliance.monitor.reports.dose_creep import MONTH_DAYS, DoseTrend
from appliance.monitor.reports.performance import Performance
from appliance.monitor.reports.reject_analysis import ACT, TARGET, RejectLine
from appliance.monitor.reports.share import Share
from appliance.svg import as_svg

BLUE: Final = "#0072B2"
ORANGE: Final = "#D55E00"
GREEN: Final = "#009E73"
"""Okabe and Ito's colours, which people with any colour vision tell apart."""
GREY: Final = "#777777"
MOST_BARS: Final = 12
"""The others stand in the table."""
LONGEST_LABEL: Final = 28
LAST_LETTER: Final = 0x0530
"""Latin, Greek and Cyrillic come before it: the font that is always there has them."""


def reject_plot(lines: Sequence[RejectLine]) -> bytes:
    """Rates with their intervals, against target and action level."""
    shown = [line for line in lines if line.rate.value is not None][:MOST_BARS]
    with _drawing():
        figure, axes = _axes(height_in=1.2 + 0.34 * max(1, len(shown)))
        places = list(range(len(shown)))[::-1]
        for place, line in zip(places, shown, strict=True):
            _interval(axes, line.rate, place, across=True)
        axes.axvline(
            100 * TARGET, color=GREEN, linestyle="--", linewidth=1.2, label=f"target {100 * TARGET:.0f} %"
        )
        axes.axvline(100 * ACT, color=ORANGE, linestyle="-", linewidth=1.2, label=f"act {100 * ACT:.0f} %")
        axes.set_yticks(places, [_label(" · ".join(line.key)) for line in shown])
        axes.set_xlabel("images taken again, %")
        axes.set_xlim(left=0)
        axes.set_ylim(-0.6, len(shown) - 0.4)
        _legend(axes)
        return _svg(figure)


def month_plot(lines: Sequence[RejectLine]) -> bytes:
    """The rate by month."""
    with _drawing():
        figure, axes = _axes()
        for place, line in enumerate(lines):
            _interval(axes, line.rate, place, across=False)
        axes.axhline(
            100 * TARGET, color=GREEN, linestyle="--", linewidth=1.2, label=f"target {100 * TARGET:.0f} %"
        )
        axes.axhline(100 * ACT, color=ORANGE, linewidth=1.2, label=f"act {100 * ACT:.0f} %")
        axes.set_xticks(range(len(lines)), [line.key[0] for line in lines], rotation=45)
        axes.set_ylabel("images taken again, %")
        axes.set_ylim(bottom=0)
        _legend(axes)
        return _svg(figure)


def dose_plot(trend: DoseTrend) -> bytes:
    """Daily medians, and the line through them where there is one."""
    with _drawing():
        figure, axes = _axes()
        axes.plot(
            trend.days,
            trend.medians,
            linestyle="none",
            marker="o",
            markersize=3,
            color=BLUE,
            label="median of a day",
        )
        if trend.slope is not None:
            middle_day = sorted(trend.days)[len(trend.days) // 2]
            middle = sorted(trend.medians)[len(trend.medians) // 2]
            for name, per_month, line in (
                ("trend", trend.slope.per_month, "-"),
                ("95 %", trend.slope.low, ":"),
                (None, trend.slope.high, ":"),
            ):
                ends = (trend.days[0], trend.days[-1])
                heights = [middle + per_month / MONTH_DAYS * (day - middle_day) for day in ends]
                axes.plot(ends, heights, color=ORANGE, linestyle=line, linewidth=1.4, label=name)
        axes.set_title(_label(f"{trend.room} · {trend.body_part}", longest=60), fontsize="medium")
        axes.set_xlabel("days since the first one")
        axes.set_ylabel("DI" if trend.quantity == "DI" else "10 lg EI")
        _legend(axes)
        return _svg(figure)


def performance_plot(title: str, months: Sequence[Performance]) -> bytes:
    """Sensitivity and PPV by month."""
    with _drawing():
        figure, axes = _axes()
        for place, line in enumerate(months):
            _interval(axes, line.sensitivity, place - 0.12, across=False, colour=BLUE, marker="o")
            _interval(axes, line.ppv, place + 0.12, across=False, colour=ORANGE, marker="s")
        axes.plot([], [], color=BLUE, marker="o", label="sensitivity")
        axes.plot([], [], color=ORANGE, marker="s", label="PPV")
        axes.set_title(_label(title, longest=60), fontsize="medium")
        axes.set_xticks(range(len(months)), [line.value for line in months], rotation=45)
        axes.set_ylim(0, 103)
        axes.set_ylabel("%")
        _legend(axes)
        return _svg(figure)


def shift_plot(shifts: Sequence[Shift]) -> bytes:
    """Flags of each shift, against the budget. `shifts`: oldest first."""
    with _drawing():
        figure, axes = _axes(width_in=8.0)
        places = list(range(len(shifts)))
        within = [0 if shift.is_over else shift.flags for shift in shifts]
        over = [shift.flags if shift.is_over else 0 for shift in shifts]
        axes.bar(places, within, color=BLUE, label="within")
        axes.bar(places, over, color=ORANGE, hatch="//", label="over")
        axes.axhline(shifts[0].budget, color="black", linestyle="--", linewidth=1.2, label="budget")
        step = max(1, len(shifts) // 14)
        axes.set_xticks(
            places[::step], [f"{shift.day:%m-%d} {shift.begins}" for shift in shifts[::step]], rotation=60
        )
        axes.set_ylabel("flags")
        _legend(axes)
        return _svg(figure)


def week_plot(weeks: Sequence[Week]) -> bytes:
    """The share of findings with a known outcome about which somebody was wrong."""
    with _drawing():
        figure, axes = _axes()
        for place, week in enumerate(weeks):
            _interval(axes, week.rate, place, across=False)
        axes.set_xticks(range(len(weeks)), [week.name for week in weeks], rotation=60)
        axes.set_ylabel("discrepancies, %")
        axes.set_ylim(0, 103)
        return _svg(figure)


def _drawing() -> Any:
    import matplotlib as mpl  # noqa: PLC0415  (half a second: only for a page with plots)

    return mpl.rc_context({"text.parse_math": False})


def _axes(width_in: float = 6.4, height_in: float = 3.4) -> tuple[Any, Any]:
    from matplotlib.backends.backend_svg import FigureCanvasSVG  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    FigureCanvasSVG(figure)
    axes = figure.add_subplot()
    axes.grid(visible=True, color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    return figure, axes


def _interval(
    axes: Any, rate: Share, place: float, *, across: bool, colour: str = BLUE, marker: str = "o"
) -> None:
    if rate.value is None or rate.low is None or rate.high is None:
        return
    value, low, high = (100 * number for number in (rate.value, rate.low, rate.high))
    reach = [[max(0.0, value - low)], [max(0.0, high - value)]]
    drawn = {"color": colour, "marker": marker, "capsize": 3, "markersize": 5}
    if across:
        axes.errorbar([value], [place], xerr=reach, **drawn)
    else:
        axes.errorbar([place], [value], yerr=reach, **drawn)


def _legend(axes: Any) -> None:
    """Below the plot: it hides no value there."""
    axes.figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize="small")


def _label(text: str, *, longest: int = LONGEST_LABEL) -> str:
    """Only letters that the font has, and not too many of them."""
    kept = "".join(letter if letter.isprintable() and ord(letter) < LAST_LETTER else "?" for letter in text)
    return kept if len(kept) <= longest else kept[: longest - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _svg(figure: Any) -> bytes:
    return as_svg(figure, letters="path").encode()
