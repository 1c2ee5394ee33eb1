# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Whose model bundles this device takes: the public keys it trusts, and those it trusts no more.

A key is an Ed25519 public key in a PEM file (SubjectPublicKeyInfo, RFC 8410); the file's name is the name
under which it is shown. Its fingerprint is the SHA-256 of the 32 raw bytes of the key. A text file
`revoked` in the same folder lists fingerprints, one a line, that count no more, wherever their key lies.
"""

from __future__ import annotations

import hashlib
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from appliance.errors import ModelBundleError

SHIPPED_KEYS: Final = ("models_shipped", "keys")
"""Folder of the appliance package that holds the keys of the shipped bundles."""
SUFFIX: Final = ".pem"
REVOKED: Final = "revoked"
KEY_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
"""It is shown on screens and stands in logs."""
FINGERPRINT: Final = re.compile(r"[0-9a-f]{64}")
MAX_KEY_FILE_BYTES: Final = 4096
"""An Ed25519 public key in PEM takes 113 bytes; the rest is room for a person's comments."""
MAX_REVOKED_BYTES: Final = 1024**2
"""Some ten thousand keys."""
GROUP: Final = 4
"""Digits that a person compares at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Who signed a bundle."""

    name: str
    """The name of the key's file on this device: what the site calls it."""
    fingerprint: str
    """SHA-256 of the raw public key, 64 hexadecimal digits."""

    @property
    def words(self) -> str:
        """For screens: "clinic-west (3f2a 91c0 ...)", enough of it to tell two keys apart at sight."""
        return f"{self.name} ({grouped(self.fingerprint[: 4 * GROUP])} ...)"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedKey:
    """One key of this device."""

    signer: Signer
    key: Ed25519PublicKey


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trust:
    """The keys of this device, by fingerprint."""

    keys: Mapping[str, TrustedKey]
    revoked: frozenset[str]
    problems: tuple[ModelBundleError, ...]
    """Files of the folders that are no keys, and what that leads to. Told, never passed over."""


def grouped(fingerprint: str) -> str:
    """For people: "3f2a 91c0 ..."."""
    return " ".join(fingerprint[at : at + GROUP] for at in range(0, len(fingerprint), GROUP))


def ungrouped(typed: str) -> str:
    """The digits of a fingerprint as a person wrote it, with blanks or colons between them."""
    return typed.replace(" ", "").replace(":", "").lower()


def fingerprint_of(key: Ed25519PublicKey) -> str:
    """SHA-256 of the raw public key, 64 hexadecimal digits."""
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()


def shipped_keys() -> Path:
    """The folder of the keys that come with the appliance."""
    return Path(str(resources.files("appliance"))).joinpath(*SHIPPED_KEYS)


def read_public_key(file: Path) -> Ed25519PublicKey:
    """The key in a PEM file. Raises ModelBundleError when it holds none, or anything else."""
    remedy = "Ask for the Ed25519 public key as a PEM file; a private key stays with whoever signs."
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_KEY_FILE_BYTES + 1)
        if len(content) > MAX_KEY_FILE_BYTES:
            raise ModelBundleError(
                f"The key file {file.name} is larger than {MAX_KEY_FILE_BYTES} bytes.", remedy=remedy
            )
        if b"PRIVATE KEY" in content:
            raise ModelBundleError(f"The key file {file.name} holds a private key.", remedy=remedy)
        key = load_pem_public_key(content)
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise ModelBundleError(f"{file.name} is no public key: {error}.", remedy=remedy) from error
    if not isinstance(key, Ed25519PublicKey):
        raise ModelBundleError(f"The key in {file.name} is of another kind than Ed25519.", remedy=remedy)
    return key


def read_trust(folders: tuple[Path, ...]) -> Trust:
    """The keys of some folders; a folder that does not exist holds none.

    A file that is no key gives no trust and is told in `problems`. A `revoked` list that cannot be read
    takes the trust from every key: nobody could say which of them still count.
    """
    keys: dict[str, TrustedKey] = {}
    revoked: set[str] = set()
    problems: list[ModelBundleError] = []
    unknown = False
    for folder in folders:
        try:
            revoked |= revoked_in(folder)
            found = _key_files(folder)
        except RevokedListError as error:
            problems.append(error)
            unknown = True
            continue
        except ModelBundleError as error:
            problems.append(error)
            continue
        for file in found:
            try:
                trusted = _trusted(file)
            except ModelBundleError as error:
                problems.append(error)
            else:
                keys.setdefault(trusted.signer.fingerprint, trusted)
    left = {} if unknown else {name: key for name, key in keys.items() if name not in revoked}
    return Trust(keys=MappingProxyType(left), revoked=frozenset(revoked), problems=tuple(problems))


class RevokedListError(ModelBundleError):
    """The list of revoked keys cannot be read."""


def _key_files(folder: Path) -> list[Path]:
    try:
        found = sorted(file for file in folder.iterdir() if file.suffix == SUFFIX)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RevokedListError(
            f"The folder of keys {folder} cannot be read ({error.strerror}): no key is trusted, as a list "
            "of revoked ones may lie there.",
            remedy="Let the user of the appliance read it, or set `model_keys`.",
        ) from error
    _refuse_open_to_all(folder)
    return found


def _trusted(file: Path) -> TrustedKey:
    if not KEY_NAME.fullmatch(file.stem):
        raise ModelBundleError(
            f"The key file {file.name!r} has a name that cannot be shown.",
            remedy="Rename it: letters, digits, dots, dashes and underscores.",
        )
    key = read_public_key(file)
    _refuse_open_to_all(file)
    return TrustedKey(signer=Signer(name=file.stem, fingerprint=fingerprint_of(key)), key=key)


def _refuse_open_to_all(path: Path) -> None:
    """Whoever may write here decides whose models this device runs."""
    if path.stat().st_mode & stat.S_IWOTH:
        raise ModelBundleError(
            f"Everybody on this machine may write {path}: nothing in it is trusted.",
            remedy=f"chmod o-w {path}, after a look at what lies there.",
        )


def revoked_in(folder: Path) -> set[str]:
    """The fingerprints on the folder's list; none when there is no list.

    Raises RevokedListError when it cannot be understood to its end.
    """
    file = folder / REVOKED
    remedy = f"Mend {file}: one fingerprint of 64 digits a line; what follows a # is a comment."
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_REVOKED_BYTES + 1)
    except FileNotFoundError:
        return set()
    except OSError as error:
        raise RevokedListError(
            f"The list of revoked keys cannot be read ({error.strerror}): no key is trusted.", remedy=remedy
        ) from error
    lines = [line.partition("#")[0].strip() for line in content.decode("utf-8", "replace").splitlines()]
    wrong = [line for line in lines if line and not FINGERPRINT.fullmatch(line)]
    if wrong or len(content) > MAX_REVOKED_BYTES:
        raise RevokedListError(
            f"The list of revoked keys has a line that is no fingerprint: {(wrong or [''])[0][:80]!r}. "
            "No key is trusted until it is mended.",
            remedy=remedy,
        )
    return {line for line in lines if line}
