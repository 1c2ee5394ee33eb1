# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside models agreement`: how often the people at the screen agree with each model."""

from __future__ import annotations

from appliance.commands.options import DEFAULT_DATA, Data
from appliance.commands.say import AsJson, errors_in_words, say_json, table


def say_agreement(*, data: Data = DEFAULT_DATA, as_json: AsJson = False) -> None:
    """Count agree, disagree and unsure, for each model and finding that somebody has judged."""
    from appliance.clock import SystemClock  # noqa: PLC0415  (--help stays quick)
    from appliance.domain.record import to_plain  # noqa: PLC0415
    from appliance.layout import Layout  # noqa: PLC0415
    from appliance.monitor.agreement import agreement  # noqa: PLC0415
    from appliance.store.connection import Database  # noqa: PLC0415

    with errors_in_words():
        layout = Layout(data=data.resolve())
        with Database.open_to_read(layout.database, data=layout.data, clock=SystemClock()) as database:
            lines = agreement(database)
        if as_json:
            for line in lines:
                say_json(to_plain(line))
            return
        rows: list[tuple[str, ...]] = [
            (
                line.model or "not known",
                f"{line.finding} ({line.code})",
                *(str(count) for count in (line.agree, line.disagree, line.unsure, line.looked_first)),
            )
            for line in lines
        ]
        title = "What people say to flagged findings" if rows else "Nobody has judged a finding yet"
        table(title, ("model", "finding", "agree", "disagree", "unsure", "looked first"), rows)
