# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Keys that sign model bundles: make one, show one, open one.

    python -m export.keys new clinic-west.pem
    python -m export.keys show clinic-west.public.pem

The private key is PKCS#8 in PEM, encrypted with a passphrase, readable by its owner only, and never
written over another file. The public one beside it is what devices get to trust (`scanside models trust`).
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Annotated, Final

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from appliance.commands.say import errors_in_words
from appliance.errors import ConfigError
from appliance.models.keys import MAX_KEY_FILE_BYTES, fingerprint_of, grouped, read_public_key

MIN_PASSPHRASE: Final = 15
"""Characters; NIST SP 800-63B-4 asks for as many where a passphrase is all that protects."""
OWNER_ONLY: Final = 0o600
READABLE: Final = 0o644
PUBLIC: Final = ".public.pem"

PassphraseFile = Annotated[
    Path | None,
    typer.Option(help="File whose first line is the passphrase, for machines. Without it you are asked."),
]


def public_pem(key: Ed25519PublicKey) -> bytes:
    """A public key as devices keep it."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def new_key(file: Path, *, passphrase: str) -> Path:
    """Make a key pair: the private one in `file`, the public one beside it, whose path comes back.

    Raises ConfigError when one of the files exists or the passphrase is too short.
    """
    if len(passphrase) < MIN_PASSPHRASE:
        raise ConfigError(
            f"The passphrase has {len(passphrase)} characters, fewer than {MIN_PASSPHRASE}.",
            remedy="Take a few words that nobody would put together.",
        )
    key = Ed25519PrivateKey.generate()
    public = file.with_name(file.name.removesuffix(".pem") + PUBLIC)
    private_pem = key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase.encode("utf-8"))
    )
    _write_new(file, private_pem, OWNER_ONLY)
    _write_new(public, public_pem(key.public_key()), READABLE)
    return public


def _write_new(file: Path, content: bytes, mode: int) -> None:
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    except FileExistsError as error:
        raise ConfigError(
            f"{file} exists. A key is never written over anything.",
            remedy="Choose another name; move the old key away only if it is revoked everywhere.",
        ) from error
    with open(handle, "wb") as opened:  # noqa: PTH123  (a descriptor, not a path)
        opened.write(content)
        opened.flush()
        os.fsync(handle)


def open_key(file: Path, *, passphrase: str | None) -> Ed25519PrivateKey:
    """The private key in `file`. Raises ConfigError: unreadable, open to others, or another passphrase."""
    try:
        status = file.stat()
        with file.open("rb") as opened:
            content = opened.read(MAX_KEY_FILE_BYTES)
    except OSError as error:
        raise ConfigError(
            f"The key {file} cannot be read: {error.strerror}.", remedy="Name the private key's file."
        ) from error
    if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(
            f"Others may read the private key {file} (mode {stat.S_IMODE(status.st_mode):o}).",
            remedy=f"chmod 600 {file}; if others could really read it, make a new key and revoke this one.",
        )
    try:
        key = load_pem_private_key(content, passphrase.encode("utf-8") if passphrase else None)
    except (ValueError, TypeError) as error:
        raise ConfigError(
            f"The key {file} does not open: {error}.",
            remedy="Give its own passphrase, and the private key's file, not the public one.",
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(
            f"The key in {file} is of another kind than Ed25519.",
            remedy="Make one: python -m export.keys new NAME.pem",
        )
    return key


def read_passphrase(file: Path | None, *, confirm: bool = False) -> str:
    """The passphrase, from the first line of a file or from whoever sits at the terminal."""
    if file is None:
        return str(typer.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm))
    try:
        return file.read_text(encoding="utf-8").partition("\n")[0]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"No passphrase can be read from {file}: {error}.", remedy="Write it into its first line."
        ) from error


app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Keys that sign model bundles.")


@app.command()
def new(file: Path, *, passphrase_file: PassphraseFile = None) -> None:
    """Make a key pair: the private key in FILE, the public one in NAME.public.pem beside it."""
    with errors_in_words():
        public = new_key(file, passphrase=read_passphrase(passphrase_file, confirm=True))
        typer.echo(f"Private key: {file}. It never leaves this machine; keep one copy in a safe.")
        typer.echo(f"Public key:  {public}. Give it to the devices that are to trust it, and tell")
        typer.echo("the people there its fingerprint by another way than the file:")
        typer.echo(grouped(fingerprint_of(read_public_key(public))))


@app.command()
def show(file: Path) -> None:
    """Show the fingerprint of a public key."""
    with errors_in_words():
        typer.echo(grouped(fingerprint_of(read_public_key(file))))


if __name__ == "__main__":
    app(prog_name="python -m export.keys")
