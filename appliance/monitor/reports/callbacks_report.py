# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The page of who has to be called back. The one page with patients: without them nobody can be called."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from appliance.monitor.reports.disagreements import CallBack, Week
from appliance.monitor.reports.page import Cell, Column, Figure, Part, Table
from appliance.monitor.reports.plots import week_plot
from appliance.store.call_backs import CallStatus

HOME = {True: "yes", False: "no", None: "not said"}


def callbacks_parts(listed: Sequence[CallBack], weeks: Sequence[Week]) -> tuple[Part, ...]:
    """The list, and how often it was needed."""
    still = sum(one.status is not CallStatus.CLOSED for one in listed)
    home = sum(one.sent_home is True and one.status is not CallStatus.CLOSED for one in listed)
    unknown = sum(one.sent_home is None for one in listed)
    warnings = []
    if unknown:
        warnings.append(f"Of {unknown} it is not known whether they went home: no imported outcome says it.")
    return (
        Part(
            title="Call back",
            words=(f"{len(listed)} disagreements, {still} not closed, {home} of those were sent home.",),
            warnings=tuple(warnings),
            tables=(
                Table(
                    name="call-backs",
                    title="The list",
                    columns=COLUMNS,
                    rows=tuple(row_of(one) for one in listed),
                    note="scanside callbacks called REF --by NAME; scanside callbacks done REF --by NAME",
                ),
            ),
        ),
        Part(
            title="How often somebody was wrong",
            words=("By week of the exam; of the findings whose outcome is known.",),
            figures=(Figure(svg=week_plot(weeks), words="Share of discrepancies by week."),) if weeks else (),
            tables=(
                Table(
                    name="discrepancies-by-week",
                    title="By week",
                    columns=(
                        Column(name="week", title="Week"),
                        Column(name="findings", title="Outcomes", form="number"),
                        Column(name="discrepancies", title="Discrepancies", form="number"),
                        Column(name="rate", title="Rate", form="share"),
                        Column(name="rate_low", title="from", form="share"),
                        Column(name="rate_high", title="to", form="share"),
                    ),
                    rows=tuple(
                        (
                            week.name,
                            week.rate.n,
                            week.rate.hits,
                            week.rate.value,
                            week.rate.low,
                            week.rate.high,
                        )
                        for week in weeks
                    ),
                ),
            ),
        ),
    )


COLUMNS = (
    Column(name="reference", title="Ref"),
    Column(name="status", title="Status"),
    Column(name="sent_home", title="Sent home"),
    Column(name="patient_name", title="Patient"),
    Column(name="patient_id", title="ID"),
    Column(name="patient_birth_date", title="Born"),
    Column(name="exam_day", title="Exam"),
    Column(name="finding", title="Finding"),
    Column(name="kind", title="What"),
    Column(name="ai", title="AI"),
    Column(name="person", title="Person"),
    Column(name="outcome", title="Outcome"),
    Column(name="called_by", title="By"),
    Column(name="called_at", title="At"),
    Column(name="note", title="Note"),
)


def row_of(one: CallBack) -> tuple[Cell, ...]:
    """The line of the list, for the page and for the command."""
    call = one.call
    return (
        one.reference,
        one.status.value,
        HOME[one.sent_home],
        one.patient.patient_name,
        one.patient.patient_id,
        one.patient.patient_birth_date,
        one.day.isoformat(),
        one.finding.meaning,
        one.kind.value,
        one.ai,
        one.person,
        one.outcome.value,
        None if call is None else call.by_name,
        None if call is None else f"{datetime.fromisoformat(call.at_utc).astimezone():%Y-%m-%d %H:%M}",
        None if call is None else call.note,
    )
