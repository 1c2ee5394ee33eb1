# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside binder`: what an authority or a safety office asks of a device, in one folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from appliance.commands.options import DEFAULT_DATA, Config, Data
from appliance.commands.report import QUARTER_DAYS, First, Last
from appliance.commands.say import AsJson, errors_in_words, say_json, table


def binder(
    *,
    out: Annotated[Path, typer.Option("--out", help="A new folder for it.")] = Path("scanside-binder"),
    first: First = None,
    last: Last = None,
    sbom: Annotated[
        Path | None,
        typer.Option(
            "--sbom", exists=True, dir_okay=False, help="The release's bill of materials goes along."
        ),
    ] = None,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Local performance, changes, latency, self-tests, trace, software, conformance and audit, with an index.

    Each part says what it is and its period; one that cannot be made on this device says why. No patient is
    in it. Every file's hash is listed, and the list is signed by this device.
    """
    from appliance.binder.binding import bind  # noqa: PLC0415  (--help stays quick)
    from appliance.binder.parts import Sources  # noqa: PLC0415
    from appliance.clock import SystemClock  # noqa: PLC0415
    from appliance.commands.audit import note_command  # noqa: PLC0415
    from appliance.config import load_settings  # noqa: PLC0415
    from appliance.domain.audit import AuditKind  # noqa: PLC0415
    from appliance.domain.record import to_plain  # noqa: PLC0415
    from appliance.layout import Layout  # noqa: PLC0415
    from appliance.monitor.reports.exams import period_of  # noqa: PLC0415
    from appliance.processes.models import inventory_of  # noqa: PLC0415
    from appliance.store.connection import Database  # noqa: PLC0415

    with errors_in_words():
        settings, layout, clock = load_settings(config), Layout(data=data.resolve()), SystemClock()
        period = period_of(first, last, today=clock.now_utc().astimezone().date(), days=QUARTER_DAYS)
        with Database.open_to_read(layout.database, data=layout.data, clock=clock) as database:
            bound = bind(
                out,
                Sources(
                    settings=settings,
                    layout=layout,
                    database=database,
                    period=period,
                    inventory=inventory_of(settings, layout),
                    sbom=sbom,
                ),
            )
        note_command(layout, AuditKind.EXPORTED, ("binder", period.words))
        if as_json:
            for part in bound:
                say_json(to_plain(part))
            return
        rows: list[tuple[str, ...]] = [
            (part.title, part.period, f"not available: {part.missing}" if part.missing else part.files[0])
            for part in bound
        ]
        table(f"{out / 'index.html'}", ("part", "period", "where"), rows)
