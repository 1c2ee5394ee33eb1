# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What a backup says about itself: of which device and when, each file with its hash, what is not in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import Field

from appliance.courier.signing import check, sign
from appliance.courier.words import CourierRefusedError
from appliance.device_key import public_pem
from appliance.domain.record import from_json, to_json
from appliance.durable import write_whole
from appliance.errors import InputError, ModelBundleError
from appliance.models.keys import Signer, Trust, TrustedKey, fingerprint_of, grouped, read_public_key

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "SIGNATURE"
DEVICE_KEY: Final = "device.pem"
"""The public half, so that anybody can tell whether the list is whole; whose it is, one must know."""
SEALED: Final = ".age"
CONTEXT: Final = b"scanside backup manifest 1\n"
MAX_MANIFEST_BYTES: Final = 256 * 1024**2
"""A million images."""
PartPath = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+\-]*(/[A-Za-z0-9][A-Za-z0-9._@+\-]*)*$")]
"""Relative, with slashes; no part of it begins with a dot, so none leads out of the folder."""
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0, le=2**53)]


class BackupRefusedError(InputError):
    """This backup is not what it says it is, or does not belong here. Nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupPart:
    """One file, under its place in the data folder."""

    path: PartPath
    sha256: Hash
    """Of the bytes as they lie in the backup: of a sealed file, those that are sealed."""
    size_bytes: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupManifest:
    """The list that is signed."""

    format: Literal["scanside backup 1"]
    device: Hash
    """Fingerprint of the device's key."""
    site_name: Annotated[str, Field(max_length=64)]
    made_at_utc: datetime
    software: str
    store_version: Count
    audit_rows: Count
    """Where the audit trail of the copied store ends."""
    audit_hash: Hash
    trail_faults: tuple[str, ...]
    """What was wrong with the trail already when it was copied."""
    is_sealed: bool
    has_images: bool
    has_keys: bool
    parts: tuple[BackupPart, ...]
    left_out: tuple[str, ...]
    """What is not in it, in words."""


def write_manifest(folder: Path, manifest: BackupManifest, key: Ed25519PrivateKey) -> None:
    """The list, its signature and the public key, read back. Raises OSError."""
    content = to_json(manifest).encode("utf-8")
    write_whole(folder / DEVICE_KEY, public_pem(key))
    write_whole(folder / SIGNATURE, sign(content, key, context=CONTEXT))
    write_whole(folder / MANIFEST, content)


def read_manifest(folder: Path, *, key_file: Path | None = None) -> BackupManifest:
    """The list, if it is as its device signed it.

    `key_file`: the public key of the device that it must be of. Raises BackupRefusedError.
    """
    what = f"The backup {folder.name}"
    try:
        key = read_public_key(folder / DEVICE_KEY)
        signature = (folder / SIGNATURE).read_bytes()
        with (folder / MANIFEST).open("rb") as opened:
            content = opened.read(MAX_MANIFEST_BYTES + 1)
        if key_file is not None and fingerprint_of(read_public_key(key_file)) != fingerprint_of(key):
            raise BackupRefusedError(
                f"{what} is of {grouped(fingerprint_of(key)[:16])}, not of the device of {key_file.name}.",
                remedy="Take the backup of the right device.",
            )
        signer = Signer(name="its device", fingerprint=fingerprint_of(key))
        trust = Trust(
            keys={signer.fingerprint: TrustedKey(signer=signer, key=key)}, revoked=frozenset(), problems=()
        )
        check(content, signature, trust, context=CONTEXT, what=what)
        manifest = from_json(BackupManifest, content.decode("utf-8"))
    except OSError as error:
        raise BackupRefusedError(
            f"{folder} is no whole backup: {Path(error.filename or folder).name} cannot be read"
            f" ({error.strerror}).",
            remedy="Name the folder that holds manifest.json, or take another backup.",
        ) from error
    except (ModelBundleError, CourierRefusedError) as error:
        raise BackupRefusedError(
            error.what, remedy="Take another backup, and look at this medium."
        ) from error
    except ValueError as error:
        raise BackupRefusedError(
            f"The list of {folder.name} is of a form that this version does not know.",
            remedy="Install the software with which it was made, or a newer one.",
        ) from error
    if manifest.device != signer.fingerprint:
        raise BackupRefusedError(
            f"{what} was signed by another device than it names.", remedy="Take another backup."
        )
    return manifest
