# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""From the store to a report, and from a report to its files."""

from __future__ import annotations

import importlib.metadata
from enum import Enum
from pathlib import Path
from typing import Final

from appliance.config import Settings
from appliance.durable import PART_SUFFIX, write_whole
from appliance.monitor.reports.alert_budget import alert_budget
from appliance.monitor.reports.callbacks_report import callbacks_parts
from appliance.monitor.reports.csv_file import csv_of
from appliance.monitor.reports.disagreements import CallBack, call_backs, discrepancies_by_week
from appliance.monitor.reports.exams import Period, read_exams
from appliance.monitor.reports.html_file import html_of
from appliance.monitor.reports.page import Part, Report
from appliance.monitor.reports.people import acknowledgements, read_people
from appliance.monitor.reports.performance_report import performance_parts
from appliance.monitor.reports.rejects_report import rejects_parts
from appliance.monitor.reports.shift_report import shift_parts
from appliance.monitor.reports.truth import read_with_truth
from appliance.store.call_backs import CallBacks
from appliance.store.connection import Database
from appliance.store.thresholds import Thresholds


class ReportName(str, Enum):
    """Which report."""

    REJECTS = "rejects"
    PERFORMANCE = "performance"
    CALLBACKS = "callbacks"
    SHIFT = "shift"


OWNER_ONLY: Final = 0o600
"""Of a file with patients: it is for whoever asked for it, and nobody else on this machine."""
TITLES: Final = {
    ReportName.REJECTS: "Images taken again, and exposure",
    ReportName.PERFORMANCE: "How good the models are here",
    ReportName.CALLBACKS: "Patients to call back",
    ReportName.SHIFT: "Flags per shift",
}


def make_report(name: ReportName, database: Database, settings: Settings, period: Period) -> Report:
    """Read the store and count."""
    return Report(
        name=name.value,
        title=TITLES[name],
        site=settings.site_name,
        period=period.words,
        made_at_utc=f"{database.clock.now_utc():%Y-%m-%d %H:%M} UTC",
        version=importlib.metadata.version("scanside"),
        holds_patients=name is ReportName.CALLBACKS,
        parts=_parts(name, database, settings, period),
    )


def list_call_backs(database: Database, period: Period) -> tuple[CallBack, ...]:
    """Whom to call, of the exams of the period."""
    exams, resolved = read_with_truth(database, period)
    return call_backs(exams, read_people(database, exams), resolved.truths, CallBacks(database).newest())


def write_report(report: Report, folder: Path) -> tuple[Path, ...]:
    """One HTML page and one CSV file for each table; earlier ones of the same name are replaced.

    Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    contents = {folder / f"{report.name}.html": html_of(report)}
    for part in report.parts:
        for table in part.tables:
            contents[folder / f"{report.name}-{table.name}.csv"] = csv_of(table)
    for file, content in contents.items():
        if report.holds_patients:
            beside = file.with_name(file.name + PART_SUFFIX)
            beside.unlink(missing_ok=True)
            beside.touch(mode=OWNER_ONLY, exist_ok=False)
        write_whole(file, content)
    return tuple(contents)


def _parts(name: ReportName, database: Database, settings: Settings, period: Period) -> tuple[Part, ...]:
    if name is ReportName.REJECTS:
        return rejects_parts(read_exams(database, period))
    exams, resolved = read_with_truth(database, period)
    people = read_people(database, exams)
    if name is ReportName.PERFORMANCE:
        return performance_parts(exams, people, resolved, Thresholds(database).every())
    if name is ReportName.CALLBACKS:
        listed = call_backs(exams, people, resolved.truths, CallBacks(database).newest())
        return callbacks_parts(listed, discrepancies_by_week(exams, people, resolved.truths))
    alerts = settings.alerts
    budget = alert_budget(
        exams, people, resolved.truths, budget=alerts.flags_per_shift, starts=alerts.shift_starts
    )
    return shift_parts(budget, acknowledgements(exams, people))
