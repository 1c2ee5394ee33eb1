# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside courier`: studies on a USB stick, for a clinic without a network; receipts come home on it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from appliance.clock import SystemClock
from appliance.commands.courier_keys import keys, trust
from appliance.commands.courier_open import open_bundles, receipt
from appliance.commands.courier_status import status
from appliance.commands.options import DEFAULT_DATA, Config, Data
from appliance.commands.progress import moving_bar
from appliance.commands.say import AsJson, errors_in_words, say_json, table
from appliance.config import GIB, load_settings
from appliance.errors import ConfigError, ExitCode
from appliance.layout import Layout
from appliance.receivers import CourierSettings

LOCK: Final = "courier"

courier = typer.Typer(no_args_is_help=True, help="Studies on a USB stick, receipts home.")
courier.command("status")(status)
courier.command("keys")(keys)
courier.command("trust")(trust)
courier.command("open")(open_bundles)
courier.command("receipt")(receipt)


@courier.callback()
def _courier() -> None:
    """Studies on a USB stick, receipts home: docs/courier.md."""


def stick_of(given: Path | None, settings: CourierSettings) -> Path:
    """The folder of the stick: the named one, else the one of the settings. Raises ConfigError."""
    folder = given or (Path(settings.folder) if settings.folder else None)
    if folder is None:
        raise ConfigError(
            "No stick is named.", remedy="Give the folder where it is mounted, or set courier.folder."
        )
    if not folder.is_dir():
        raise ConfigError(f"There is no stick at {folder}.", remedy="Put it in, and see where it is mounted.")
    return folder


@courier.command("pack")
def pack(
    stick: Annotated[
        Path | None, typer.Argument(help="Where the stick is mounted. Default: courier.folder.")
    ] = None,
    *,
    max_gib: Annotated[
        float | None,
        typer.Option("--max-gib", min=0.001, help="Largest bundle. Default: courier.max_bundle_bytes."),
    ] = None,
    again: Annotated[
        list[int] | None,
        typer.Option("--again", help="A bundle that was lost: its files are packed again."),
    ] = None,
    model: Annotated[
        list[Path] | None,
        typer.Option("--model", exists=True, dir_okay=False, help="A zipped model bundle that goes along."),
    ] = None,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Hand over what waits: positive studies first, then the oldest. Repeat it after any interruption.

    Exit code 1 when not everything is on the stick: it is full, was pulled out, or a file cannot go.
    """
    from appliance.courier.packing import Packer  # noqa: PLC0415  (--help stays quick)
    from appliance.processes.lock import only_one  # noqa: PLC0415
    from appliance.store.connection import Database  # noqa: PLC0415

    with errors_in_words():
        settings = load_settings(config)
        folder = stick_of(stick, settings.courier)
        layout, clock = Layout(data=data.resolve()), SystemClock()
        layout.create()
        with (
            only_one(layout.run, LOCK),
            Database.open(layout.database, data=layout.data, clock=clock) as database,
            moving_bar("packing", hidden=as_json) as progress,
        ):
            packer = Packer(
                settings=settings.courier,
                site_name=settings.site_name,
                layout=layout,
                database=database,
                clock=clock,
                folder=folder,
                progress=progress,
            )
            packer.give_up_on(tuple(again or ()))
            report = packer.run(
                max_bytes=settings.courier.max_bundle_bytes if max_gib is None else round(max_gib * GIB),
                models=tuple(model or ()),
            )
        _say_packed(report, as_json=as_json)
        whole = report.trouble is None and not report.left_behind
        raise typer.Exit(ExitCode.OK if whole else ExitCode.FOUND_FAULTS)


def _say_packed(report: Any, *, as_json: bool) -> None:
    from appliance.domain.record import to_plain  # noqa: PLC0415  (--help stays quick)

    if as_json:
        for bundle in report.bundles:
            say_json({"packed": to_plain(bundle)})
        say_json(
            {
                "bundles": len(report.bundles),
                "completed": list(report.completed),
                "abandoned": list(report.abandoned),
                "waiting_files": report.waiting_files,
                "left_behind": [to_plain(left) for left in report.left_behind],
                "trouble": None if report.trouble is None else report.trouble.what,
                "remedy": None if report.trouble is None else report.trouble.remedy,
            }
        )
        return
    rows: list[tuple[str, ...]] = [
        (str(b.bundle), b.file_name, f"{b.exams} exams, {b.files} files", f"{b.size_bytes / GIB:.2f} GiB")
        for b in report.bundles
    ]
    table("On the stick", ("bundle", "file", "what", "size"), rows)
    for number in report.completed:
        typer.echo(f"Bundle {number} of an earlier run was whole on this stick and is handed over now.")
    for number in report.abandoned:
        typer.echo(f"Bundle {number} of an earlier run is not whole on this stick: its files go again.")
    for left in report.left_behind:
        typer.echo(f"{left.file} stays: {left.reason}.")
    if report.trouble is not None:
        typer.echo(f"{report.trouble.what} {report.trouble.remedy}", err=True)
    if report.waiting_files:
        typer.echo(f"{report.waiting_files} files still wait for the courier.")
    else:
        typer.echo("Nothing waits any more. Eject the stick before you pull it out.")


@courier.command("take-receipts")
def take(
    stick: Annotated[
        Path | None, typer.Argument(help="Where the stick is mounted. Default: courier.folder.")
    ] = None,
    *,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Take the receipts that came home: what was accepted is done, what was refused goes again.

    Exit code 1 when a receipt is not believed.
    """
    from appliance.courier.receipts import take_receipts  # noqa: PLC0415  (--help stays quick)
    from appliance.device_key import device_key  # noqa: PLC0415
    from appliance.models.keys import fingerprint_of, read_trust  # noqa: PLC0415
    from appliance.processes.lock import only_one  # noqa: PLC0415
    from appliance.store.connection import Database  # noqa: PLC0415
    from appliance.store.courier_receipts import CourierReceipts  # noqa: PLC0415

    with errors_in_words():
        settings = load_settings(config).courier
        folder = stick_of(stick, settings)
        layout, clock = Layout(data=data.resolve()), SystemClock()
        layout.create()
        with (
            only_one(layout.run, LOCK),
            Database.open(layout.database, data=layout.data, clock=clock) as database,
        ):
            receipts = CourierReceipts(database, peer=settings.name, instead_of=settings.instead_of)
            taken = tuple(
                take_receipts(
                    folder,
                    receipts,
                    device=fingerprint_of(device_key(layout.keys).signing.public_key()),
                    trust=read_trust((settings.partner_keys,)),
                )
            )
        for one in taken if as_json else ():
            say_json(
                {
                    "file": one.file_name,
                    "bundle": one.bundle,
                    "signer": one.signer,
                    "accepted": one.accepted,
                    "refused": one.refused,
                    "taken_before": one.known,
                    "trouble": str(one.trouble) if one.trouble else None,
                }
            )
        if not as_json:
            table("Receipts", ("file", "bundle", "what"), [_taken_row(one) for one in taken])
        raise typer.Exit(ExitCode.FOUND_FAULTS if any(one.trouble for one in taken) else ExitCode.OK)


def _taken_row(one: Any) -> tuple[str, ...]:
    if one.trouble is not None:
        return (one.file_name, "", str(one.trouble))
    before = ", taken before" if one.known else ""
    return (
        one.file_name,
        str(one.bundle),
        f"{one.signer}: {one.accepted} accepted, {one.refused} refused{before}",
    )
