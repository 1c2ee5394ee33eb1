# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The device's own key: what it signs, it answers for. Made on first use, and never leaves the data folder.

Ed25519 (RFC 8032) by the library `cryptography`, as a PKCS #8 PEM file that only the appliance's user reads.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from appliance.durable import PART_SUFFIX, sync_folder
from appliance.errors import ConfigError

DEVICE_KEY: Final = "device.pem"
SECRET_MODE: Final = 0o600
FOLDER_MODE: Final = 0o700
OTHERS: Final = 0o077
"""Permission bits of everybody but the owner."""
LINK_BYTES: Final = 16
"""128 bits: no two exams share a link, and nobody guesses one."""


def device_key(folder: Path) -> Ed25519PrivateKey:
    """The private key in `folder`, made now if there is none. Two processes that ask at once get the same.

    Raises ConfigError when it is damaged or others may read it, OSError when the folder cannot be used.
    """
    file = folder / DEVICE_KEY
    content = secret_made_once(file, _new_key)
    try:
        key = load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _damaged(file) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _damaged(file)
    return key


def public_pem(key: Ed25519PrivateKey) -> bytes:
    """The half that others may have, as a PEM file (SubjectPublicKeyInfo, RFC 8410)."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def link_of(key: Ed25519PrivateKey, exam: str) -> str:
    """A name for an exam from which only this device finds back: 32 hexadecimal digits."""
    derivation = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"scanside link 1")
    tag = HMAC(derivation.derive(key.private_bytes_raw()), hashes.SHA256())
    tag.update(exam.encode("utf-8"))
    return tag.finalize()[:LINK_BYTES].hex()


def audit_key_of(key: Ed25519PrivateKey) -> bytes:
    """What the rows of the audit trail are sealed with: 32 bytes that only this device has."""
    derivation = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"scanside audit 1")
    return derivation.derive(key.private_bytes_raw())


def secret_made_once(file: Path, make: Callable[[], bytes]) -> bytes:
    """The content of a file that only its owner reads; what `make` gives is written there if there is none.

    Durable before it is returned: what was signed or opened with a secret must not outlive it.
    Raises ConfigError when others may read it.
    """
    try:
        return _read_secret(file)
    except FileNotFoundError:
        file.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    part = file.with_name(f"{file.name}.{secrets.token_hex(8)}{PART_SUFFIX}")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, SECRET_MODE)
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write(make())
            opened.flush()
            os.fsync(opened.fileno())
        with suppress(FileExistsError):
            os.link(part, file)  # unlike a rename it never replaces the key that another process made
        sync_folder(file.parent)
    finally:
        part.unlink()
    return _read_secret(file)


def _read_secret(file: Path) -> bytes:
    with file.open("rb") as opened:
        if os.fstat(opened.fileno()).st_mode & OTHERS:
            raise ConfigError(
                f"The secret key {file} can be read by others on this machine.",
                remedy=f"chmod 600 {file}; if somebody may have copied it, remove it and tell your partners.",
            )
        return opened.read()


def _new_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _damaged(file: Path) -> ConfigError:
    return ConfigError(
        f"{file} is no Ed25519 private key.",
        remedy="Restore it from a backup, or remove it: a new key is made, and your partners must be told.",
    )
