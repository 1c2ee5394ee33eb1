# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside doctor`: is everything here that the appliance needs?"""

from __future__ import annotations

from itertools import chain

import typer

from appliance.clock import SystemClock
from appliance.commands.options import DEFAULT_DATA, Config, Data
from appliance.commands.say import AsJson, errors_in_words, say_json, table
from appliance.domain.record import to_plain
from appliance.errors import ExitCode
from appliance.layout import Layout


def doctor(*, data: Data = DEFAULT_DATA, config: Config = None, as_json: AsJson = False) -> None:
    """Look at engines, models, disk, store, clock, processes, peers and screen; say OK, CHECK or FAIL.

    Changes nothing, and may run beside the appliance. Exit code 1 when something fails; every CHECK and
    FAIL comes with its remedy.
    """
    from appliance.configuration.last_good import settings_for_running  # noqa: PLC0415  (--help stays quick)
    from appliance.monitor.diagnosis import Health  # noqa: PLC0415
    from appliance.monitor.doctor import examine  # noqa: PLC0415
    from appliance.monitor.settings_file import settings_file  # noqa: PLC0415
    from appliance.processes.models import kept_passports, open_registry  # noqa: PLC0415

    with errors_in_words():
        layout = Layout(data=data.resolve())
        settings = settings_for_running(config, layout).settings
        failed = False
        rows: list[tuple[str, ...]] = []
        with open_registry(settings, kept_passports(layout), layout=layout) as registry:
            looks = examine(settings, layout, registry, SystemClock())
            for diagnosis in chain((settings_file(config, layout),), looks):
                failed |= diagnosis.health is Health.FAIL
                if as_json:
                    say_json(to_plain(diagnosis))
                else:
                    rows.append(
                        (diagnosis.health.value, diagnosis.subject, diagnosis.found, diagnosis.remedy)
                    )
        if not as_json:
            table("Doctor", ("", "what", "found", "remedy"), rows)
        raise typer.Exit(ExitCode.FOUND_FAULTS if failed else ExitCode.OK)
