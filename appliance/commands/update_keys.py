# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside update keys, trust, revoke`: whose updates of the software this device takes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from appliance.commands.audit import note_command
from appliance.commands.model_keys import confirmed_key
from appliance.commands.options import DEFAULT_DATA, Config, Data
from appliance.commands.say import AsJson, errors_in_words, say_json, table
from appliance.config import load_settings
from appliance.domain.audit import AuditKind
from appliance.errors import ExitCode
from appliance.layout import Layout


def update_keys(*, config: Config = None, as_json: AsJson = False) -> None:
    """Show the keys whose updates this device takes. Exit code 1 when a file in their folder is no key."""
    from appliance.models.keys import grouped, read_trust  # noqa: PLC0415  (--help stays quick)

    with errors_in_words():
        folder = load_settings(config).update.keys
        trust = read_trust((folder,))
        rows: list[tuple[str, ...]] = [
            (key.signer.name, "TRUSTED", key.signer.fingerprint) for key in trust.keys.values()
        ]
        rows += [("", "REVOKED", fingerprint) for fingerprint in sorted(trust.revoked)]
        if as_json:
            for name, verdict, fingerprint in rows:
                say_json({"name": name, "verdict": verdict, "fingerprint": fingerprint})
        else:
            table(
                f"Keys in {folder}",
                ("name", "", "fingerprint"),
                [(name, verdict, grouped(digits)) for name, verdict, digits in rows],
            )
        for problem in trust.problems:
            typer.echo(f"scanside: {problem.what}\n  {problem.remedy}", err=True)
        raise typer.Exit(ExitCode.FOUND_FAULTS if trust.problems else ExitCode.OK)


def trust_update_key(
    key: Annotated[Path, typer.Argument(help="Public key as a PEM file.")],
    *,
    fingerprint: Annotated[
        str | None,
        typer.Option(help="The fingerprint that its owner told you; compared instead of asking you."),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="What the key is to be called here. Default: its file's name.")
    ] = None,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Take updates that are signed with this key. Whoever holds it may let this device run anything.

    Shows the fingerprint and asks whether it is the one that the key's owner told you by another way.
    """
    from appliance.domain.record import to_plain  # noqa: PLC0415  (--help stays quick)
    from appliance.models.keyring import add_key  # noqa: PLC0415

    with errors_in_words():
        candidate = confirmed_key(key, name=name, fingerprint=fingerprint)
        file = add_key(candidate, folder=load_settings(config).update.keys)
        what = ("trusted for updates", candidate.signer.fingerprint)
        note_command(Layout(data=data.resolve()), AuditKind.TRUST, what)
        if as_json:
            say_json(to_plain(candidate.signer) | {"file": str(file)})
        else:
            typer.echo(f"Updates signed by {candidate.signer.words} are taken from now on: {file}")


def revoke_update_key(
    fingerprint: Annotated[str, typer.Argument(help="Of the key, all 64 digits; blanks do not matter.")],
    *,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Take no update that is signed with this key any more. What is installed already stays."""
    from appliance.models.keyring import revoke  # noqa: PLC0415  (--help stays quick)
    from appliance.models.keys import ungrouped  # noqa: PLC0415

    with errors_in_words():
        digits = ungrouped(fingerprint)
        file = revoke(digits, folder=load_settings(config).update.keys)
        note_command(Layout(data=data.resolve()), AuditKind.TRUST, ("revoked for updates", digits))
        if as_json:
            say_json({"revoked": digits, "file": str(file)})
        else:
            typer.echo(f"Updates signed with that key are refused from now on: {file}")
