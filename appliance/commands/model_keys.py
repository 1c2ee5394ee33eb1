# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside models keys`, `trust` and `revoke`: whose model bundles this device takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from appliance.commands.audit import note_command
from appliance.commands.options import DEFAULT_DATA, Config, Data
from appliance.commands.say import AsJson, errors_in_words, say_json, table
from appliance.config import load_settings
from appliance.domain.audit import AuditKind
from appliance.errors import ConfigError, ExitCode
from appliance.layout import Layout

if TYPE_CHECKING:
    from appliance.models.keys import TrustedKey


def list_keys(*, config: Config = None, as_json: AsJson = False) -> None:
    """Show the keys whose bundles this device takes, and those that it takes no more.

    Exit code 1 when a file in the folder of keys is no key, or the list of revoked ones is damaged.
    """
    from appliance.models.keys import grouped  # noqa: PLC0415  (--help stays quick)
    from appliance.processes.models import trusted_keys  # noqa: PLC0415

    with errors_in_words():
        trust = trusted_keys(load_settings(config))
        found = [(key.signer.name, "TRUSTED", key.signer.fingerprint, "") for key in trust.keys.values()]
        found += [("", "REVOKED", fingerprint, "") for fingerprint in sorted(trust.revoked)]
        found += [("", "REFUSED", "", f"{problem.what} {problem.remedy}") for problem in trust.problems]
        if as_json:
            for name, verdict, fingerprint, reason in found:
                say_json({"name": name, "verdict": verdict, "fingerprint": fingerprint, "reason": reason})
        else:
            rows: list[tuple[str, ...]] = [
                (name, verdict, grouped(digits) or reason) for name, verdict, digits, reason in found
            ]
            table("Keys", ("name", "", "fingerprint"), rows)
        raise typer.Exit(ExitCode.FOUND_FAULTS if trust.problems else ExitCode.OK)


def trust_key(
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
    """Take bundles that are signed with this key, from the next start on.

    Shows the fingerprint and asks whether it is the one that the key's owner told you, by telephone or on
    paper: a file that came with the bundles proves nothing about who made either.
    """
    from appliance.domain.record import to_plain  # noqa: PLC0415  (--help stays quick)
    from appliance.models.keyring import add_key  # noqa: PLC0415

    with errors_in_words():
        folder = load_settings(config).model_keys
        candidate = confirmed_key(key, name=name, fingerprint=fingerprint)
        file = add_key(candidate, folder=folder)
        what = ("trusted", candidate.signer.fingerprint)
        note_command(Layout(data=data.resolve()), AuditKind.TRUST, what)
        if as_json:
            say_json(to_plain(candidate.signer) | {"file": str(file)})
        else:
            typer.echo(f"Bundles signed by {candidate.signer.words} are taken from the next start on: {file}")


def confirmed_key(key: Path, *, name: str | None, fingerprint: str | None) -> TrustedKey:
    """The public key in a file, whose fingerprint was given or is confirmed by the person who is asked now.

    Raises ConfigError when it is another one, ModelBundleError when the file holds no key.
    """
    from appliance.models.keyring import looked_at  # noqa: PLC0415  (--help stays quick)
    from appliance.models.keys import grouped, ungrouped  # noqa: PLC0415

    candidate = looked_at(key, name=name)
    if fingerprint is None:
        typer.echo(f"The fingerprint of {key} is\n{grouped(candidate.signer.fingerprint)}", err=True)
        if not typer.confirm("Is it what the key's owner told you, by another way than this file?", err=True):
            raise ConfigError(
                "The key was not taken.", remedy="Ask its owner for the fingerprint by telephone."
            )
    elif ungrouped(fingerprint) != candidate.signer.fingerprint:
        raise ConfigError(
            f"The fingerprint of {key} is {grouped(candidate.signer.fingerprint)}, not the given one.",
            remedy="Do not use this file. Ask the key's owner for theirs, by another way.",
        )
    return candidate


def revoke_key(
    fingerprint: Annotated[str, typer.Argument(help="Of the key, all 64 digits; blanks do not matter.")],
    *,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Take no bundle that is signed with this key any more, from the next start on, wherever the key lies.

    The shipped keys can be revoked, too. Models that only this key has signed serve no longer then.
    """
    from appliance.models.keyring import revoke  # noqa: PLC0415  (--help stays quick)
    from appliance.models.keys import ungrouped  # noqa: PLC0415

    with errors_in_words():
        digits = ungrouped(fingerprint)
        file = revoke(digits, folder=load_settings(config).model_keys)
        note_command(Layout(data=data.resolve()), AuditKind.TRUST, ("revoked", digits))
        if as_json:
            say_json({"revoked": digits, "file": str(file)})
        else:
            typer.echo(f"Bundles signed with that key are refused from the next start on: {file}")
