# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The page of shifts: flags against the budget, and how soon they were acknowledged. No patient."""

from __future__ import annotations

from typing import Final

from appliance.monitor.reports.alert_budget import Budget
from appliance.monitor.reports.page import Cell, Column, Figure, Part, Table
from appliance.monitor.reports.people import AcknowledgedAfter
from appliance.monitor.reports.plots import shift_plot
from appliance.monitor.reports.share import in_words

_DEED_WORDS: Final = {
    "acknowledged": "any of these, the first",
    "seen": "opened",
    "told": "physician told",
    "escalated": "handed on",
}


def shift_parts(budget: Budget, acknowledged: tuple[AcknowledgedAfter, ...]) -> tuple[Part, ...]:
    """Flags, and what became of them."""
    return (_flags(budget), _options(budget), _acknowledged(acknowledged))


def _flags(budget: Budget) -> Part:
    rows: list[tuple[Cell, ...]] = [
        (
            f"{shift.day.isoformat()} {shift.begins}",
            shift.studies,
            shift.flags,
            shift.budget,
            "OVER" if shift.is_over else "within",
            shift.confirmed,
            shift.refuted,
            shift.flags - shift.confirmed - shift.refuted,
            shift.agreed,
            shift.disagreed,
        )
        for shift in budget.shifts
    ]
    columns = (
        Column(name="shift", title="Shift from"),
        Column(name="studies", title="Studies", form="number"),
        Column(name="flags", title="Flags", form="number"),
        Column(name="budget", title="Budget", form="number"),
        Column(name="standing", title=""),
        Column(name="confirmed", title="confirmed later", form="number"),
        Column(name="refuted", title="not there", form="number"),
        Column(name="unknown", title="not known", form="number"),
        Column(name="agreed", title="people agreed", form="number"),
        Column(name="disagreed", title="disagreed", form="number"),
    )
    over = any(shift.is_over for shift in budget.shifts)
    figures: tuple[Figure, ...] = ()
    if budget.shifts:
        oldest_first = tuple(reversed(budget.shifts))
        figures = (Figure(svg=shift_plot(oldest_first), words="Flags of each shift against the budget."),)
    return Part(
        title="Flags per shift",
        words=(
            *(() if over else (budget.advice,)),
            f"Confirmed of the flags whose outcome is known: {in_words(budget.ppv)}.",
        ),
        warnings=(budget.advice,) if over else (),
        figures=figures,
        tables=(Table(name="shifts", title="Newest first", columns=columns, rows=tuple(rows)),),
    )


def _options(budget: Budget) -> Part:
    rows: list[tuple[Cell, ...]] = [
        (
            option.model,
            option.code.meaning,
            option.code.value,
            option.point,
            "in force" if option.point == option.in_force else "",
            option.flags_per_shift,
            option.positives_lost,
            option.positives_known,
        )
        for option in budget.options
    ]
    columns = (
        Column(name="model", title="Model"),
        Column(name="finding", title="Finding"),
        Column(name="code", title="Code"),
        Column(name="point", title="Flagged from", form="number"),
        Column(name="standing", title=""),
        Column(name="flags_per_shift", title="Flags per shift", form="number"),
        Column(name="positives_lost", title="Known positives lost", form="number"),
        Column(name="positives_known", title="of", form="number"),
    )
    return Part(
        title="What moving one operating point would do",
        words=(
            (
                "Tried on the answers of this period, one finding at a time, within its signed range. "
                "Positives that nobody has told this device about are lost, too, and are not in this number."
            ),
        ),
        tables=(Table(name="options", title="Within the signed range", columns=columns, rows=tuple(rows)),),
    )


def _acknowledged(lines: tuple[AcknowledgedAfter, ...]) -> Part:
    rows: list[tuple[Cell, ...]] = [
        (_DEED_WORDS[line.deed], line.flagged, line.done, line.flagged - line.done, line.p50_s, line.p95_s)
        for line in lines
    ]
    columns = (
        Column(name="deed", title="What"),
        Column(name="flagged", title="Flagged exams", form="number"),
        Column(name="done", title="done", form="number"),
        Column(name="not_done", title="not done", form="number"),
        Column(name="p50_s", title="half within", form="time"),
        Column(name="p95_s", title="95 % within", form="time"),
    )
    set_back = max((line.clock_was_set for line in lines), default=0)
    return Part(
        title="From flag to acknowledgement",
        warnings=((f"{set_back} times are left out: the clock was set in between.",) if set_back else ()),
        tables=(
            Table(
                name="acknowledgements",
                title="Exams, of those that were flagged",
                columns=columns,
                rows=tuple(rows),
                note="Of those that were done; who was never acknowledged is in no time.",
            ),
        ),
    )
