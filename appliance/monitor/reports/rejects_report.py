# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The page of rejects and exposures: rooms and views, never persons, and no patient."""

from __future__ import annotations

from typing import Final

from appliance.domain.reject import CODES, RejectReason
from appliance.monitor.reports.dose_creep import DoseTrend, dose_trends
from appliance.monitor.reports.exams import Exam
from appliance.monitor.reports.page import Cell, Column, Figure, Part, Table
from appliance.monitor.reports.plots import dose_plot, month_plot, reject_plot
from appliance.monitor.reports.reject_analysis import RejectLine, Rejects, analyse_rejects
from appliance.monitor.reports.share import in_words

MOST_DOSE_PLOTS: Final = 6
"""Of the rooms and body parts with the most images; the table has all."""
_RATE: Final = (
    Column(name="images", title="Images", form="number"),
    Column(name="repeats", title="Taken again", form="number"),
    Column(name="rate", title="Rate", form="share"),
    Column(name="rate_low", title="from", form="share"),
    Column(name="rate_high", title="to", form="share"),
    Column(name="standing", title="Against target"),
)
_ROOM: Final = Column(name="room", title="Room")
_BODY_PART: Final = Column(name="body_part", title="Body part")
_VIEW: Final = Column(name="view", title="View")
_MONTH: Final = Column(name="month", title="Month")


def rejects_parts(exams: tuple[Exam, ...]) -> tuple[Part, ...]:
    """Rates, reasons and exposure."""
    rejects = analyse_rejects(exams)
    return (_rates(rejects), _reasons(rejects), _exposure(dose_trends(exams)))


def _rates(rejects: Rejects) -> Part:
    total = rejects.total
    words = [f"Taken again: {in_words(total.rate)}. {total.standing}"]
    if rejects.patients_repeated:
        words.append(
            f"{rejects.patients_repeated} patients had one view taken again twice or more on one day, at "
            f"most {rejects.most_on_one_patient} times."
        )
    warnings = []
    if rejects.undecided:
        warnings.append(
            f"About {rejects.undecided} of {total.rate.n} images nobody decided at this screen. They count "
            "as kept, so the rate may read too low; images that were deleted at the console never came here."
        )
    figures = []
    if total.rate.n:
        figures.append(Figure(svg=reject_plot(rejects.by_room), words="Rate of images taken again, by room."))
        figures.append(
            Figure(
                svg=reject_plot(rejects.by_body_part_and_view),
                words="Rate of images taken again, by body part and view.",
            )
        )
    if len(rejects.by_month) > 1:
        figures.append(
            Figure(svg=month_plot(rejects.by_month), words="Rate of images taken again, by month.")
        )
    return Part(
        title="Images taken again",
        words=tuple(words),
        warnings=tuple(warnings),
        figures=tuple(figures),
        tables=(
            _table("by-room", "By room", (_ROOM,), rejects.by_room),
            _table("by-view", "By body part and view", (_BODY_PART, _VIEW), rejects.by_body_part_and_view),
            _table(
                "by-room-and-view",
                "By room, body part and view",
                (_ROOM, _BODY_PART, _VIEW),
                rejects.by_room_and_view,
            ),
            _table("by-month", "By month", (_MONTH,), rejects.by_month),
        ),
    )


def _table(name: str, title: str, keys: tuple[Column, ...], lines: tuple[RejectLine, ...]) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (
            *line.key,
            line.rate.n,
            line.rate.hits,
            line.rate.value,
            line.rate.low,
            line.rate.high,
            line.standing,
        )
        for line in lines
    ]
    return Table(name=name, title=title, columns=(*keys, *_RATE), rows=tuple(rows))


def _reasons(rejects: Rejects) -> Part:
    rows: list[tuple[Cell, ...]] = [
        (
            reason.value,
            share.hits,
            share.value,
            share.low,
            share.high,
            CODES[reason].value if reason in CODES else None,
        )
        for reason, share in rejects.by_reason
    ]
    columns = (
        Column(name="reason", title="Reason"),
        Column(name="repeats", title="Taken again", form="number"),
        Column(name="share", title="Share", form="share"),
        Column(name="share_low", title="from", form="share"),
        Column(name="share_high", title="to", form="share"),
        Column(name="dicom_code", title="DICOM CID 7011"),
    )
    not_given = next(
        (share.hits for reason, share in rejects.by_reason if reason is RejectReason.NOT_GIVEN), 0
    )
    return Part(
        title="Why",
        warnings=(f"{not_given} repeats have no reason.",) if not_given else (),
        tables=(Table(name="by-reason", title="By reason", columns=columns, rows=tuple(rows)),),
    )


def _exposure(trends: tuple[DoseTrend, ...]) -> Part:
    rows: list[tuple[Cell, ...]] = [
        (
            trend.room,
            trend.body_part,
            trend.quantity,
            trend.images,
            len(trend.days),
            trend.median,
            trend.share_high,
            None if trend.slope is None else trend.slope.per_month,
            None if trend.slope is None else trend.slope.low,
            None if trend.slope is None else trend.slope.high,
            trend.words,
        )
        for trend in trends
    ]
    columns = (
        _ROOM,
        _BODY_PART,
        Column(name="quantity", title="Index"),
        Column(name="images", title="Images", form="number"),
        Column(name="days", title="Days", form="number"),
        Column(name="median", title="Median", form="number"),
        Column(name="share_di_above_1", title="DI above +1", form="share"),
        Column(name="slope_per_30_days", title="Slope per 30 days", form="number"),
        Column(name="slope_low", title="from", form="number"),
        Column(name="slope_high", title="to", form="number"),
        Column(name="standing", title="Trend"),
    )
    plotted = [trend for trend in trends if trend.slope is not None][:MOST_DOSE_PLOTS]
    note = (
        "Slope: Theil and Sen, through the medians of days, in units of the deviation index (+1 is 26 % "
        "more, +3 twice as much). An index of a vendor's own scale that is written as EI reads as EI here."
    )
    return Part(
        title="Exposure",
        words=() if trends else ("No image of this period carries an exposure index.",),
        warnings=tuple(
            f"{trend.room}, {trend.body_part}: {trend.words}"
            for trend in trends
            if trend.slope is not None and trend.slope.low > 0
        ),
        figures=tuple(
            Figure(
                svg=dose_plot(trend),
                words=f"{trend.room}, {trend.body_part}: {trend.quantity}. {trend.words}",
            )
            for trend in plotted
        ),
        tables=(
            Table(
                name="exposure", title="By room and body part", columns=columns, rows=tuple(rows), note=note
            ),
        ),
    )
