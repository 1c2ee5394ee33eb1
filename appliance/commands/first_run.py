# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside first-run`: everything that a new device has to know, asked or from a file, and tried out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from appliance.clock import SystemClock
from appliance.commands.options import DEFAULT_DATA, Data
from appliance.commands.say import AsJson, errors_in_words, say_json, table
from appliance.config import SETTINGS_FILE_NAME, load_settings
from appliance.errors import ExitCode
from appliance.layout import Layout

if TYPE_CHECKING:
    from appliance.monitor.diagnosis import Diagnosis


def first_run(
    *,
    answers: Annotated[
        Path | None, typer.Option("--answers", help="File with the answers; without it they are asked for.")
    ] = None,
    config: Annotated[
        Path,
        typer.Option("--config", help="The settings file that is written.", envvar=SETTINGS_FILE_NAME),
    ] = Path("scanside.toml"),
    save_answers: Annotated[
        Path | None, typer.Option("--save-answers", help="Keep the answers in this file, without the PINs.")
    ] = None,
    check_only: Annotated[
        bool, typer.Option("--check-only", help="Try the answers out, and write nothing.")
    ] = False,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="There are settings already: keep them beside, and write new ones."),
    ] = False,
    data: Data = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """Ask, try each answer out, and write the settings file and the PINs.

    Writes into the folders, asks each PACS (C-ECHO), makes each model's passport on this device, and runs a
    test exposure whose answer is known. With a FAIL nothing is written, exit code 1. A PACS that does not
    answer is a CHECK: results wait for it. As root it tries everything out as the owner of the data folder.
    """
    from appliance.durable import write_durably  # noqa: PLC0415  (--help stays quick)
    from appliance.first_run.answers import answers_text, read_answers  # noqa: PLC0415
    from appliance.first_run.as_owner import let_read, owner_beside_root, try_as  # noqa: PLC0415
    from appliance.first_run.asking import ask  # noqa: PLC0415
    from appliance.first_run.checking import check_answers, check_pins  # noqa: PLC0415
    from appliance.first_run.writing import require_free, write_first_settings  # noqa: PLC0415

    with errors_in_words():
        clock, layout = SystemClock(), Layout(data=data.resolve())
        if not check_only:
            require_free(config, replace=replace)
        given = ask(clock) if answers is None else read_answers(answers)
        if save_answers is not None:
            write_durably(save_answers, answers_text(given).encode("utf-8"))
        owner = owner_beside_root(layout)
        if owner is None:
            holds = _all_hold(
                check_answers(
                    given,
                    layout,
                    clock,
                    progress=lambda what: typer.echo(f"Trying out: {what}", err=True),
                    writes=not check_only,
                ),
                as_json=as_json,
            )
        else:
            holds = try_as(owner, given, layout, as_json=as_json) == ExitCode.OK
            pins = check_pins(given, load_settings().kiosk.pins)
            holds = _all_hold(pins, as_json=as_json) and holds
        if not holds:
            if not check_only:
                typer.echo("Nothing was written: mend what failed, and run it again.", err=True)
            raise typer.Exit(ExitCode.FOUND_FAULTS)
        if check_only:
            return
        before = write_first_settings(given, config, replace=replace)
        if owner is not None:
            let_read(owner, load_settings(config).kiosk.pins)
            if before is None:
                let_read(owner, config)
        typer.echo(f"{config} is written.{f' The old one is {before}.' if before else ''}", err=True)
        typer.echo(f"Start it: scanside run --config {config} --data {data} --kiosk", err=True)


def _all_hold(diagnoses: Iterable[Diagnosis], *, as_json: bool) -> bool:
    """Say each one as it comes, or all in a table. False: one of them is a FAIL."""
    from appliance.domain.record import to_plain  # noqa: PLC0415
    from appliance.monitor.diagnosis import Health  # noqa: PLC0415

    found = []
    for one in diagnoses:
        found.append(one)
        if as_json:
            say_json(to_plain(one))
    if found and not as_json:
        rows: list[tuple[str, ...]] = [(o.health.value, o.subject, o.found, o.remedy) for o in found]
        table("First run", ("", "what", "found", "remedy"), rows)
    return not any(one.health is Health.FAIL for one in found)
