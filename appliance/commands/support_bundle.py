# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside support-bundle`: what somebody needs to help from afar, without any patient."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from appliance.clock import SystemClock
from appliance.commands.audit import note_command
from appliance.commands.options import DEFAULT_DATA, Config, Data
from appliance.commands.say import AsJson, errors_in_words, say_json, table
from appliance.domain.audit import AuditKind
from appliance.errors import ExitCode
from appliance.layout import Layout


def support_bundle(
    *,
    out: Annotated[Path, typer.Option("--out", help="The zip to write.")] = Path("scanside-support.zip"),
    log: Annotated[
        list[Path] | None,
        typer.Option("--log", exists=True, dir_okay=False, help="A file with the appliance's log."),
    ] = None,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Pack versions, settings without addresses, health, counts and the ends of logs; say what is in it.

    No name, number or image of a patient: it is searched for those in the store before it is written. Exit
    code 1 when a part had to stay out.
    """
    from appliance.configuration.last_good import settings_for_running  # noqa: PLC0415  (--help stays quick)
    from appliance.durable import write_durably  # noqa: PLC0415
    from appliance.monitor.doctor import examine  # noqa: PLC0415
    from appliance.monitor.settings_file import settings_file  # noqa: PLC0415
    from appliance.monitor.support import bundle_of, parts_of  # noqa: PLC0415
    from appliance.processes.models import kept_passports, open_registry  # noqa: PLC0415

    with errors_in_words():
        layout, clock = Layout(data=data.resolve()), SystemClock()
        settings = settings_for_running(config, layout).settings
        with open_registry(settings, kept_passports(layout), layout=layout) as registry:
            diagnoses = (settings_file(config, layout), *examine(settings, layout, registry, clock))
        parts = parts_of(settings, layout, clock, diagnoses=diagnoses, logs=tuple(log or ()))
        write_durably(out, bundle_of(parts))
        note_command(layout, AuditKind.EXPORTED, ("support bundle", str(len(parts))))
        if as_json:
            for part in parts:
                say_json({"part": part.name, "characters": len(part.content), "left_out": part.left_out})
        else:
            rows: list[tuple[str, ...]] = [
                (part.name, part.left_out or f"{len(part.content)} characters") for part in parts
            ]
            table(f"In {out}", ("part", "what"), rows)
            typer.echo("Look into it before you give it away: it is a zip of texts.")
        kept_out = any(part.left_out for part in parts)
        raise typer.Exit(ExitCode.FOUND_FAULTS if kept_out else ExitCode.OK)
