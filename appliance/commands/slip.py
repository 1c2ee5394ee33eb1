# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside slip`: check a printed slip, and give others what they need to check ours. No network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from appliance.commands.options import DEFAULT_DATA, Data
from appliance.commands.say import AsJson, errors_in_words, say_json
from appliance.errors import ConfigError, ExitCode, InputError
from appliance.layout import Layout

slip = typer.Typer(no_args_is_help=True, help="Printed slips: check one, show this device's public key.")


@slip.command("verify")
def verify(
    text: Annotated[str, typer.Argument(help="What the code on the slip says, in quotes.")],
    *,
    key: Annotated[
        list[Path] | None,
        typer.Option(
            help="Public key of the device that printed it, as a PEM file; may stand several times."
        ),
    ] = None,
    data: Data = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """Say what a slip says, if its signature holds. Exit code 1 when it does not, with the reason.

    Without --key: is it one of this device's own?
    """
    from appliance.device_key import DEVICE_KEY, device_key  # noqa: PLC0415  (--help stays quick)
    from appliance.domain.record import to_plain  # noqa: PLC0415
    from appliance.models.keys import read_public_key  # noqa: PLC0415
    from appliance.outputs.slip_payload import verified  # noqa: PLC0415

    with errors_in_words():
        keys = [read_public_key(file) for file in key or ()]
        folder = Layout(data=data.resolve()).keys
        if not keys:
            if not (folder / DEVICE_KEY).exists():
                raise ConfigError(
                    f"There is no key of a device under {data}.",
                    remedy="Name the data folder with --data, or a public key with --key.",
                )
            keys = [device_key(folder).public_key()]
        try:
            found = verified(text, keys)
        except InputError as error:
            if as_json:
                say_json({"holds": False, "reason": f"{error.what} {error.remedy}"})
            else:
                typer.echo(f"NOT CONFIRMED. {error.what} {error.remedy}")
            raise typer.Exit(ExitCode.FOUND_FAULTS) from error
        if as_json:
            say_json({"holds": True} | to_plain(found))
            return
        typer.echo(f"The signature holds. Exam {found.exam}, image of {found.date or 'an unknown day'}.")
        for one in found.findings:
            typer.echo(
                f"  {one.code}: {one.band}, score {one.score:.2f} "
                f"(raised from {one.raised_from:.2f}, high from {one.high_from:.2f})"
            )
        for task in found.not_analysed:
            typer.echo(f"  {task}: not analysed")
        typer.echo(f"  {', '.join(found.models) or 'no model answered'}. An aid, not a diagnosis.")


@slip.command("key")
def public_key(*, data: Data = DEFAULT_DATA, as_json: AsJson = False) -> None:
    """Print this device's public key, for those who are to check its slips. Made if there is none yet."""
    from appliance.device_key import device_key, public_pem  # noqa: PLC0415  (--help stays quick)
    from appliance.models.keys import fingerprint_of, grouped  # noqa: PLC0415

    with errors_in_words():
        key = device_key(Layout(data=data.resolve()).keys)
        fingerprint = fingerprint_of(key.public_key())
        if as_json:
            say_json({"fingerprint": fingerprint, "pem": public_pem(key).decode("ascii")})
        else:
            typer.echo(public_pem(key).decode("ascii"), nl=False)
            typer.echo(f"Fingerprint: {grouped(fingerprint)}", err=True)
