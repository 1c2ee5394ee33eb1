# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside courier keys` and `trust`: what a partner needs from here, and whom this machine believes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from appliance.commands.model_keys import confirmed_key
from appliance.commands.options import DEFAULT_DATA, Config, Data
from appliance.commands.say import AsJson, errors_in_words, say_json, table
from appliance.config import load_settings
from appliance.errors import ExitCode
from appliance.layout import Layout


def keys(
    *,
    save: Annotated[
        Path | None, typer.Option("--save", help="Write this machine's public key into this PEM file.")
    ] = None,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show this machine's recipient and key, made on first use, and the keys of its partners.

    Exit code 1 when a file in the folder of partners' keys is no key.
    """
    from appliance.courier.sealing import own_identity  # noqa: PLC0415  (--help stays quick)
    from appliance.device_key import device_key  # noqa: PLC0415
    from appliance.models.keys import fingerprint_of, grouped, read_trust  # noqa: PLC0415

    with errors_in_words():
        folder = Layout(data=data.resolve()).keys
        recipient = str(own_identity(folder).to_public())
        key = device_key(folder)
        fingerprint = fingerprint_of(key.signing.public_key())
        if save is not None:
            save.write_bytes(key.public_pem())
        trusted = read_trust((load_settings(config).courier.partner_keys,))
        partners = [(known.signer.name, known.signer.fingerprint, "") for known in trusted.keys.values()]
        partners += [("", "", f"{problem.what} {problem.remedy}") for problem in trusted.problems]
        if as_json:
            say_json(
                {
                    "recipient": recipient,
                    "fingerprint": fingerprint,
                    "public_key": key.public_pem().decode("ascii"),
                    "partners": [
                        {"name": name, "fingerprint": digits, "trouble": trouble or None}
                        for name, digits, trouble in partners
                    ],
                }
            )
        else:
            typer.echo(f"Who sends to this machine encrypts for\n  {recipient}")
            typer.echo(f"and trusts the key\n{key.public_pem().decode('ascii')}with the fingerprint")
            typer.echo(f"  {grouped(fingerprint)}")
            rows: list[tuple[str, ...]] = [
                (name, grouped(digits) or trouble) for name, digits, trouble in partners
            ]
            table("Partners whose bundles and receipts are believed here", ("name", "fingerprint"), rows)
        raise typer.Exit(ExitCode.FOUND_FAULTS if trusted.problems else ExitCode.OK)


def trust(
    key: Annotated[Path, typer.Argument(help="The partner's public key as a PEM file.")],
    *,
    fingerprint: Annotated[
        str | None,
        typer.Option(help="The fingerprint that its owner told you; compared instead of asking you."),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="What the partner is to be called here. Default: the file's name.")
    ] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Believe bundles and receipts that are signed with this key.

    Shows the fingerprint and asks whether it is the one that the key's owner told you, by telephone or on
    paper: a file that came with the stick proves nothing about who made either.
    """
    from appliance.domain.record import to_plain  # noqa: PLC0415  (--help stays quick)
    from appliance.models.keyring import add_key  # noqa: PLC0415

    with errors_in_words():
        folder = load_settings(config).courier.partner_keys
        candidate = confirmed_key(key, name=name, fingerprint=fingerprint)
        file = add_key(candidate, folder=folder)
        if as_json:
            say_json(to_plain(candidate.signer) | {"file": str(file)})
        else:
            typer.echo(f"Bundles and receipts signed by {candidate.signer.words} are believed now: {file}")
