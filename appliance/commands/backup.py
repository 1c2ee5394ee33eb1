# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside backup` and `scanside restore`: what the device knows, on another medium and back."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from appliance.clock import SystemClock
from appliance.commands.options import DEFAULT_DATA, Config, Data
from appliance.commands.progress import moving_bar
from appliance.commands.say import AsJson, errors_in_words, say_json, table
from appliance.errors import ExitCode
from appliance.layout import Layout


def backup(
    folder: Annotated[Path, typer.Argument(help="A stick or a share: a new folder is made there.")],
    *,
    images: Annotated[bool, typer.Option("--images", help="Images and DICOM results, too.")] = False,
    keys: Annotated[bool, typer.Option("--keys", help="The device's secret keys, too; only sealed.")] = False,
    recipient: Annotated[
        list[str] | None,
        typer.Option("--recipient", help="Seal it for this age or ssh recipient; give it again for more."),
    ] = None,
    data: Data = DEFAULT_DATA,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Copy the store, the audit trail's anchors, models and settings while the appliance runs.

    Every file is read back, and the copied store and its audit trail are checked, before the backup gets its
    name. The store holds names of patients: seal it, or keep the medium as you keep images. Exit code 1 when
    the audit trail had faults already: they are in the backup, too.
    """
    from appliance.backup.writing import BackupWish, make_backup  # noqa: PLC0415  (--help stays quick)
    from appliance.commands.audit import note_command  # noqa: PLC0415
    from appliance.configuration.last_good import settings_for_running  # noqa: PLC0415
    from appliance.domain.audit import AuditKind  # noqa: PLC0415

    with errors_in_words():
        layout, clock = Layout(data=data.resolve()), SystemClock()
        settings = settings_for_running(config, layout).settings
        named = config if config is not None and config.is_file() else None
        wish = BackupWish(images=images, keys=keys, recipients=tuple(recipient or ()), settings_file=named)
        with moving_bar("copying", hidden=as_json) as progress:
            made, manifest = make_backup(
                folder.resolve(), wish, settings=settings, layout=layout, clock=clock, progress=progress
            )
        note_command(
            layout, AuditKind.EXPORTED, ("backup", "sealed" if manifest.is_sealed else "in the clear")
        )
        size_bytes = sum(part.size_bytes for part in manifest.parts)
        if as_json:
            say_json(
                {
                    "backup": str(made),
                    "files": len(manifest.parts),
                    "size_bytes": size_bytes,
                    "audit_rows": manifest.audit_rows,
                    "sealed": manifest.is_sealed,
                    "left_out": list(manifest.left_out),
                    "trail_faults": list(manifest.trail_faults),
                }
            )
        else:
            typer.echo(
                f"{made}: {len(manifest.parts)} files, {size_bytes / 1024**2:.1f} MiB, read back and checked."
            )
            rows: list[tuple[str, ...]] = [(words,) for words in manifest.left_out]
            table("Not in it", ("what",), rows)
            if not manifest.is_sealed:
                typer.echo("It is not sealed: whoever has the medium can read names of patients.")
            for fault in manifest.trail_faults:
                typer.echo(f"The audit trail had a fault already: {fault}", err=True)
        raise typer.Exit(ExitCode.FOUND_FAULTS if manifest.trail_faults else ExitCode.OK)


def restore(
    folder: Annotated[Path, typer.Argument(help="The folder that `scanside backup` made.")],
    *,
    check: Annotated[bool, typer.Option("--check", help="Only read and compare every file.")] = False,
    identity: Annotated[
        list[Path] | None,
        typer.Option("--identity", help="File with the age or ssh identity that it was sealed for."),
    ] = None,
    key: Annotated[
        Path | None, typer.Option("--key", help="Public key of the device that it must be of (PEM).")
    ] = None,
    new_key: Annotated[
        bool, typer.Option("--new-key", help="Go on although the device's secret key is lost.")
    ] = False,
    data: Data = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """Put a backup back, after every hash and its audit trail were checked; say what is missing.

    Never over a store that is whole and newer. Files that are here already stay; the store that was here is
    moved aside. Stop the appliance first.
    """
    from appliance.backup.restoring import check_backup  # noqa: PLC0415  (--help stays quick)
    from appliance.backup.restoring import restore as put_back  # noqa: PLC0415
    from appliance.commands.audit import who_runs_this  # noqa: PLC0415
    from appliance.commands.store import PROCESSES  # noqa: PLC0415
    from appliance.courier.sealing import identities_in  # noqa: PLC0415
    from appliance.domain.record import to_plain  # noqa: PLC0415
    from appliance.processes.lock import only_one  # noqa: PLC0415

    with errors_in_words(), ExitStack() as locks:
        layout = Layout(data=data.resolve())
        if check:
            with moving_bar("comparing", hidden=as_json) as progress:
                manifest = check_backup(folder, key_file=key, progress=progress)
            if as_json:
                say_json({"whole": True, "files": len(manifest.parts), "device": manifest.device})
            else:
                typer.echo(
                    f"Whole: {len(manifest.parts)} files, made {manifest.made_at_utc:%Y-%m-%d %H:%M} UTC."
                )
            return
        layout.run.mkdir(parents=True, exist_ok=True)
        for process in PROCESSES:
            locks.enter_context(only_one(layout.run, process))
        with moving_bar("comparing", hidden=as_json) as progress:
            done = put_back(
                folder,
                layout,
                SystemClock(),
                identities=identities_in(layout.keys, tuple(identity or ())),
                who=who_runs_this(),
                key_file=key,
                new_key=new_key,
                progress=progress,
            )
        if as_json:
            say_json(to_plain(done))
            return
        typer.echo(
            f"Put back: the store with {done.audit_rows} rows of the audit trail, and {done.put_back} files."
        )
        rows: list[tuple[str, ...]] = [("not in the backup", words) for words in done.left_out]
        rows += [("kept as it was here", path) for path in done.kept]
        if done.missing_images:
            rows.append(
                ("images missing", f"{done.missing_images}: copy them from the old disk, or send them again")
            )
        if done.lost_rows:
            rows.append(("lost", f"{done.lost_rows} rows of the audit trail, written after the backup"))
        if done.old_store is not None:
            rows.append(("moved aside", done.old_store))
        if done.settings is not None:
            rows.append(("settings file", f"{done.settings}: put it where --config looks"))
        table("What to know", ("", "what"), rows)
