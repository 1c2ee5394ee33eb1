# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside audit`: has anybody meddled with the record of who did what when, and what does it say?"""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from appliance.clock import SystemClock
from appliance.commands.options import DEFAULT_DATA, Config, Data
from appliance.commands.say import AsJson, errors_in_words, say_json, table
from appliance.config import load_settings
from appliance.domain.audit import AuditEvent, AuditHead, AuditKind
from appliance.errors import ConfigError, ExitCode
from appliance.layout import Layout

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

audit = typer.Typer(no_args_is_help=True, help="The audit trail: check it, read it, say where it ends.")
Anchors = Annotated[
    list[Path] | None,
    typer.Option(
        "--anchor",
        exists=True,
        dir_okay=False,
        help="A file of anchors from another medium, or with what `audit head` said. Can be given several "
        "times.",
    ),
]


@audit.command("verify")
def verify(
    *, anchor: Anchors = None, data: Data = DEFAULT_DATA, config: Config = None, as_json: AsJson = False
) -> None:
    """Read every row and every anchor. Exit code 1 when anybody has meddled with them.

    Changes nothing, and may run beside the appliance. Without an anchor from another medium an older copy of
    the whole data folder would not be noticed; the answer says so.
    """
    from appliance.device_key import audit_key_of, device_key  # noqa: PLC0415  (--help stays quick)
    from appliance.domain.record import to_plain  # noqa: PLC0415
    from appliance.store.anchors import anchors_beside  # noqa: PLC0415
    from appliance.store.audit import Trail  # noqa: PLC0415
    from appliance.store.audit_check import check_trail  # noqa: PLC0415
    from appliance.store.connection import Database  # noqa: PLC0415

    with errors_in_words():
        settings, layout = load_settings(config), Layout(data=data.resolve())
        with Database.open_to_read(layout.database, data=layout.data, clock=SystemClock()) as database:
            key = device_key(layout.keys)
            sealing = audit_key_of(key)
            beside = list(anchors_beside(layout.data, sealing))  # before the rows: it may run meanwhile
            outside = list(_outside(settings.audit.anchor_folder, key, anchor or []))
            report = check_trail(Trail(database), key=sealing, beside=beside, outside=outside)
        if as_json:
            say_json(to_plain(report))
        else:
            _say(report.count, report.anchors_beside, report.anchors_outside, report.faults)
        raise typer.Exit(ExitCode.FOUND_FAULTS if report.faults else ExitCode.OK)


@audit.command("head")
def head(*, data: Data = DEFAULT_DATA, as_json: AsJson = False) -> None:
    """Say where the trail ends, signed by this device: to be printed, mailed or kept by somebody else.

    A file with such lines is what `audit verify --anchor` takes.
    """
    from appliance.device_key import device_key  # noqa: PLC0415  (--help stays quick)
    from appliance.store.anchors import signed_line  # noqa: PLC0415
    from appliance.store.audit import Trail  # noqa: PLC0415
    from appliance.store.connection import Database  # noqa: PLC0415

    with errors_in_words():
        layout = Layout(data=data.resolve())
        with Database.open_to_read(layout.database, data=layout.data, clock=SystemClock()) as database:
            end = Trail(database).head()
        line = signed_line(device_key(layout.keys), end)
        if as_json:
            typer.echo(line)
        else:
            typer.echo(f"{end.count} rows, the last of {end.at_utc or 'never'}\nSHA-256  {end.hash}\n{line}")


@audit.command("export")
def export(
    *,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Print every row as a DICOM audit message (PS3.15 A.5), one XML element a line; with --json as rows.

    Reading it is a row of the trail itself. No row names a patient.
    """
    from appliance.domain.record import to_plain  # noqa: PLC0415  (--help stays quick)
    from appliance.outputs.audit_message import as_text, message_of  # noqa: PLC0415
    from appliance.store.audit import Trail, note_alone  # noqa: PLC0415
    from appliance.store.connection import Database  # noqa: PLC0415

    with errors_in_words():
        settings, layout = load_settings(config), Layout(data=data.resolve())
        if not layout.database.exists():
            raise ConfigError(f"There is no store at {layout.database}.", remedy="Name the --data folder.")
        with Database.open(layout.database, data=layout.data, clock=SystemClock()) as database:
            note_alone(database, AuditEvent(kind=AuditKind.TRAIL_READ, who=who_runs_this()))
            source = settings.site_name or settings.listener.ae_title
            for row in Trail(database).rows():
                if as_json:
                    say_json(to_plain(row))
                else:
                    typer.echo(as_text(message_of(row, source=source)))


def who_runs_this() -> str:
    """The user of this machine, as the trail names them."""
    with suppress(OSError, KeyError):
        return f"user {getpass.getuser()}"
    return "user unknown"


def note_command(layout: Layout, kind: AuditKind, *about: tuple[str, str]) -> None:
    """A row about what a command did, where there is an appliance whose trail it can be a part of.

    Raises StoreError: then the command should not be taken for done.
    """
    from appliance.store.audit import note_alone  # noqa: PLC0415  (--help stays quick)
    from appliance.store.connection import Database  # noqa: PLC0415

    if not layout.database.exists():
        return
    event = AuditEvent(kind=kind, who=who_runs_this(), about=about)
    with (
        _as_owner_of(layout.database),
        Database.open(layout.database, data=layout.data, clock=SystemClock()) as database,
    ):
        note_alone(database, event)


@contextmanager
def _as_owner_of(file: Path) -> Iterator[None]:
    """Root writes as the appliance's user: a file of root's beside the store would shut the appliance out."""
    owner = file.stat()
    if os.geteuid() != 0 or owner.st_uid == 0:
        yield
        return
    os.setegid(owner.st_gid)
    os.seteuid(owner.st_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def _outside(folder: str, key: Ed25519PrivateKey, files: list[Path]) -> Iterator[AuditHead | str]:
    from appliance.store.anchors import anchors_in, outside_file  # noqa: PLC0415  (--help stays quick)

    known = [outside_file(Path(folder), key)] if folder else []
    there = [file for file in known if file.exists()]
    return chain.from_iterable(anchors_in(file, key.public_key()) for file in (*there, *files))


def _say(count: int, beside: int, outside: int, faults: tuple[str, ...]) -> None:
    if faults:
        table("Somebody has meddled with the audit trail", ("found",), [(fault,) for fault in faults])
    else:
        typer.echo(f"{count} rows, each follows the one before it; {beside} anchors beside the store agree.")
    if outside:
        typer.echo(f"{outside} anchors from another medium agree.")
    else:
        typer.echo(
            "No anchor from another medium was compared: an older copy of the whole data folder would not be"
            " noticed. Set audit.anchor_folder, or give --anchor."
        )
