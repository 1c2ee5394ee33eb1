# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Pack a model bundle and sign it: the last step of the workshop, and the first that a device checks.

    python -m export.pack build/chest_triage --key clinic-west.pem --out chest_triage-4.zip

The same files and the same key give the same zip, bit for bit: entries in order of name, one fixed date,
stored and not compressed (a compressor's output depends on its version; weights hardly compress). What a
device would refuse is not packed: the result is read back as a device reads it.
"""

from __future__ import annotations

import io
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.commands.say import errors_in_words
from appliance.durable import write_durably
from appliance.errors import ConfigError
from appliance.models.bundle import read_bundle, read_unsigned, unpack_bundle
from appliance.models.contents import MAX_FILE_BYTES, SIGNATURE, SUMS, in_folder, sums_of
from appliance.models.keys import Signer, Trust, TrustedKey, fingerprint_of, grouped
from appliance.models.signature import sign
from export.keys import PassphraseFile, open_key, read_passphrase

ZIP: Final = ".zip"
ZIP_DATE: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest that a zip can say."""
PLAIN_FILE: Final = 0o100644 << 16
"""A regular file, readable by all, in the upper half of a zip's external attributes."""
UNIX: Final = 3
"""The system that a zip entry names as its maker; the attributes above are this one's."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sealed:
    """A bundle's files with the list and the signature that go with them."""

    files: Mapping[str, bytes]
    """All of them, SHA256SUMS and (if signed) SIGNATURE included."""


def seal(folder: Path, *, key: Ed25519PrivateKey | None) -> Sealed:
    """List the files of `folder` and sign the list; nothing is written. None: list only.

    An older SHA256SUMS or SIGNATURE in the folder counts for nothing. Raises ModelBundleError for whatever
    a device would refuse.
    """
    packed = in_folder(folder)
    names = sorted(packed.sizes_bytes.keys() - {SUMS, SIGNATURE})
    files = {name: packed.read(name, MAX_FILE_BYTES) for name in names}
    files[SUMS] = sums_of(files)
    with tempfile.TemporaryDirectory(prefix="scanside-pack-") as scratch:
        copy = Path(scratch) / folder.name
        _write(copy, files)
        card = read_unsigned(copy).card
        if key is not None:
            files[SIGNATURE] = sign(files[SUMS], key, of=card)
            _write(copy, files)
            read_bundle(copy, trust=trust_in(key))
    return Sealed(files=MappingProxyType(files))


def trust_in(key: Ed25519PrivateKey) -> Trust:
    """Trust in the one key that signs: to read back what was just made."""
    signer = Signer(name="this-key", fingerprint=fingerprint_of(key.public_key()))
    trusted = TrustedKey(signer=signer, key=key.public_key())
    return Trust(keys={signer.fingerprint: trusted}, revoked=frozenset(), problems=())


def pack(folder: Path, *, key: Path | None, out: Path, passphrase: str | None = None) -> Path:
    """Sign the bundle in `folder` with the private key in the file `key` and write it to `out`.

    `out`: a file NAME.zip, which is replaced; a folder that does not exist yet; or `folder` itself. Without
    a key there is no SIGNATURE and no device takes the bundle until somebody has signed it. Returns `out`.
    Raises ModelBundleError for a bundle that a device would refuse, ConfigError for a key that does not open
    or a folder that exists, with nothing written.
    """
    opened = None if key is None else open_key(key, passphrase=passphrase)
    in_place = out.resolve() == folder.resolve()
    if out.suffix != ZIP and not in_place and out.exists():
        raise ConfigError(f"{out} exists already.", remedy="Name a folder that does not, or a .zip file.")
    sealed = seal(folder, key=opened)
    if out.suffix == ZIP:
        content = zipped(sealed.files)
        if opened is not None:
            _read_back(content, out.name, trust_in(opened))
        out.parent.mkdir(parents=True, exist_ok=True)
        write_durably(out, content)
    elif in_place:
        write_in_place(folder, sealed)
    else:
        unfinished = out.with_name(out.name + ".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        _write(unfinished, sealed.files)
        unfinished.rename(out)
    return out


def write_in_place(folder: Path, sealed: Sealed) -> None:
    """SHA256SUMS and SIGNATURE into the bundle's own folder; an older SIGNATURE goes."""
    (folder / SIGNATURE).unlink(missing_ok=True)
    for name in (SUMS, SIGNATURE):
        if name in sealed.files:
            write_durably(folder / name, sealed.files[name])


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip of these files; the same files give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, ZIP_DATE)
            entry.external_attr = PLAIN_FILE
            entry.create_system = UNIX
            archive.writestr(entry, files[name])
    return buffer.getvalue()


def _read_back(content: bytes, name: str, trust: Trust) -> None:
    with tempfile.TemporaryDirectory(prefix="scanside-pack-") as scratch:
        archive = Path(scratch) / name
        archive.write_bytes(content)
        read_bundle(unpack_bundle(archive, into=Path(scratch) / "unpacked", trust=trust), trust=trust)


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def main(
    folder: Path,
    *,
    out: Annotated[Path, typer.Option(help="NAME.zip, a new folder, or FOLDER itself to sign it in place.")],
    key: Annotated[
        Path | None,
        typer.Option(help="Private key (python -m export.keys new). Without one the bundle stays unsigned."),
    ] = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """List, sign and pack the model bundle in FOLDER, and read it back as a device would."""
    with errors_in_words():
        passphrase = None if key is None else read_passphrase(passphrase_file)
        done = pack(folder, key=key, out=out, passphrase=passphrase)
        if key is None:
            typer.echo(f"{done}: not signed. No device takes it until somebody has signed it.")
        else:
            fingerprint = fingerprint_of(open_key(key, passphrase=passphrase).public_key())
            typer.echo(f"{done}: signed with the key {grouped(fingerprint)}")


if __name__ == "__main__":
    typer.run(main)
