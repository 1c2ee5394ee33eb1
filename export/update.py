# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside update pack`: from a folder of wheels to a signed update of the software.

The folder holds Scanside's own wheel, one wheel for every package that its lock names for the target, pip's,
and nothing else. `pip download` fetches them; docs/updates.md shows it from end to end.
"""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.clock import SystemClock
from appliance.commands.say import errors_in_words
from appliance.domain.record import to_json
from appliance.durable import CHUNK_BYTES, WholeFile, sync_folder
from appliance.errors import ConfigError
from appliance.models.signature import sign
from appliance.updates.bundle import (
    FORMAT,
    MANIFEST,
    NAME,
    PIP_WHEEL,
    PROJECT_WHEEL,
    SIGNATURE,
    SUBJECT,
    WHEEL,
    BundleFile,
    Manifest,
    Target,
)
from appliance.updates.install import this_target
from export.keys import PassphraseFile, open_key, read_passphrase

COMPILED: Final = 1.6
"""What is installed against what is unpacked: compiled Python beside its source. Measured: 1.3."""


@dataclass(frozen=True)
class _Subject:
    """What the signature speaks of."""

    release: int
    task: str = SUBJECT
    name: str = NAME


def manifest_of(
    wheels: list[Path],
    *,
    release: int,
    security_floor: int,
    changes: tuple[str, ...],
    target: Target,
    made_at_utc: str,
) -> Manifest:
    """What these wheels say of themselves. Raises ConfigError when they are no whole update."""
    for wheel in wheels:
        if not WHEEL.fullmatch(wheel.name):
            raise ConfigError(f"{wheel.name} is no wheel.", remedy="Leave only wheels in the folder.")
    own = [wheel for wheel in wheels if PROJECT_WHEEL.fullmatch(wheel.name)]
    if len(own) != 1 or sum(bool(PIP_WHEEL.fullmatch(wheel.name)) for wheel in wheels) != 1:
        raise ConfigError(
            "The folder does not hold Scanside's own wheel and pip's wheel, once each.",
            remedy="make wheel; pip download --no-deps pip -d FOLDER",
        )
    if security_floor > release:
        raise ConfigError(
            f"The security floor {security_floor} is above the release {release} itself.",
            remedy="The floor is the oldest release that may still run once this one has proved itself.",
        )
    if not changes or not all(changes):
        raise ConfigError(
            "Nothing says what changed.", remedy="Write a sentence a line into the file of --changes."
        )
    unpacked = 0
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as packed:
            unpacked += sum(entry.file_size for entry in packed.infolist())
    return Manifest(
        format=FORMAT,
        version=own[0].name.split("-")[1],
        release=release,
        security_floor=security_floor,
        target=target,
        installed_bytes=round(unpacked * COMPILED),
        changes=changes,
        made_at_utc=made_at_utc,
        files=tuple(
            BundleFile(name=wheel.name, size_bytes=wheel.stat().st_size, sha256=_sha256(wheel))
            for wheel in wheels
        ),
    )


def signed_files(manifest: Manifest, key: Ed25519PrivateKey) -> dict[str, bytes]:
    """MANIFEST and SIGNATURE."""
    content = (json.dumps(json.loads(to_json(manifest)), indent=1) + "\n").encode()
    return {MANIFEST: content, SIGNATURE: sign(content, key, of=_Subject(manifest.release))}


def pack_update(wheels: list[Path], manifest: Manifest, key: Ed25519PrivateKey, out: Path) -> None:
    """Write the update as one file, whole or not at all. Raises OSError."""
    with WholeFile(out) as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as packed:  # type: ignore[call-overload]  # nobody closes it
            for name, content in signed_files(manifest, key).items():
                packed.writestr(name, content)
            for wheel in wheels:
                packed.write(wheel, wheel.name)
        file.finish()
    sync_folder(out.parent)


def _sha256(file: Path) -> str:
    found = hashlib.sha256()
    with file.open("rb") as opened:
        while chunk := opened.read(CHUNK_BYTES):
            found.update(chunk)
    return found.hexdigest()


def pack(  # noqa: PLR0913  (the options of a command)
    wheels: Annotated[Path, typer.Argument(help="Folder of wheels.", exists=True, file_okay=False)],
    *,
    out: Annotated[Path, typer.Option(help="The update, for example scanside-0.2.0.update.")],
    release: Annotated[int, typer.Option(min=1, help="Counts up with every release.")],
    changes: Annotated[Path, typer.Option(exists=True, help="Text: what changed, a sentence a line.")],
    key: Annotated[Path, typer.Option(help="Private key to sign with (PEM).")],
    floor: Annotated[
        int,
        typer.Option(min=0, help="Nothing below this release runs any more once this one has proved itself."),
    ] = 0,
    machine: Annotated[str | None, typer.Option(help="As `uname -m` says it. Default: this one.")] = None,
    python: Annotated[str | None, typer.Option(help="For example 3.11. Default: this one.")] = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Sign a folder of wheels as an update of the software, and write it as one file."""
    with errors_in_words():
        here = this_target()
        target = Target(machine=machine or here.machine, python=python or here.python)
        if not re.fullmatch(r"3\.\d+", target.python):
            raise ConfigError(
                f"{target.python} is no version of Python.", remedy="For example: --python 3.11"
            )
        said = tuple(
            line.strip() for line in changes.read_text(encoding="utf-8").splitlines() if line.strip()
        )
        found = sorted(wheels.iterdir())
        manifest = manifest_of(
            found,
            release=release,
            security_floor=floor,
            changes=said,
            target=target,
            made_at_utc=SystemClock().now_utc().isoformat(timespec="seconds"),
        )
        opened = open_key(key, passphrase=read_passphrase(passphrase_file))
        pack_update(found, manifest, opened, out)
        typer.echo(
            f"{out}: version {manifest.version}, release {release}, {out.stat().st_size // 1024**2} MiB"
        )


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command()(pack)
    app(prog_name="scanside update pack")
