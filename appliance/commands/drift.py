# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside drift`: is each scanner still what it was?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from appliance.commands.options import DEFAULT_DATA, Config, Data
from appliance.commands.say import AsJson, errors_in_words, say_json, table

if TYPE_CHECKING:
    from appliance.clock import Clock
    from appliance.layout import Layout
    from appliance.watching import DriftSettings

SHOWN: Final = 6
"""Features of a scanner in the table; --json and --html have all."""


def drift(
    *,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    fix_baseline: Annotated[
        bool,
        typer.Option("--fix-baseline", help="Compare with the newest exams from now on: they are as meant."),
    ] = False,
    scanner: Annotated[
        str | None, typer.Option("--scanner", help="Only this one, as the table names it.")
    ] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write a page with plots.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what the last comparison of each scanner with its baseline said, and what to do.

    Labels are not needed: inputs and scores are compared with those of the scanner's first exams.
    """
    from appliance.clock import SystemClock  # noqa: PLC0415  (--help stays quick)
    from appliance.config import load_settings  # noqa: PLC0415
    from appliance.domain.record import to_plain  # noqa: PLC0415
    from appliance.layout import Layout  # noqa: PLC0415
    from appliance.store.connection import Database  # noqa: PLC0415
    from appliance.store.drift import DriftStore  # noqa: PLC0415

    with errors_in_words():
        settings = load_settings(config).drift
        layout, clock = Layout(data=data.resolve()), SystemClock()
        if fix_baseline:
            _fix(layout, clock, settings, scanner, as_json=as_json)
            return
        with Database.open_to_read(layout.database, data=layout.data, clock=clock) as database:
            store = DriftStore(database)
            reports = [one for one in store.latest_reports() if scanner in (None, one.scanner)]
            if html is not None:
                from appliance.durable import write_whole  # noqa: PLC0415
                from appliance.monitor.drift_page import drift_page  # noqa: PLC0415

                write_whole(html, drift_page(store, reports).encode("utf-8"))
        if as_json:
            for report in reports:
                say_json(to_plain(report))
            return
        rows: list[tuple[str, ...]] = [
            (
                report.scanner,
                report.state.value,
                f"{report.recent_exams} against {report.baseline_exams}"
                if not report.needed_exams
                else f"{report.needed_exams} more needed",
                "\n".join(
                    f"{one.feature} ({one.measure}): {one.distance:.2f}, bound {one.bound:.2f}"
                    for one in report.features[:SHOWN]
                ),
                "\n".join(report.advice),
            )
            for report in reports
        ]
        title = "Each scanner against its baseline" if rows else "No scanner has been compared yet"
        table(title, ("scanner", "", "exams", "furthest from the baseline", "what to do"), rows)


def _fix(
    layout: Layout, clock: Clock, settings: DriftSettings, scanner: str | None, *, as_json: bool
) -> None:
    """Fix the baseline of one scanner, or of all. Raises StoreError."""
    from appliance.monitor.drift_watch import fix_baseline  # noqa: PLC0415
    from appliance.store.connection import Database  # noqa: PLC0415
    from appliance.store.drift import DriftStore  # noqa: PLC0415

    with Database.open_to_read(layout.database, data=layout.data, clock=clock):
        pass  # there is one: a wrong folder is not made into a new appliance
    with Database.open(layout.database, data=layout.data, clock=clock) as database:
        store = DriftStore(database)
        fixed = {
            name: fix_baseline(store, name, settings) for name in store.scanners() if scanner in (None, name)
        }
    if as_json:
        for name, exams in fixed.items():
            say_json({"scanner": name, "baseline_exams": exams})
        return
    rows: list[tuple[str, ...]] = [(name, str(exams)) for name, exams in fixed.items()]
    table("Compared with these from now on" if rows else "No such scanner", ("scanner", "exams"), rows)
