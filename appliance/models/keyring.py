# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Changing whose bundles a device takes: keys into its folder, fingerprints onto the list of revoked ones."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from appliance.durable import write_durably
from appliance.errors import ConfigError
from appliance.models.keys import (
    FINGERPRINT,
    KEY_NAME,
    REVOKED,
    SUFFIX,
    Signer,
    TrustedKey,
    fingerprint_of,
    grouped,
    read_public_key,
    revoked_in,
)

FILE_MODE: Final = 0o644
FOLDER_MODE: Final = 0o755
PUBLIC: Final = ".public"
"""What a public key's file has before `.pem` where it was made; not part of its name here."""


def looked_at(file: Path, *, name: str | None = None) -> TrustedKey:
    """The public key in `file`, under the name that it would have here; nothing is trusted yet.

    Raises ModelBundleError when it holds none, ConfigError when the name cannot be shown.
    """
    key = read_public_key(file)
    called = name or file.stem.removesuffix(PUBLIC)
    if not KEY_NAME.fullmatch(called):
        raise ConfigError(
            f"A key cannot be called {called!r}.",
            remedy="Give it a --name of letters, digits, dots, dashes and underscores.",
        )
    return TrustedKey(signer=Signer(name=called, fingerprint=fingerprint_of(key)), key=key)


def add_key(candidate: TrustedKey, *, folder: Path) -> Path:
    """Put the key into the folder of trusted ones and return its file there. Adding it twice does no harm.

    Raises ConfigError when another key has its name, it was revoked here or the folder cannot be written,
    ModelBundleError when the list of revoked ones is damaged.
    """
    signer = candidate.signer
    if signer.fingerprint in revoked_in(folder):
        raise ConfigError(
            f"The key {grouped(signer.fingerprint)} was revoked here.",
            remedy=f"Ask its owner for their new key. If it was a mistake, mend {folder / REVOKED}.",
        )
    file = folder / f"{signer.name}{SUFFIX}"
    if file.exists() and fingerprint_of(read_public_key(file)) != signer.fingerprint:
        raise ConfigError(
            f"There is another key called {signer.name} in {folder}.",
            remedy="Give this one another --name; remove the other only if nothing needs it.",
        )
    _publish(file, candidate.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return file


def revoke(fingerprint: str, *, folder: Path) -> Path:
    """Put a fingerprint onto the list of revoked keys and return the list's file.

    Raises ConfigError when it is no fingerprint or the list cannot be written, ModelBundleError when it is
    damaged.
    """
    if not FINGERPRINT.fullmatch(fingerprint):
        raise ConfigError(
            f"{fingerprint[:80]!r} is no fingerprint of a key.",
            remedy="Give all 64 hexadecimal digits; `scanside models keys` shows those of the known keys.",
        )
    file = folder / REVOKED
    if fingerprint not in revoked_in(folder):
        before = file.read_bytes() if file.exists() else b""
        ended = before if not before or before.endswith(b"\n") else before + b"\n"
        _publish(file, ended + f"{fingerprint}\n".encode("ascii"))
    return file


def _publish(file: Path, content: bytes) -> None:
    """Readable by the user of the appliance, whatever the umask of whoever administers it."""
    try:
        if not file.parent.is_dir():
            file.parent.mkdir(parents=True)
            file.parent.chmod(FOLDER_MODE)
        write_durably(file, content)
        file.chmod(FILE_MODE)
    except OSError as error:
        raise ConfigError(
            f"{file} cannot be written: {error.strerror}.",
            remedy="Do it as the administrator (sudo), or name another folder in the settings.",
        ) from error
