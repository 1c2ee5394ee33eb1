# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside fleet`: what each of many devices says about itself, as signed files, and one page of all."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from appliance.clock import SystemClock
from appliance.commands.options import DEFAULT_DATA, Config, Data
from appliance.commands.say import AsJson, errors_in_words, say_json, table
from appliance.config import load_settings
from appliance.errors import ConfigError, ExitCode
from appliance.layout import Layout

fleet = typer.Typer(
    no_args_is_help=True, help="Many devices: what each says about itself, and one page of all."
)


@fleet.command("beat")
def beat(
    *,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the file. Default: fleet.folder of the settings.")
    ] = None,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Write this device's signed file now: name, versions, health in words, counts. No patient.

    Carry it any way you like: a share, a synchronised folder, e-mail, the courier's stick. The running
    appliance writes it by itself where fleet.folder is set.
    """
    from appliance.domain.record import to_plain  # noqa: PLC0415  (--help stays quick)
    from appliance.fleet.beat import beat_into  # noqa: PLC0415

    with errors_in_words():
        settings, layout = load_settings(config), Layout(data=data.resolve())
        folder = out or (Path(settings.fleet.folder) if settings.fleet.folder else None)
        if folder is None:
            raise ConfigError("Nobody said where the file goes.", remedy="Give --out, or set fleet.folder.")
        file, made = beat_into(folder, settings, layout, SystemClock())
        if as_json:
            say_json(to_plain(made) | {"file": str(file)})
        else:
            typer.echo(f"{file}: {'; '.join(made.troubles) or 'all is well'}")


@fleet.command("page")
def page(
    folder: Annotated[
        Path, typer.Argument(help="Where the files were gathered; folders in it are read, too.")
    ],
    *,
    out: Annotated[Path, typer.Option("--out", help="The page to write.")] = Path("scanside-fleet.html"),
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Check every file against the devices' keys, and write one page: who is well, late, or needs somebody.

    A file that is missing, doubled, old, damaged or forged does not keep the others from being read. Late is
    no fault: links may be down for days. Exit code 1 when a device says that it needs somebody, or a file is
    not believed.
    """
    from appliance.durable import write_whole  # noqa: PLC0415  (--help stays quick)
    from appliance.fleet.page import heard_words, page_of, to_plain_box  # noqa: PLC0415
    from appliance.fleet.reading import Standing, read_fleet  # noqa: PLC0415
    from appliance.models.keys import read_trust  # noqa: PLC0415

    with errors_in_words():
        settings, now_utc = load_settings(config).fleet, SystemClock().now_utc()
        trust = read_trust((settings.device_keys,))
        found = read_fleet(
            folder, trust, now_utc=now_utc, late_after=timedelta(days=settings.late_after_days)
        )
        write_whole(out, page_of(found, made_at_utc=now_utc))
        if as_json:
            for box in found.boxes:
                say_json(to_plain_box(box))
            for one in found.refused:
                say_json({"file": one.file, "refused": one.why})
        else:
            rows: list[tuple[str, ...]] = [
                (box.standing.value, box.name, heard_words(box), "; ".join(box.notes)) for box in found.boxes
            ]
            table(f"Fleet: {found.files} files, the page is {out}", ("", "device", "heard", "says"), rows)
            for one in found.refused:
                typer.echo(one.why, err=True)
            for problem in trust.problems:
                typer.echo(str(problem), err=True)
        bad = any(box.standing in (Standing.DOWN, Standing.TROUBLE) for box in found.boxes)
        raise typer.Exit(ExitCode.FOUND_FAULTS if bad or found.refused or trust.problems else ExitCode.OK)


@fleet.command("trust")
def trust(
    key: Annotated[
        Path, typer.Argument(help="The device's public key (`scanside slip key` prints it there).")
    ],
    *,
    fingerprint: Annotated[
        str | None,
        typer.Option(help="The fingerprint that the site told you; compared instead of asking you."),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="What the device is called on the page. Default: the file's name.")
    ] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Take a device onto the page: from now on it is believed, and missed when it is not heard."""
    from appliance.commands.model_keys import confirmed_key  # noqa: PLC0415  (--help stays quick)
    from appliance.domain.record import to_plain  # noqa: PLC0415
    from appliance.models.keyring import add_key  # noqa: PLC0415

    with errors_in_words():
        candidate = confirmed_key(key, name=name, fingerprint=fingerprint)
        file = add_key(candidate, folder=load_settings(config).fleet.device_keys)
        if as_json:
            say_json(to_plain(candidate.signer) | {"file": str(file)})
        else:
            typer.echo(f"{candidate.signer.words} is on the page from now on: {file}")
