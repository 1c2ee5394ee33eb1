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

    Raises ConfigError when another key has its name or it was revoked here, ModelBundleError when the list
    of revoked ones is damaged, OSError when the folder cannot be written.
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
    folder.mkdir(parents=True, exist_ok=True)
    write_durably(file, candidate.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return file


def revoke(fingerprint: str, *, folder: Path) -> Path:
    """Put a fingerprint onto the list of revoked keys and return the list's file.

    Raises ConfigError when it is no fingerprint, ModelBundleError when the list is damaged, OSError when it
    cannot be written.
    """
    if not FINGERPRINT.fullmatch(fingerprint):
        raise ConfigError(
            f"{fingerprint[:80]!r} is no fingerprint of a key.",
            remedy="Give all 64 hexadecimal digits; `scanside models keys` shows those of the known keys.",
        )
    file = folder / REVOKED
    if fingerprint not in revoked_in(folder):
        folder.mkdir(parents=True, exist_ok=True)
        before = file.read_text(encoding="utf-8") if file.exists() else ""
        ended = before if not before or before.endswith("\n") else before + "\n"
        write_durably(file, f"{ended}{fingerprint}\n".encode())
    return file
