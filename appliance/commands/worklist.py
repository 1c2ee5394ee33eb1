# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside worklist`: what is expected, and how old that is."""

from __future__ import annotations

from appliance.clock import SystemClock
from appliance.commands.options import DEFAULT_DATA, Config, Data
from appliance.commands.say import AsJson, errors_in_words, say_json, table
from appliance.config import load_settings
from appliance.domain.record import to_plain
from appliance.layout import Layout


def worklist(*, data: Data = DEFAULT_DATA, config: Config = None, as_json: AsJson = False) -> None:
    """The last good worklist, without names, and how old it is. Asks nobody: the running appliance does.

    With --json: first a line of how the last questions went, then a line for each step, as in docs/json.md.
    """
    from appliance.store.connection import Database  # noqa: PLC0415  (--help stays quick)
    from appliance.store.expected import Expected, list_state  # noqa: PLC0415

    with errors_in_words():
        settings = load_settings(config)
        layout = Layout(data=data.resolve())
        with Database.open_to_read(layout.database, data=layout.data, clock=SystemClock()) as database:
            expected = Expected(database)
            standing = expected.standing()
            steps = expected.listed()
        state = list_state(standing, settings.worklist)
        if as_json:
            say_json({"state": state.value, "standing": to_plain(standing) if standing else None})
            for step in steps:
                plain = to_plain(step)
                say_json({key: value for key, value in plain.items() if not key.startswith("patient_")})
            return
        age = "never answered" if standing is None or standing.answered_at_utc is None else "from before"
        if standing is not None and standing.age_min is not None:
            age = f"{standing.age_min:.0f} min old"
        trouble = f"; {standing.trouble}" if standing is not None and standing.trouble else ""
        rows: list[tuple[str, ...]] = [
            (
                step.scheduled_at.isoformat(sep=" ", timespec="minutes") if step.scheduled_at else "",
                step.accession_number or "",
                step.modality or "",
                step.procedure,
                " ".join(part for part in (step.body_part, step.laterality) if part) or "not known",
                " ".join(step.views) or str(step.view_count or ""),
                step.scheduled_station_name or step.scheduled_station_ae_title or "",
            )
            for step in steps
        ]
        columns = ("at", "accession", "modality", "procedure", "part", "views", "station")
        table(f"{len(steps)} expected ({state.value}, {age}{trouble})", columns, rows)
