# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""This device's own key: what it signs is known to be its own, and links that only it can follow.

Ed25519 (RFC 8032), made on first use, one for each data folder, readable by the appliance's user only. The
public half may be given to anybody.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

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

from appliance.durable import sync_folder
from appliance.errors import StoreError

KEY_FILE: Final = "device.key"
FOLDER_MODE: Final = 0o700
LINK_BYTES: Final = 16
"""128 bits: no two exams share a link, and nobody guesses one."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DeviceKey:
    """The key, loaded."""

    signing: Ed25519PrivateKey = field(repr=False)

    def link_of(self, exam: str) -> str:
        """A name for an exam from which only this device finds back: 32 hexadecimal digits."""
        raw = self.signing.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        secret = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"scanside link 1").derive(raw)
        tag = HMAC(secret, hashes.SHA256())
        tag.update(exam.encode("utf-8"))
        return tag.finalize()[:LINK_BYTES].hex()

    def public_pem(self) -> bytes:
        """The public half, for those who are to check what this device signed."""
        return self.signing.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def device_key(folder: Path) -> DeviceKey:
    """The key in this folder, made now if there is none. Raises StoreError when that cannot be."""
    file = folder / KEY_FILE
    try:
        if not file.exists():
            _make(file)
        key = load_pem_private_key(file.read_bytes(), password=None)
    except OSError as error:
        raise StoreError(
            f"The key of this device {file} cannot be read or made: {error.strerror}.",
            remedy="Check that its disk is mounted, writable and not full, and that the folder is ours.",
        ) from error
    except ValueError as error:
        raise StoreError(
            f"{file} is no key: it is damaged.",
            remedy="Restore it from a backup. Without one, remove it: a new one is made, and slips that were "
            "signed with the old one can be checked only with its public half.",
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise StoreError(f"{file} is a key of another kind.", remedy="Restore it from a backup.")
    return DeviceKey(signing=key)


def _make(file: Path) -> None:
    """Whole or not there, and never over one that another process has made meanwhile."""
    file.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    handle, name = tempfile.mkstemp(dir=file.parent)  # readable by its owner only
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write(pem)
            opened.flush()
            os.fsync(opened.fileno())
        try:
            file.hardlink_to(part)
        except FileExistsError:
            return
    finally:
        part.unlink()
    sync_folder(file.parent)
