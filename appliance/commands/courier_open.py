# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside courier open` and `receipt`: the end to which sticks are carried."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from appliance.clock import SystemClock
from appliance.commands.options import DEFAULT_DATA, Config, Data
from appliance.commands.progress import moving_bar
from appliance.commands.say import AsJson, errors_in_words, say_json, table
from appliance.config import load_settings
from appliance.errors import ConfigError, ExitCode, InputError
from appliance.layout import Layout

LOCK = "courier"


def open_bundles(
    bundle: Annotated[Path, typer.Argument(help="A bundle, or the folder of a stick: every bundle on it.")],
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder for the files: the PACS imports from it.")],
    send: Annotated[
        bool,
        typer.Option("--send", help="Also send to the receivers of the settings; accepted once all have it."),
    ] = False,
    identity: Annotated[
        list[Path] | None,
        typer.Option("--identity", help="Another key to open with: a file of age, or an ssh private key."),
    ] = None,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Check a bundle from its first to its last byte, then write its files. Doing so again does no harm.

    Exit code 1 when a bundle is refused, or a receiver did not take everything.
    """
    from appliance.courier.forwarding import keep, send_on  # noqa: PLC0415  (--help stays quick)
    from appliance.courier.opening import Opener  # noqa: PLC0415
    from appliance.courier.sealing import read_identities  # noqa: PLC0415
    from appliance.models.keys import read_trust  # noqa: PLC0415
    from appliance.processes.lock import only_one  # noqa: PLC0415
    from appliance.store.connection import Database  # noqa: PLC0415
    from appliance.store.courier_opened import CourierOpened  # noqa: PLC0415

    with errors_in_words():
        settings = load_settings(config)
        if send and not settings.sender.receivers:
            raise ConfigError(
                "--send was given, but the settings name no receiver.", remedy="Add one to sender.peers."
            )
        bundles = _bundles(bundle)
        layout, clock = Layout(data=data.resolve()), SystemClock()
        layout.create()
        lines: list[dict[str, Any]] = []
        with (
            only_one(layout.run, LOCK),
            Database.open(layout.database, data=layout.data, clock=clock) as database,
            moving_bar("checking and writing", hidden=as_json) as progress,
        ):
            opened = CourierOpened(database)
            opener = Opener(
                out=out.resolve(),
                opened=opened,
                trust=read_trust((settings.courier.partner_keys,)),
                identities=read_identities(layout.keys, tuple(identity or ())),
                clock=clock,
                progress=progress,
            )
            for file in bundles:
                try:
                    arrival = opener.open(file)
                except InputError as error:
                    lines.append({"file": file.name, "status": "refused", "trouble": str(error)})
                    continue
                done = (
                    send_on(arrival, opened, settings, progress=progress) if send else keep(arrival, opened)
                )
                manifest = arrival.manifest
                lines.append(
                    {
                        "file": file.name,
                        "status": "opened before" if arrival.before else "opened",
                        "trouble": str(done.trouble) if done.trouble else None,
                        "device": manifest.device,
                        "site_name": manifest.site_name,
                        "bundle": manifest.bundle,
                        "exams": manifest.exams,
                        "files": len(manifest.files),
                        "accepted": done.accepted,
                        "refused": done.refused,
                        "waiting": done.waiting,
                        "never_came": list(arrival.never_came),
                        "models": [
                            str(path)
                            for path, entry in zip(arrival.paths, manifest.files, strict=True)
                            if entry.kind == "model"
                        ],
                    }
                )
        for line in lines if as_json else ():
            say_json(line)
        if not as_json:
            table(f"Into {out}", ("bundle", "from", "what"), [_row(line) for line in lines])
        faults = any(line["trouble"] or line.get("refused") for line in lines)
        raise typer.Exit(ExitCode.FOUND_FAULTS if faults else ExitCode.OK)


def _bundles(given: Path) -> tuple[Path, ...]:
    from appliance.courier.words import BUNDLE_SUFFIX, stick_in_words  # noqa: PLC0415  (--help stays quick)

    if not given.is_dir():
        return (given,)
    with stick_in_words(given):
        found = tuple(sorted(file for file in given.iterdir() if file.name.endswith(BUNDLE_SUFFIX)))
    if not found:
        raise ConfigError(f"There is no bundle in {given}.", remedy="See whether it is the right stick.")
    return found


def _row(line: dict[str, Any]) -> tuple[str, ...]:
    if line["status"] == "refused":
        return (line["file"], "", line["trouble"])
    counts = f"{line['accepted']} accepted, {line['refused']} refused, {line['waiting']} wait"
    words = [f"{line['status']}: {line['exams']} exams, {line['files']} files, {counts}"]
    words += [line["trouble"]] if line["trouble"] else []
    words += [f"Bundle {number} of that device has never come here." for number in line["never_came"]]
    words += [f"A model came along: scanside models install {path}" for path in line["models"]]
    return (line["file"], f"{line['site_name']} ({line['device'][:8]})", "\n".join(words))


def receipt(
    stick: Annotated[Path, typer.Argument(help="Where the stick is mounted.", exists=True, file_okay=False)],
    *,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Write the receipts that have not come home yet onto the stick. Several sticks may get the same."""
    from appliance.courier.receipts import write_receipts  # noqa: PLC0415  (--help stays quick)
    from appliance.device_key import device_key  # noqa: PLC0415
    from appliance.store.connection import Database  # noqa: PLC0415
    from appliance.store.courier_opened import CourierOpened  # noqa: PLC0415

    with errors_in_words():
        settings = load_settings(config)
        layout = Layout(data=data.resolve())
        with Database.open_to_read(layout.database, data=layout.data, clock=SystemClock()) as database:
            written = write_receipts(
                stick, CourierOpened(database), device_key(layout.keys).signing, site_name=settings.site_name
            )
        for file in written:
            if as_json:
                say_json({"receipt": str(file)})
            else:
                typer.echo(str(file))
        if not as_json:
            typer.echo(f"{len(written)} receipts are on the stick. Eject it before you pull it out.")
