# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside update`: new software from a stick, beside the one that runs; to it, and back."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

import typer

from appliance.clock import SystemClock
from appliance.commands.audit import note_command
from appliance.commands.export import PASSED_ON
from appliance.commands.options import DEFAULT_DATA, Config, Data
from appliance.commands.say import AsJson, errors_in_words, say_json, table
from appliance.commands.update_keys import revoke_update_key, trust_update_key, update_keys
from appliance.commands.update_trial import judge_trial, settle_store
from appliance.config import load_settings
from appliance.domain.audit import AuditKind
from appliance.errors import ExitCode, ModelBundleError, StoreError, UpdateError
from appliance.layout import Layout

update = typer.Typer(
    no_args_is_help=True,
    help="Updates of the software: check and install them from a stick, change to them, go back.",
)
update.command("keys")(update_keys)
update.command("trust")(trust_update_key)
update.command("revoke")(revoke_update_key)
update.command("settle")(settle_store)
update.command("judge")(judge_trial)

Bundle = Annotated[Path, typer.Argument(help="The update: one file, or a folder.", exists=True)]
Root = Annotated[
    Path | None,
    typer.Option(
        "--root",
        help="Folder of the two slots. Default: the one that this software runs from, or "
        "/var/lib/scanside-software.",
        envvar="SCANSIDE_SOFTWARE_ROOT",
    ),
]


@contextmanager
def _refusals_in_words() -> Iterator[None]:
    """An update that is refused is this command's answer, not a fault of the software."""
    with errors_in_words():
        try:
            yield
        except (UpdateError, ModelBundleError) as error:
            typer.echo(f"scanside: {error.what}\n  {error.remedy}", err=True)
            raise typer.Exit(ExitCode.FOUND_FAULTS) from error


def _root(given: Path | None) -> Path:
    from appliance.updates.places import DEFAULT_ROOT, own_root  # noqa: PLC0415  (--help stays quick)

    return (given or own_root() or DEFAULT_ROOT).resolve()


@update.command("pack", context_settings=PASSED_ON, add_help_option=False)
def pack(context: typer.Context) -> None:
    """From a folder of wheels to a signed update. A program of the workshop: `--help` shows its options."""
    command = [sys.executable, "-m", "export.update", *(context.args or ["--help"])]
    raise typer.Exit(subprocess.run(command, check=False).returncode)


@update.command("check")
def check(bundle: Bundle, *, root: Root = None, config: Config = None, as_json: AsJson = False) -> None:
    """Read every byte of an update and say whether this device would take it. Changes nothing.

    Exit code 1 when it is refused, with the reason.
    """
    from appliance.domain.record import to_plain  # noqa: PLC0415  (--help stays quick)
    from appliance.models.keys import read_trust  # noqa: PLC0415
    from appliance.updates.install import check as look_through  # noqa: PLC0415

    with _refusals_in_words():
        trust = read_trust((load_settings(config).update.keys,))
        checked = look_through(bundle, root=_root(root), trust=trust)
        manifest = checked.manifest
        if as_json:
            say_json(to_plain(manifest) | {"signer": to_plain(checked.signer)})
            return
        rows: list[tuple[str, ...]] = [
            ("version", f"{manifest.version}, release {manifest.release}"),
            ("signed by", checked.signer.words),
            ("what changed", "\n".join(manifest.changes)),
            ("takes", f"{manifest.installed_bytes // 1024**2} MiB, {len(manifest.files)} packages"),
        ]
        table("This device takes it", ("", ""), rows)


@update.command("install")
def install(
    bundle: Bundle,
    *,
    root: Root = None,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Install an update into the slot that does not run. The appliance goes on; nothing changes yet.

    Exit code 1 when it is refused. An installation that is cut short is not there; begin it again.
    """
    from appliance.models.keys import read_trust  # noqa: PLC0415  (--help stays quick)
    from appliance.updates.choice import read_choice  # noqa: PLC0415
    from appliance.updates.install import install as put_in  # noqa: PLC0415

    with _refusals_in_words():
        where, trust = _root(root), read_trust((load_settings(config).update.keys,))
        say = (lambda _words: None) if as_json else (lambda words: typer.echo(f"... {words}", err=True))
        slot, new = put_in(bundle, root=where, trust=trust, clock=SystemClock(), progress=say)
        if new:
            note_command(
                Layout(data=data.resolve()),
                AuditKind.UPDATE,
                ("installed", slot.version),
                ("release", str(slot.release)),
                ("update", slot.bundle),
            )
        if as_json:
            say_json({"version": slot.version, "release": slot.release, "slot": slot.name, "installed": new})
            return
        done = "is installed" if new else "was installed already"
        chosen = read_choice(where)
        first = chosen is not None and chosen.serves == slot.name
        use = "It is the first here: the launcher starts it" if first else "Use it: scanside update switch"
        typer.echo(f"Version {slot.version} {done}. What changed:\n{slot.changes}\n{use}")


@update.command("switch")
def switch(
    *, root: Root = None, data: Data = DEFAULT_DATA, config: Config = None, as_json: AsJson = False
) -> None:
    """Change to the software that was installed. It has to prove itself, or the old one runs again.

    Senders get no acknowledgement for the seconds of the change and send again.
    """
    from appliance.updates import steps  # noqa: PLC0415  (--help stays quick)

    with _refusals_in_words():
        limit_s = load_settings(config).update.prove_within_s
        wanted = steps.what_may_run(_root(root))
        # First the row: a moment later the store may be on its way to the newer software.
        note_command(Layout(data=data.resolve()), AuditKind.UPDATE, ("chosen", wanted.version))
        slot = steps.switch(_root(root), limit_s=limit_s, clock=SystemClock())
        _say_change(_root(root), slot.version, as_json=as_json)


@update.command("rollback")
def rollback(*, root: Root = None, data: Data = DEFAULT_DATA, as_json: AsJson = False) -> None:
    """Go back to the software that ran before, at once. Images that came since are kept and answered."""
    from appliance.updates import steps  # noqa: PLC0415  (--help stays quick)

    with _refusals_in_words():
        wanted = steps.what_ran_before(_root(root))
        # First the row: a moment later the store may be on its way to the older software. A store that takes
        # none must not keep anybody from going back; the launcher notes the change, too.
        with suppress(StoreError):
            note_command(Layout(data=data.resolve()), AuditKind.UPDATE, ("back to", wanted.version))
        slot = steps.go_back(_root(root), clock=SystemClock())
        _say_change(_root(root), slot.version, as_json=as_json)


@update.command("status")
def status(*, root: Root = None, as_json: AsJson = False) -> None:
    """What runs, since when and why, what changed with it, and what it could go back to."""
    from appliance.domain.record import to_plain  # noqa: PLC0415  (--help stays quick)
    from appliance.updates.places import read_software  # noqa: PLC0415

    with _refusals_in_words():
        where = _root(root)
        found = read_software(where)
        if found is None:
            raise UpdateError(
                f"No software is installed in slots under {where}.",
                remedy="Name the folder with --root, or install there: `scanside update install`.",
            )
        if as_json:
            say_json(to_plain(found))
            return
        proved = "has proved itself" if found.confirmed else f"on trial, start {found.tries}"
        rows: list[tuple[str, ...]] = [
            ("runs" if found.runs else "starts next", f"{found.version} (release {found.release}), {proved}"),
            ("since", found.since_utc or "unknown"),
            ("why", found.note),
            ("what changed", "\n".join(found.changes)),
            ("back to", found.back_to or found.no_way_back),
            ("also installed", found.waiting or "nothing"),
            ("nothing below", f"release {max(found.highest, found.floor)}; security floor {found.floor}"),
        ]
        table("Software", ("", ""), rows)


def _say_change(root: Path, version: str, *, as_json: bool) -> None:
    from appliance.updates.places import is_running  # noqa: PLC0415  (--help stays quick)

    running = is_running(root)
    if as_json:
        say_json({"version": version, "running": running})
        return
    when = "The launcher changes to it now" if running else "It runs from the next start of the launcher on"
    typer.echo(f"{when}: {version}. See: scanside update status")
